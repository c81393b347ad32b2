"""The session file: private, whole, and never lost."""

from __future__ import annotations

import contextlib
import stat
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pagefault_doctor import klog
from pagefault_doctor.klog import messages as messages_module
from pagefault_doctor.model.errors import UsageError
from pagefault_doctor.model.event import SCHEMA, LogRead, NoteWritten, SessionEnded, SessionStarted
from pagefault_doctor.model.log import KernelLog
from pagefault_doctor.model.untrusted import is_clean
from pagefault_doctor.session.event_log import (
    EventLog,
    SessionError,
    encode,
    parse_events,
    read_events,
)

LOGS = Path(__file__).parents[1] / "klog/logs"
FIELDS = ("headline", "fault", "function", "registers", "code", "modules", "process", "trace")
STARTED = SessionStarted(id="s1", version="0", playbook="p", host="h")


def test_only_the_owner_can_read_it(tmp_path: Path) -> None:
    path = tmp_path / "state/sessions/s1.jsonl"
    EventLog.create(path).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_what_was_appended_is_read_back(tmp_path: Path) -> None:
    log = EventLog.create(tmp_path / "s1.jsonl")
    events = (
        STARTED,
        NoteWritten(step="a", text="a note\n\twith two lines"),
        SessionEnded(reason="quit"),
    )
    for event in events:
        log.append(event)
    assert read_events(log.path) == events


@pytest.mark.parametrize("path", sorted(LOGS.glob("*.log")), ids=lambda path: path.stem)
def test_a_log_that_an_older_version_read_is_diagnosed_as_if_read_now(path: Path) -> None:
    log = klog.read_file(path)
    assert read_back(log) == log
    older = [
        msgspec.structs.replace(
            report,
            details={},
            cited={name: line for name, line in report.cited.items() if name in FIELDS},
        )
        for report in log.reports
    ]
    now, then = log.reports, read_back(msgspec.structs.replace(log, reports=tuple(older))).reports
    messages = {name for name, *_ in messages_module._MESSAGES}
    for fresh, kept in zip(now, then, strict=True):
        assert messages & set(fresh.details) == messages & set(kept.details)
        assert {k: v for k, v in fresh.cited.items() if k.startswith("registers.")}.items() <= (
            kept.cited.items()
        )


def read_back(log: KernelLog) -> KernelLog:
    """Return a log as a session gives it back."""
    _, read = parse_events(encode(STARTED) + encode(LogRead(log=log)), "s")
    assert isinstance(read, LogRead)
    return read.log


def test_a_torn_last_line_is_passed_over_and_cut_off_on_reopening(tmp_path: Path) -> None:
    path = tmp_path / "s1.jsonl"
    log = EventLog.create(path)
    log.append(STARTED)
    log.close()
    with path.open("ab") as file:
        file.write(b'{"event":"note-written","st')
    assert read_events(path) == (STARTED,)
    again = EventLog.reopen(path)
    again.append(SessionEnded(reason="quit"))
    assert read_events(path) == (STARTED, SessionEnded(reason="quit"))


def test_a_full_disk_leaves_whole_events_only(tmp_path: Path) -> None:
    script = (
        "import resource, signal, sys; from pathlib import Path\n"
        "from pagefault_doctor.session.event_log import *\n"
        "from pagefault_doctor.model.event import *\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        f"log = EventLog.create(Path({str(tmp_path / 's.jsonl')!r}))\n"
        "log.append(SessionStarted(id='s', version='0', playbook='p', host='h'))\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (400, 400))\n"
        "try:\n"
        "    log.append(NoteWritten(step='a', text='x' * 1000))\n"
        "except SessionError as error:\n"
        "    print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60
    )
    assert "cannot write the session" in done.stdout
    assert len(read_events(tmp_path / "s.jsonl")) == 1


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n",
        b"not json\n",
        b'{"event":"nonsense"}\n',
        b'{"event":"session-ended","reason":"q"}\n',
        b"\xff\xfe\n",
    ],
)
def test_what_is_no_session_is_told_in_one_line(data: bytes) -> None:
    with pytest.raises(UsageError) as told:
        parse_events(data, "file")
    assert str(told.value).startswith("file")
    assert "\n" not in str(told.value)


def test_a_session_of_a_newer_version_is_refused() -> None:
    newer = SessionStarted(id="s", version="9", playbook="p", host="h", schema=SCHEMA + 1)
    data = encode(newer)
    with pytest.raises(UsageError, match="newer pfdoctor"):
        parse_events(data, "file")


@given(st.binary())
def test_any_bytes_are_a_session_or_a_usage_error(data: bytes) -> None:
    first: object = None
    with contextlib.suppress(UsageError):
        first = parse_events(data, "file")[0]
    assert first is None or isinstance(first, SessionStarted)


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(SessionError, match="XDG_STATE_HOME"):
        EventLog.create(tmp_path / "file/sessions/s1.jsonl")


@pytest.mark.parametrize("hostile", ["\\u001b[2J", "\\u202e", "\u202e", "\\r", "\\b", "\x9b31m"])
def test_a_hostile_recording_is_made_harmless_as_it_is_read(hostile: str) -> None:
    line = (
        '{"event":"session-started","id":"a","version":"1","playbook":"p","host":"HOSTILE",'
        '"given":{"HOSTILE":"HOSTILE"}}\n'
    )
    (event,) = parse_events(line.replace("HOSTILE", hostile).encode(), "x")
    assert isinstance(event, SessionStarted)
    assert is_clean(event.host)
    assert all(is_clean(word) for pair in event.given.items() for word in pair)
