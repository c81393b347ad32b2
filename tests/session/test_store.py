"""Finding a session again."""

from __future__ import annotations

from pathlib import Path

import pytest

from pagefault_doctor.model.errors import UsageError
from pagefault_doctor.model.event import SessionEnded, SessionStarted, StepEntered
from pagefault_doctor.session.event_log import EventLog
from pagefault_doctor.session.store import find, new_id, path_of, sessions_folder, summaries


def keep(folder: Path, session_id: str, ended: bool = False) -> None:
    log = EventLog.create(path_of(folder, session_id))
    log.append(SessionStarted(id=session_id, version="0", playbook="p", host="db7", at=5.0))
    log.append(StepEntered(step="check-logs"))
    if ended:
        log.append(SessionEnded(reason="quit"))
    log.close()


def test_sessions_live_below_the_state_folder_of_the_person() -> None:
    assert sessions_folder({"XDG_STATE_HOME": "/s"}) == Path("/s/pfdoctor/sessions")
    assert sessions_folder({}) == Path.home() / ".local/state/pfdoctor/sessions"
    assert sessions_folder({"XDG_STATE_HOME": "relative"}) == sessions_folder({})


def test_the_newest_is_meant_when_none_is_named(tmp_path: Path) -> None:
    keep(tmp_path, "20260101-000000-aa")
    keep(tmp_path, "20260102-000000-aa")
    assert find(tmp_path, None).stem == "20260102-000000-aa"
    assert find(tmp_path, "20260101").stem == "20260101-000000-aa"


@pytest.mark.parametrize("named", ["2026", "nothing", "../../etc/passwd", "", "A"])
def test_an_id_that_names_no_single_session_is_refused(tmp_path: Path, named: str) -> None:
    keep(tmp_path, "20260101-000000-aa")
    keep(tmp_path, "20260102-000000-aa")
    with pytest.raises(UsageError):
        find(tmp_path, named)


def test_without_any_session_the_person_is_told() -> None:
    with pytest.raises(UsageError, match="no session"):
        find(Path("/nonexistent"), None)


def test_the_list_tells_step_and_end_and_survives_a_broken_file(tmp_path: Path) -> None:
    keep(tmp_path, "a", ended=True)
    (tmp_path / "b.jsonl").write_text("junk\n")
    broken, kept = summaries(tmp_path)
    assert (kept.id, kept.step, kept.ended, kept.host) == ("a", "check-logs", "quit", "db7")
    assert broken.problem


def test_ids_are_unique_and_good_file_names(tmp_path: Path) -> None:
    ids = {new_id(1e9) for _ in range(50)}
    assert len(ids) > 40
    assert all(path_of(tmp_path, one).parent == tmp_path for one in ids)
