"""The folder of sessions, and how to find one."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Mapping
from pathlib import Path

import msgspec

from pagefault_doctor.files.home_folder import NoHomeError, state_folder
from pagefault_doctor.files.private_folder import (
    NotPrivateError,
    check_private_folder,
    make_private_folder,
)
from pagefault_doctor.model.errors import UsageError
from pagefault_doctor.model.event import (
    Event,
    PlaybookChanged,
    SessionEnded,
    SessionStarted,
    StepEntered,
)
from pagefault_doctor.model.pattern import regex
from pagefault_doctor.session.event_log import SessionError, parse_events, read_session

OUR_FOLDERS = 2
"""How many parts at the end of the path of the sessions' folder are pfdoctor's own."""
_ID = regex(r"[0-9a-z][0-9a-z-]{0,63}")
_FILE = regex(r"[0-9a-z][0-9a-z-]{0,63}\.jsonl")


class SessionSummary(msgspec.Struct, frozen=True):
    """One line of the list of sessions. `started` is seconds since the epoch.

    `problem` is set where the file cannot be read; then only `id` is known.
    """

    id: str
    started: float
    host: str
    playbook: str
    step: str | None
    ended: str | None
    problem: str = ""


def sessions_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the folder of session files: below XDG_STATE_HOME, else ~/.local/state.

    Raises SessionError where neither is known.
    """
    try:
        return state_folder(environ) / "sessions"
    except NoHomeError as error:
        raise SessionError(
            "there is no folder for sessions: no home folder is known",
            "set HOME or XDG_STATE_HOME",
        ) from error


def make_sessions_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the folder of session files, made if it is missing; only this user can write to it.

    Raises SessionError where that cannot be had.
    """
    folder = sessions_folder(environ)
    try:
        make_private_folder(folder, OUR_FOLDERS)
    except OSError as error:
        raise _unusable(folder, error) from error
    return folder


def checked_sessions_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the folder of session files, which may be missing.

    Raises SessionError where it is another user's, or others may have put files in it.
    """
    folder = sessions_folder(environ)
    try:
        check_private_folder(folder, OUR_FOLDERS)
    except OSError as error:
        raise _unusable(folder, error) from error
    return folder


def _unusable(folder: Path, error: OSError) -> SessionError:
    problem = f"cannot use {folder}: {error.strerror}"
    if isinstance(error, NotPrivateError):
        return SessionError(problem, "name a folder of your own with XDG_STATE_HOME")
    return SessionError(problem, "free some space or name another place with XDG_STATE_HOME")


def new_id(now: float) -> str:
    """Return an id for a session that starts now: local date and time, and four hex digits."""
    return time.strftime("%Y%m%d-%H%M%S", time.localtime(now)) + "-" + os.urandom(2).hex()


def path_of(folder: Path, session_id: str) -> Path:
    """Return the file of a session; raises UsageError where the id is no id."""
    # The id comes from the command line, and must not lead out of the folder.
    if not _ID.fullmatch(session_id):
        raise UsageError(f"{session_id!r} is no session id", "pfdoctor sessions lists them")
    return folder / f"{session_id}.jsonl"


def find(folder: Path, session_id: str | None) -> Path:
    """Return the file of the session with that id or unique beginning, or of the newest one.

    The newest is never an empty file, which kill -9 can leave before the first event.
    Raises UsageError where there is none, or more than one, SessionError where the folder cannot
    be read.
    """
    paths = _paths(folder)
    if session_id is None:
        newest = next((path for path in paths if not _is_empty(path)), None)
        if newest is None:
            raise UsageError("there is no session to go on with", "pfdoctor starts one")
        return newest
    exact = path_of(folder, session_id)
    matching = [exact] if exact in paths else [p for p in paths if p.stem.startswith(session_id)]
    if len(matching) == 1:
        return matching[0]
    problem = "is the beginning of several sessions" if matching else "is no session"
    raise UsageError(f"{session_id} {problem}", "pfdoctor sessions lists them")


def summaries(folder: Path) -> tuple[SessionSummary, ...]:
    """Return a line for each session, newest first; an unreadable one has the reason.

    Raises SessionError where the folder cannot be read.
    """
    return tuple(_summary(path) for path in _paths(folder))


def _paths(folder: Path) -> list[Path]:
    try:
        # Not Path.glob, for which a folder that cannot be read is an empty one.
        names = [name for name in os.listdir(folder) if _FILE.fullmatch(name)]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise _unusable(folder, error) from error
    # Ids begin with the time, so the order of names is that of the starts.
    return [folder / name for name in sorted(names, reverse=True)]


def _is_empty(path: Path) -> bool:
    state = os.lstat(path)
    return stat.S_ISREG(state.st_mode) and state.st_size == 0


def _summary(path: Path) -> SessionSummary:
    try:
        summary = summarize(parse_events(read_session(path), str(path)))
        # A renamed copy is found by its own name.
        return msgspec.structs.replace(summary, id=path.stem)
    except (SessionError, UsageError) as error:
        return SessionSummary(path.stem, 0.0, "?", "?", None, None, error.problem)


def summarize(events: tuple[Event, ...]) -> SessionSummary:
    """Return the summary of a session's events, which begin with session-started."""
    first = events[0]
    assert isinstance(first, SessionStarted)
    steps = [event.step for event in events if isinstance(event, StepEntered)]
    changed = [event.playbook for event in events if isinstance(event, PlaybookChanged)]
    last = events[-1]
    return SessionSummary(
        first.id,
        first.at,
        first.host,
        changed[-1] if changed else first.playbook,
        steps[-1] if steps else None,
        last.reason if isinstance(last, SessionEnded) else None,
    )
