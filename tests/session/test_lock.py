"""Two processes never write one session."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pagefault_doctor.model.event import NoteWritten, SessionStarted
from pagefault_doctor.session import lock as lock_module
from pagefault_doctor.session.event_log import (
    EventLog,
    SessionHeldError,
    encode,
    read_events,
    read_session,
)
from pagefault_doctor.session.lock import Holder, holder

STARTED = SessionStarted(id="s1", version="0", playbook="p", host="h", at=1e9)

HOLDING = """
import sys
from pathlib import Path
from pagefault_doctor.session.event_log import EventLog
log = EventLog.reopen(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "s1.jsonl"
    path.write_bytes(encode(STARTED))
    return path


def held_by_another(path: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        (sys.executable, "-c", HOLDING, str(path)),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    assert process.stdout.readline() == "held\n"
    return process


def test_a_session_that_is_open_is_not_opened_again_until_kill_9(path: Path) -> None:
    with held_by_another(path) as process:
        with path.open("ab") as torn:
            torn.write(b'{"event":"note-')
        before = path.read_bytes()
        with pytest.raises(SessionHeldError) as told:
            EventLog.reopen(path)
        assert f"session s1 is open in pid {process.pid} since 2001-09-" in told.value.problem
        assert told.value.remedy == "to look on: pfdoctor report s1"
        assert path.read_bytes() == before, "the half line of the other process was cut off"
        assert read_session(path) == before
        assert read_events(path) == (STARTED,)
        process.send_signal(signal.SIGKILL)
        process.wait(60)
        log = EventLog.reopen(path)
    log.append(NoteWritten(step="a", text="mine"))
    assert read_events(path)[1:] == (NoteWritten(step="a", text="mine"),)


def test_a_new_session_is_locked_from_the_first(tmp_path: Path) -> None:
    log = EventLog.create(tmp_path / "s1.jsonl")
    files = os.listdir("/proc/self/fd")
    with pytest.raises(SessionHeldError, match=f"pid {os.getpid()}"):
        EventLog.reopen(log.path)
    assert os.listdir("/proc/self/fd") == files
    log.append(STARTED)
    log.close()
    EventLog.reopen(log.path).close()


def test_a_session_that_is_open_and_damaged_is_still_told_as_open(path: Path) -> None:
    log = EventLog.reopen(path)
    path.write_bytes(b"damaged\n")
    with pytest.raises(SessionHeldError, match=rf"is open in pid {os.getpid()}( on \S+)?;"):
        EventLog.reopen(path)
    log.close()


def test_a_command_that_we_started_does_not_keep_the_lock(path: Path) -> None:
    log = EventLog.reopen(path)
    with subprocess.Popen(("sleep", "60"), close_fds=False) as child:
        log.close()
        again = EventLog.reopen(path)
        assert child.poll() is None
        assert again.unlocked == ""
        child.kill()


@pytest.mark.parametrize("code", [errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL])
def test_a_file_system_without_locks_is_told_and_used(
    path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def refuse(descriptor: int, operation: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(fcntl, "flock", refuse)
    log = EventLog.reopen(path)
    assert log.unlocked == os.strerror(code)
    log.append(NoteWritten(step="a", text="kept"))
    assert len(read_events(path)) == 2


@pytest.mark.parametrize(
    "shown", ["", "nonsense\n", "1: FLOCK\n", "1: FLOCK A W x 0:0:{inode} 0\n"]
)
def test_where_proc_does_not_tell_it_is_another_process(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shown: str
) -> None:
    locks = tmp_path / "locks"
    locks.write_text(shown.replace("{inode}", str(path.stat().st_ino)))
    monkeypatch.setattr(lock_module, "LOCKS", str(locks))
    with path.open() as file:
        assert str(holder(file.fileno())) == "another process"


def test_the_holder_is_found_where_the_device_is_shown_otherwise(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    locks = tmp_path / "locks"
    locks.write_text(f"1: FLOCK  ADVISORY  WRITE 999999999 ff:ff:{path.stat().st_ino} 0 EOF\n")
    monkeypatch.setattr(lock_module, "LOCKS", str(locks))
    with path.open() as file:
        assert holder(file.fileno()) == Holder(999999999, "")
