"""The append-only file of a session: one event a line, on disk before the next command starts."""

from __future__ import annotations

import contextlib
import os
import re
import stat
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final, Protocol

import msgspec

from pagefault_doctor.files.private_folder import make_folders
from pagefault_doctor.files.regular_file import NotRegularError, TooLargeError, read_regular
from pagefault_doctor.model.errors import PfDoctorError, UsageError
from pagefault_doctor.model.event import SCHEMA, Event, LogRead, SessionResumed, SessionStarted
from pagefault_doctor.model.untrusted import clean, clean_line
from pagefault_doctor.session.checksum import Checksum
from pagefault_doctor.session.lock import HeldError, holder, lock

LIMIT = 1 << 30
"""Largest session file that is read, in bytes."""


class SessionError(PfDoctorError):
    """A session file cannot be read or written."""


class SessionHeldError(PfDoctorError):
    """Another process has the session open."""


class Sink(Protocol):
    """Where a walk writes its events."""

    def append(self, event: Event) -> None:
        """Save the event. Raises SessionError where it cannot be saved."""
        ...

    def close(self) -> None:
        """Write nothing more."""
        ...


def encode(event: Event) -> bytes:
    """Return the event as one line of JSON, with its newline."""
    return msgspec.json.encode(event) + b"\n"


class EventLog:
    """A session file open for writing. Each event is flushed and synced before `append` returns.

    The file is locked until it is closed; `unlocked` is the reason where it cannot be.
    """

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor
        self._checksum: Checksum | None = None
        self._half_event_at: int | None = None
        self._one_at_a_time = threading.RLock()
        try:
            self.unlocked = lock(descriptor)
        except HeldError as error:
            who = holder(descriptor)
            os.close(descriptor)
            problem = f"session {path.stem} is open in {who}{_since(path)}"
            remedy = f"to look on: pfdoctor report {path.stem}"
            raise SessionHeldError(problem, remedy) from error

    @classmethod
    def create(cls, path: Path) -> EventLog:
        """Return a new, empty session file that only its owner can read; raises SessionError."""
        try:
            make_folders(path.parent)
            # O_EXCL: never write into a file, or through a link, that is there already.
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
            return cls(path, os.open(path, flags, 0o600))
        except OSError as error:
            raise _unwritable(path, error) from error

    @classmethod
    def reopen(cls, path: Path) -> EventLog:
        """Open an existing session file for more events; an incomplete last line is cut off.

        Raises SessionHeldError where another process has it open, SessionError where it cannot be
        written, or is another user's or no regular file.
        """
        try:
            check_own_file(path)
            flags = os.O_RDWR | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
            log = cls(path, os.open(path, flags))
        except OSError as error:
            raise _unwritable(path, error) from error
        with contextlib.ExitStack() as on_failure:
            on_failure.callback(log.close)
            try:
                # Only now that nobody else is writing it.
                os.ftruncate(log._descriptor, read_session(path).rfind(b"\n") + 1)
            except OSError as error:
                raise _unwritable(path, error) from error
            on_failure.pop_all()
        return log

    def vouch(self, key: bytes) -> None:
        """Give each further line a checksum by this key, over all that is in the file before it."""
        self._checksum = Checksum(key, read_session(self.path))

    def append(self, event: Event) -> None:
        """Write the event and sync it; on failure the file keeps only whole events.

        Raises SessionError where it cannot be written, or the file is closed.
        """
        # A wizard that has to leave ends the session while its command may still be ending.
        with self._one_at_a_time:
            if self._descriptor < 0:
                raise SessionError(f"the session {self.path} has ended", "resume it to go on")
            try:
                self._append(encode(event))
            except OSError as error:
                raise _unwritable(self.path, error) from error

    def _append(self, line: bytes) -> None:
        half, checksum = self._half_event_at, self._checksum
        before = os.fstat(self._descriptor).st_size if half is None else half
        left = line = checksum.with_checksum(line) if checksum else line
        try:
            if half is not None:
                self._cut(half)
            # write(2) may write less than asked, for example on a nearly full disk.
            while left:
                left = left[os.write(self._descriptor, left) :]
            # Before the sync, in which a signal's handler may write the last event.
            self._checksum = checksum.after(line) if checksum else None
            os.fsync(self._descriptor)
        except OSError:
            self._checksum = checksum
            # Works even on a full disk; where it does not, the next event cannot be written either.
            self._half_event_at = before
            with contextlib.suppress(OSError):
                self._cut(before)
            raise

    def _cut(self, size: int) -> None:
        os.ftruncate(self._descriptor, size)
        self._half_event_at = None

    def close(self) -> None:
        """Close the file, which releases its lock; may be called twice."""
        # The number of a closed file may be that of another one by now, so nobody may still use it.
        with self._one_at_a_time:
            descriptor, self._descriptor = self._descriptor, -1
            if descriptor >= 0:
                os.close(descriptor)


class MemoryLog:
    """Events in memory only: for training, tests, and machines with nowhere to write."""

    def __init__(self, events: Iterable[Event] = ()) -> None:
        self.events = list(events)

    def append(self, event: Event) -> None:
        """Keep the event until this process ends."""
        self.events.append(event)

    def close(self) -> None:
        """Do nothing."""


_SUSPECT: Final = re.compile(rb"[^\x20-\x7e]|\\[bfru]")
"""Bytes in a line of JSON that may be or encode a control character. Most lines have none, and
need no walk through their values."""


def read_events(path: Path) -> tuple[Event, ...]:
    """Return the events of a session file or recording, from wherever it is.

    An incomplete last line, which kill -9 or a full disk can leave, is skipped. Raises SessionError
    where the file cannot be read and UsageError, with the line, where it is not a session.
    """
    return parse_events(_bytes_of(path, follow_links=True), str(path))


def read_session(path: Path) -> bytes:
    """Return the bytes of a session of this user.

    Raises SessionError where they cannot be read, where the path is a link or no regular file, and
    where the file is another user's.
    """
    check_own_file(path)
    return _bytes_of(path, follow_links=False)


def check_own_file(path: Path) -> None:
    """Check that the path is a regular file of this user, and no link; raises SessionError."""
    try:
        state = os.lstat(path)
    except OSError as error:
        raise SessionError(f"cannot read {path}: {error.strerror}") from error
    if not stat.S_ISREG(state.st_mode):
        raise SessionError(f"{path} is not a regular file", "remove it")
    if state.st_uid != os.geteuid():
        raise SessionError(f"{path} belongs to another user", "remove it, or chown it")


def _bytes_of(path: Path, *, follow_links: bool) -> bytes:
    try:
        return read_regular(path, LIMIT, follow_links=follow_links)
    except TooLargeError as error:
        problem = f"{path} is larger than {LIMIT >> 20} MB"
        raise SessionError(problem, "it is no session file") from error
    except NotRegularError as error:
        raise SessionError(f"{path} is not a regular file") from error
    except OSError as error:
        raise SessionError(f"cannot read {path}: {error.strerror}") from error


def parse_events(data: bytes, source: str) -> tuple[Event, ...]:
    """Return the events in the bytes of a session file, with all text made harmless.

    A recording may come from anywhere. Raises UsageError where the bytes are not a session.
    """
    decoder = msgspec.json.Decoder(Event)
    whole = data[: data.rfind(b"\n") + 1]
    events: list[Event] = []
    for number, line in enumerate(whole.splitlines(), 1):
        if not line.strip():
            continue
        try:
            event = decoder.decode(line)
            event = with_texts(event, clean) if _SUSPECT.search(line) else event
            events.append(_with_details(event) if isinstance(event, LogRead) else event)
        # The last one: lists in lists in lists.
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            problem = f"not an event of a session: {clean_line(str(error))}"
            raise UsageError(f"{source}:{number}: {problem}") from error
    if not events or not isinstance(events[0], SessionStarted):
        raise UsageError(f"{source} is not a session: it does not begin with session-started")
    if events[0].schema > SCHEMA:
        raise UsageError(f"{source} was written by a newer pfdoctor", "update pfdoctor to read it")
    return tuple(events)


def _with_details(event: LogRead) -> LogRead:
    """Return the event with what an older version did not read of the log's lines."""
    # The first screen needs no reader of logs.
    from pagefault_doctor.klog.stored_log import with_details

    return LogRead(at=event.at, log=with_details(event.log))


def with_texts(event: Event, change: Callable[[str], str]) -> Event:
    """Return the event with every text in it changed; the keys of its tables are made harmless."""
    changed: Event = msgspec.convert(_walked(msgspec.to_builtins(event), change), Event)
    return changed


def _walked(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {clean_line(key): _walked(each, change) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_walked(each, change) for each in value]
    return value


def _since(path: Path) -> str:
    """Return since when a session is open, by its events; empty where they cannot be read."""
    try:
        events = parse_events(read_session(path), str(path))
    except (SessionError, UsageError):
        return ""
    opened = [e.at for e in events if isinstance(e, SessionStarted | SessionResumed)][-1]
    return time.strftime(" since %Y-%m-%d %H:%M", time.localtime(opened))


def _unwritable(path: Path, error: OSError) -> SessionError:
    return SessionError(
        f"cannot write the session to {path}: {error.strerror}",
        "free some space or name another place with XDG_STATE_HOME",
    )
