"""Finding a session again."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from pagefault_doctor.model.errors import UsageError
from pagefault_doctor.model.event import SessionEnded, SessionStarted, StepEntered
from pagefault_doctor.session.event_log import EventLog, SessionError
from pagefault_doctor.session.store import (
    checked_sessions_folder,
    find,
    make_sessions_folder,
    new_id,
    path_of,
    sessions_folder,
    summaries,
)


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


def test_the_newest_is_not_one_that_was_killed_before_its_first_event(tmp_path: Path) -> None:
    EventLog.create(path_of(tmp_path, "20260103-000000-aa")).close()
    with pytest.raises(UsageError, match="no session to go on with"):
        find(tmp_path, None)
    keep(tmp_path, "20260102-000000-aa")
    assert find(tmp_path, None).stem == "20260102-000000-aa"


@pytest.mark.parametrize("named", ["2026", "nothing", "../../etc/passwd", "", "A"])
def test_an_id_that_names_no_single_session_is_refused(tmp_path: Path, named: str) -> None:
    keep(tmp_path, "20260101-000000-aa")
    keep(tmp_path, "20260102-000000-aa")
    with pytest.raises(UsageError):
        find(tmp_path, named)


@pytest.mark.parametrize("named", ["../../etc/passwd", "/etc/passwd", "..", "", "A", "a.b", "a/b"])
def test_no_id_leads_out_of_the_folder(tmp_path: Path, named: str) -> None:
    with pytest.raises(UsageError, match="is no session id"):
        path_of(tmp_path, named)


def test_a_whole_id_is_meant_though_another_begins_with_it(tmp_path: Path) -> None:
    keep(tmp_path, "20260101-000000-aa")
    keep(tmp_path, "20260101-000000-aab")
    assert find(tmp_path, "20260101-000000-aa").stem == "20260101-000000-aa"


@pytest.mark.parametrize(
    "name", ["zz copy.jsonl", "Z.jsonl", "zz\n.jsonl", os.fsdecode(b"z\xff.jsonl")]
)
def test_a_file_whose_name_is_no_id_is_no_session(tmp_path: Path, name: str) -> None:
    keep(tmp_path, "s1")
    (tmp_path / name).write_bytes((tmp_path / "s1.jsonl").read_bytes())
    assert find(tmp_path, None).stem == "s1"
    assert [summary.id for summary in summaries(tmp_path)] == ["s1"]


def test_without_any_session_the_person_is_told() -> None:
    with pytest.raises(UsageError, match="no session"):
        find(Path("/nonexistent"), None)


def test_the_list_tells_step_and_end_and_survives_a_broken_file(tmp_path: Path) -> None:
    keep(tmp_path, "a", ended=True)
    (tmp_path / "b.jsonl").write_text("junk\n")
    broken, kept = summaries(tmp_path)
    assert (kept.id, kept.step, kept.ended, kept.host) == ("a", "check-logs", "quit", "db7")
    assert broken.problem


def test_a_folder_that_cannot_be_read_is_not_an_empty_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(folder: Path) -> list[str]:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "listdir", refuse)
    for use in (summaries, lambda folder: find(folder, None), lambda folder: find(folder, "2026")):
        with pytest.raises(SessionError, match="Permission denied"):
            use(tmp_path)


def test_a_session_of_another_user_is_listed_as_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(tmp_path, "a")
    me = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: me + 1)
    (listed,) = summaries(tmp_path)
    assert listed.problem.endswith("belongs to another user")


@pytest.mark.parametrize("use", [make_sessions_folder, checked_sessions_folder])
def test_sessions_that_others_may_have_put_there_are_not_used(
    tmp_path: Path, use: Callable[[Mapping[str, str]], Path]
) -> None:
    environ = {"XDG_STATE_HOME": str(tmp_path)}
    folder = make_sessions_folder(environ)
    assert use(environ) == folder == sessions_folder(environ)
    folder.parent.rename(tmp_path / "theirs")
    (tmp_path / "pfdoctor").symlink_to("theirs")
    with pytest.raises(SessionError, match="pfdoctor is a link; name a folder of your own"):
        use(environ)


def test_ids_are_unique_and_good_file_names(tmp_path: Path) -> None:
    ids = {new_id(1e9) for _ in range(50)}
    assert len(ids) > 40
    assert all(path_of(tmp_path, one).parent == tmp_path for one in ids)


def test_one_session_of_lists_in_lists_does_not_hide_the_others(tmp_path: Path) -> None:
    keep(tmp_path, "s1")
    (tmp_path / "s2.jsonl").write_bytes(b'{"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}\n")
    bad, good = summaries(tmp_path)
    assert (bad.id, good.id, good.problem) == ("s2", "s1", "")
    assert "not an event" in bad.problem


def test_a_renamed_copy_is_listed_by_the_name_that_finds_it(tmp_path: Path) -> None:
    keep(tmp_path, "s1")
    (tmp_path / "s2.jsonl").write_bytes((tmp_path / "s1.jsonl").read_bytes())
    assert [summary.id for summary in summaries(tmp_path)] == ["s2", "s1"]
