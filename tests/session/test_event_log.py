"""The session file: private, whole, and never lost."""

from __future__ import annotations

import contextlib
import os
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
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
from pagefault_doctor.session import event_log
from pagefault_doctor.session.checksum import is_written_here
from pagefault_doctor.session.event_log import (
    EventLog,
    SessionError,
    encode,
    parse_events,
    read_events,
    read_session,
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
    assert path.read_bytes() == encode(STARTED)
    again.append(SessionEnded(reason="quit"))
    assert read_events(path) == (STARTED, SessionEnded(reason="quit"))


FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from pagefault_doctor.session.event_log import EventLog, SessionError
from pagefault_doctor.model.event import NoteWritten, SessionStarted

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
log = EventLog.create(Path(sys.argv[1]))
if sys.argv[2] == "vouched":
    log.vouch(b"k" * 32)
log.append(SessionStarted(id="s", version="0", playbook="p", host="h"))
_, most = resource.getrlimit(resource.RLIMIT_FSIZE)
for limit, text in ((400, "x" * 1000), (most, "there is room again")):
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, most))
    try:
        log.append(NoteWritten(step="a", text=text))
    except SessionError as error:
        print(error)
"""


@pytest.mark.parametrize("kind", ["plain", "vouched"])
def test_a_full_disk_leaves_whole_events_only(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "s.jsonl"
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(path), kind],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout.count("cannot write the session") == 1, done.stderr
    first, note = read_events(path)
    assert isinstance(first, SessionStarted)
    assert note == NoteWritten(step="a", text="there is room again")
    assert is_written_here(path.read_bytes(), b"k" * 32) is (kind == "vouched")


def test_an_event_is_on_the_disk_before_append_returns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = EventLog.create(tmp_path / "s1.jsonl")
    synced: list[bytes] = []
    monkeypatch.setattr(os, "fsync", lambda fd: synced.append(log.path.read_bytes()))
    log.append(STARTED)
    log.append(SessionEnded(reason="quit"))
    assert synced == [encode(STARTED), encode(STARTED) + encode(SessionEnded(reason="quit"))]


def test_an_event_that_cannot_be_synced_is_told_and_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = EventLog.create(tmp_path / "s1.jsonl")
    log.append(STARTED)
    with monkeypatch.context() as broken:

        def fail(descriptor: int) -> None:
            raise OSError(5, "Input/output error")

        broken.setattr(os, "fsync", fail)
        with pytest.raises(SessionError, match="Input/output error"):
            log.append(SessionEnded(reason="lost"))
    assert log.path.read_bytes() == encode(STARTED)
    log.append(SessionEnded(reason="quit"))
    assert read_events(log.path) == (STARTED, SessionEnded(reason="quit"))


def test_a_half_event_that_cannot_be_taken_back_at_once_is_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = EventLog.create(tmp_path / "s1.jsonl")
    log.append(STARTED)

    def fail(*arguments: int) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as broken:
        broken.setattr(os, "fsync", fail)
        broken.setattr(os, "ftruncate", fail)
        for _ in range(2):
            with pytest.raises(SessionError, match="Input/output error"):
                log.append(SessionEnded(reason="lost"))
    log.append(SessionEnded(reason="quit"))
    assert read_events(log.path) == (STARTED, SessionEnded(reason="quit"))


@pytest.mark.parametrize("there", ["a session", "a link to nowhere", "a link to a file"])
def test_what_is_there_already_is_never_written_into(tmp_path: Path, there: str) -> None:
    path, other = tmp_path / "s1.jsonl", tmp_path / "other"
    if there == "a session":
        path.write_bytes(encode(STARTED))
    else:
        path.symlink_to(other)
    if there == "a link to a file":
        other.write_text("precious")
    with pytest.raises(SessionError, match="File exists"):
        EventLog.create(path)
    if there == "a session":
        assert path.read_bytes() == encode(STARTED)
    assert other.exists() is (there == "a link to a file")


def test_a_file_that_is_too_large_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "s1.jsonl"
    path.write_bytes(encode(STARTED))
    monkeypatch.setattr(event_log, "LIMIT", path.stat().st_size)
    assert read_events(path) == (STARTED,)
    path.write_bytes(encode(STARTED) + b" ")
    for read in (read_events, read_session, EventLog.reopen):
        with pytest.raises(SessionError, match="it is no session file"):
            read(path)


def test_a_file_without_end_is_not_read() -> None:
    with pytest.raises(SessionError, match="not a regular file"):
        read_events(Path("/dev/zero"))


@pytest.mark.parametrize("kind", ["fifo", "socket", "folder", "link"])
@pytest.mark.parametrize("use", [read_session, EventLog.reopen])
def test_what_is_no_file_of_a_session_is_refused_at_once(
    tmp_path: Path, kind: str, use: Callable[[Path], object]
) -> None:
    path = tmp_path / "s1.jsonl"
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as listening, contextlib.chdir(tmp_path):
            listening.bind(path.name)  # The whole path may be too long for an address.
    elif kind == "folder":
        path.mkdir()
    else:
        (tmp_path / "good").write_bytes(encode(STARTED))
        path.symlink_to(tmp_path / "good")
    with pytest.raises(SessionError, match="is not a regular file; remove it"):
        use(path)


@pytest.mark.parametrize("use", [read_session, EventLog.reopen])
def test_a_session_of_another_user_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, use: Callable[[Path], object]
) -> None:
    path = tmp_path / "s1.jsonl"
    path.write_bytes(encode(STARTED))
    me = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: me + 1)
    with pytest.raises(SessionError, match="belongs to another user"):
        use(path)


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


@given(st.binary(), st.integers(0, 300), st.integers(0, 300))
def test_any_bytes_are_a_session_or_a_usage_error(data: bytes, begin: int, end: int) -> None:
    whole = encode(STARTED) + encode(NoteWritten(step="a", text="a note"))
    for hostile in (data, whole[:begin] + data + whole[end:]):
        first: object = None
        told = "file"
        try:
            first, *_ = parse_events(hostile, "file")
        except UsageError as error:
            told = str(error)
        assert first is None or isinstance(first, SessionStarted)
        assert told.startswith("file")
        assert "\n" not in told


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


def test_an_event_after_the_end_is_refused_and_written_nowhere(tmp_path: Path) -> None:
    log = EventLog.create(tmp_path / "s1.jsonl")
    log.append(STARTED)
    number = log._descriptor
    log.close()
    # The next file that is opened gets the number of the one that was closed.
    with (tmp_path / "other").open("wb") as other:
        assert other.fileno() == number
        with pytest.raises(SessionError, match="has ended"):
            log.append(SessionEnded(reason="quit"))
        log.close()
        assert os.fstat(other.fileno()).st_size == 0
    assert read_events(log.path) == (STARTED,)


def test_a_file_is_not_closed_while_an_event_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = EventLog.create(tmp_path / "s1.jsonl")
    closing = threading.Thread(target=log.close)
    waited = []

    def sync(descriptor: int) -> None:
        closing.start()
        closing.join(0.2)
        waited.append(closing.is_alive())

    monkeypatch.setattr(os, "fsync", sync)
    log.append(STARTED)
    closing.join()
    assert waited == [True]
    assert read_events(log.path) == (STARTED,)


@pytest.mark.parametrize("nested", [b"[" * 100_000 + b"]" * 100_000, b'{"a":' * 100_000])
def test_lists_in_lists_without_end_are_no_event(nested: bytes) -> None:
    data = encode(STARTED) + b'{"event":"note-written","more":' + nested + b"}\n"
    with pytest.raises(UsageError, match=r"^s1:2: not an event of a session: [^\n]+$"):
        parse_events(data, "s1")
