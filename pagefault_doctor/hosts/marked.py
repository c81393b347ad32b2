"""The processes of one command, found by a mark in their environment, wherever they went.

A process group does not hold who leaves it, as a daemon does with setsid(2). The environment is
inherited all the same, and /proc/PID/environ shows it. Out of reach are those who replace their
environment, as sudo does for another user, and all of them where there is no /proc.
"""

from __future__ import annotations

import contextlib
import errno
import os
import signal
from collections.abc import Iterator
from typing import Final

VARIABLE: Final = "PFDOCTOR_COMMAND"
"""The variable that holds the mark."""

_UNDECIDED: Final = (errno.EMFILE, errno.ENFILE, errno.ENOMEM)
"""Errors that say nothing about a process."""

_LARGEST: Final = 1 << 23
"""Bytes of environment that are searched. Linux allows a quarter of the stack's limit (execve(2)),
which is 8 MiB unless somebody raised it."""


_PIECE: Final = 1 << 16


def new_mark() -> str:
    """Return a word that no other process has in its environment: 128 random bits."""
    # As secrets.token_hex does, which would import OpenSSL and delay the first screen by 2 %.
    return os.urandom(16).hex()


def unmarked_environment() -> dict[str, str]:
    """Return our environment, for a process that is not a part of the command that we may be."""
    return {name: value for name, value in os.environ.items() if name != VARIABLE}


def processes() -> Iterator[str]:
    """Return the folder of each process in /proc. Raises OSError where it cannot be listed."""
    with os.scandir("/proc") as entries:
        yield from (entry.path for entry in entries if entry.name.isdecimal())


def any_marked(mark: str) -> bool:
    """Return whether a process with this mark runs; zombies have no environment.

    True also where that cannot be found out for want of descriptors or memory.
    """
    try:
        return any(_has(process, mark) for process in processes())
    except OSError as error:
        return error.errno in _UNDECIDED


def send(mark: str, number: signal.Signals, group: int = 0) -> None:
    """Send a signal to every process with this mark outside a process group that has it already.

    A handler must not run twice: it may be in the middle of a last word. Processes of other users
    are left alone.
    """
    with contextlib.suppress(OSError):
        for process in processes():
            pid = int(process.rpartition("/")[2])
            if _has(process, mark) and not _in_group(pid, group):
                _send(pid, process, mark, number)


def _in_group(pid: int, group: int) -> bool:
    try:
        return os.getpgid(pid) == group
    except OSError:
        return False


def _has(process: str, mark: str) -> bool:
    try:
        return f"{VARIABLE}={mark}\0".encode() in _environ(process)
    except OSError as error:
        if error.errno in _UNDECIDED:
            raise
        return False  # It has ended, or is another user's.


def _environ(process: str) -> bytes:
    """Return the environment of a process. Not by `open`: every process is asked, often."""
    descriptor = os.open(f"{process}/environ", os.O_RDONLY | os.O_CLOEXEC)
    try:
        data = piece = os.read(descriptor, _PIECE)
        while len(piece) == _PIECE and len(data) < _LARGEST:
            piece = os.read(descriptor, _PIECE)
            data += piece
        return data
    finally:
        os.close(descriptor)


def _send(pid: int, process: str, mark: str, number: signal.Signals) -> None:
    """Send a signal to a process that still has the mark: its number may be another's by now."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    except (AttributeError, OSError):  # Before Linux 5.3, or no descriptor is free.
        _kill(pid, number)
        return
    try:
        if _has(process, mark):
            signal.pidfd_send_signal(handle, number)
    except (ProcessLookupError, PermissionError):
        return
    finally:
        os.close(handle)


def _kill(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except (ProcessLookupError, PermissionError):
        return
