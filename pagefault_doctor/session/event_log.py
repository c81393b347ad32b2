"""The append-only file of a session: one event a line, on disk before the next command starts."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final, Protocol

import msgspec

from pagefault_doctor.model.errors import PfDoctorError, UsageError
from pagefault_doctor.model.event import SCHEMA, Event, LogRead, SessionStarted
from pagefault_doctor.model.untrusted import clean, clean_line

LIMIT = 1 << 30
"""Largest session file that is read, in bytes."""


class SessionError(PfDoctorError):
    """A session file cannot be read or written."""


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
    """A session file open for writing. Each event is flushed and synced before `append` returns."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor

    @classmethod
    def create(cls, path: Path) -> EventLog:
        """Return a new, empty session file that only its owner can read; raises SessionError."""
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            # O_EXCL: never write into a file, or through a link, that is there already.
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
            return cls(path, os.open(path, flags, 0o600))
        except OSError as error:
            raise _unwritable(path, error) from error

    @classmethod
    def reopen(cls, path: Path) -> EventLog:
        """Open an existing session file for more events; an incomplete last line is cut off."""
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
            os.ftruncate(descriptor, _whole_lines(path))
            return cls(path, descriptor)
        except OSError as error:
            raise _unwritable(path, error) from error

    def append(self, event: Event) -> None:
        """Write the event and sync it; on failure the file keeps only whole events."""
        line = encode(event)
        before = os.fstat(self._descriptor).st_size
        try:
            # write(2) may write less than asked, for example on a nearly full disk.
            while line:
                line = line[os.write(self._descriptor, line) :]
            os.fsync(self._descriptor)
        except OSError as error:
            # Freeing the half event always works, even on a full disk.
            os.ftruncate(self._descriptor, before)
            raise _unwritable(self.path, error) from error

    def close(self) -> None:
        """Close the file; may be called twice."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


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
    """Return the events of a session file or recording.

    An incomplete last line, which kill -9 or a full disk can leave, is skipped. Raises SessionError
    where the file cannot be read and UsageError, with the line, where it is not a session.
    """
    try:
        if path.stat().st_size > LIMIT:
            raise SessionError(f"{path} is larger than {LIMIT >> 20} MB", "it is no session file")
        data = path.read_bytes()
    except OSError as error:
        raise SessionError(f"cannot read {path}: {error.strerror}") from error
    return parse_events(data, str(path))


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
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise UsageError(f"{source}:{number}: not an event of a session: {error}") from error
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


def _whole_lines(path: Path) -> int:
    data = path.read_bytes()
    return data.rfind(b"\n") + 1


def _unwritable(path: Path, error: OSError) -> SessionError:
    return SessionError(
        f"cannot write the session to {path}: {error.strerror}",
        "free some space or name another place with XDG_STATE_HOME",
    )
