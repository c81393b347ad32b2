"""The process groups of the commands that run now, and how they are ended."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

GRACE: Final = 2.0
"""Seconds between SIGTERM and SIGKILL."""

POLL: Final = 0.02


class ProcessGroup:
    """A command, from before its fork. `group` is known after it; `ended` asks it to end itself.

    A signal handler may run while the fork is under way, and Python drops what it raises there:
    so a mark is left, and the run sees it as soon as it can.
    """

    def __init__(self) -> None:
        self.group: int | None = None
        self.ended = False

    @property
    def alive(self) -> bool:
        """Whether it is being started, or something of its group still runs."""
        return self in running if self.group is None else alive(self.group)


running: Final[set[ProcessGroup]] = set()
"""The one piece of state: what runs at this moment.

Signal handlers need it, and they know no session and no host. Every change is a single atomic
set operation, so there is no lock that a handler could wait for in vain.
"""


def alive(group: int) -> bool:
    """Return whether anything of the group still runs.

    Zombies do not count: those that lost their parent wait for init, which some containers lack.
    """
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    if not os.path.exists("/proc/self/stat"):
        return True  # A box without /proc cannot tell zombies.
    return any(_group_and_state(entry) == (group, True) for entry in _processes())


def _processes() -> Iterator[str]:
    with os.scandir("/proc") as entries:
        yield from (entry.path for entry in entries if entry.name.isdecimal())


def _group_and_state(process: str) -> tuple[int, bool]:
    """Return the process group and whether it is alive, as /proc/PID/stat says (proc(5))."""
    try:
        stat = Path(process, "stat").read_bytes()
    except OSError:
        return 0, False
    state, _parent, group = stat[stat.rindex(b")") + 1 :].split()[:3]
    return int(group), state not in (b"Z", b"X")


def send(group: int, number: signal.Signals) -> None:
    """Send a signal to all of a group; one that is gone, or another user's, is left alone."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def end_all(grace: float = GRACE) -> None:
    """End every command that runs now, with all its children: SIGTERM, then SIGKILL.

    Returns after at most `grace` seconds. Meant for quit, SIGHUP and SIGTERM.
    """
    runs = tuple(running)
    for run in runs:
        run.ended = True
    _send_all(runs, signal.SIGTERM)
    until = time.monotonic() + grace
    while any(run.alive for run in runs) and time.monotonic() < until:
        time.sleep(POLL)
    _send_all(runs, signal.SIGKILL)


def _send_all(runs: tuple[ProcessGroup, ...], number: signal.Signals) -> None:
    for run in runs:
        if run.group is not None:
            send(run.group, number)
