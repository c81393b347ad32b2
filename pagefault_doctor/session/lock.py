"""A lock on a session file: two processes would mix their events and commands.

It is a lock of the open file (flock(2)), so the kernel releases it however its process ends. It is
closed on exec, so no command that we start keeps it.
"""

from __future__ import annotations

import fcntl
import os

import msgspec

LOCKS = "/proc/locks"
"""All locks of this machine (proc_locks(5))."""


class HeldError(Exception):
    """Another process has the lock."""


class Holder(msgspec.Struct, frozen=True):
    """Who has a lock; `pid` is 0 and `terminal` empty where that cannot be known."""

    pid: int = 0
    terminal: str = ""

    def __str__(self) -> str:
        process = f"pid {self.pid}" if self.pid else "another process"
        return f"{process} on {self.terminal}" if self.terminal else process


def lock(descriptor: int) -> str:
    """Lock the open file until it is closed or this process ends.

    Return an empty text, or the reason where the file system has no locks. Raises HeldError.
    """
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise HeldError from error
    except OSError as error:
        return error.strerror or str(error)
    return ""


def holder(descriptor: int) -> Holder:
    """Return which process has locked the open file, as far as /proc shows it."""
    state = os.fstat(descriptor)
    device = f"{os.major(state.st_dev):02x}:{os.minor(state.st_dev):02x}"
    inode = str(state.st_ino)
    found: dict[bool, int] = {}
    try:
        with open(LOCKS) as file:
            for words in map(str.split, file):
                # 1: FLOCK ADVISORY WRITE PID MAJOR:MINOR:INODE START END
                if words[1] == "FLOCK" and words[5].rpartition(":")[2] == inode:
                    found[words[5] == f"{device}:{inode}"] = int(words[4])
    except (OSError, ValueError, IndexError):
        return Holder()
    # Some file systems (btrfs) show another device there than stat does.
    pid = max(found.get(True, found.get(False, 0)), 0)
    return Holder(pid, _terminal(pid)) if pid else Holder()


def _terminal(pid: int) -> str:
    """Return the terminal of a process, such as `pts/3`."""
    for number in (0, 1, 2):
        try:
            target = os.readlink(f"/proc/{pid}/fd/{number}")
        except OSError:
            continue
        if target.startswith(("/dev/pts/", "/dev/tty")):
            return target.removeprefix("/dev/")
    return ""
