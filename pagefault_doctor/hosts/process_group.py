"""The process groups of the running commands, and how to end them."""

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
    """A running command. `group` is None until after the fork; `ended` asks the run to end it.

    A signal handler may run during the fork, where Python discards exceptions of handlers. So the
    handler sets a flag, which the run checks as soon as it can.
    """

    def __init__(self) -> None:
        self.group: int | None = None
        self.ended = False

    @property
    def alive(self) -> bool:
        """Whether it is being started, or a process of its group still runs."""
        return self in running if self.group is None else alive(self.group)


running: Final[set[ProcessGroup]] = set()
"""Every running command: the only global state of the package.

Signal handlers need it, and have no session or host. Every change is one atomic set operation,
because a handler that waited for a lock would block for ever.
"""


def alive(group: int) -> bool:
    """Return whether anything of the group still runs.

    Zombies do not count: orphans among them wait for init, which some containers lack.
    """
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    if not os.path.exists("/proc/self/stat"):
        return True  # Without /proc, zombies cannot be recognised.
    return any(_group_and_state(entry) == (group, True) for entry in _processes())


def _processes() -> Iterator[str]:
    with os.scandir("/proc") as entries:
        yield from (entry.path for entry in entries if entry.name.isdecimal())


def _group_and_state(process: str) -> tuple[int, bool]:
    """Return the process group and whether it is alive, from /proc/PID/stat (proc(5))."""
    try:
        stat = Path(process, "stat").read_bytes()
    except OSError:
        return 0, False
    # The name in brackets may itself hold brackets and blanks, so count from its last bracket.
    state, _parent, group = stat[stat.rindex(b")") + 1 :].split()[:3]
    return int(group), state not in (b"Z", b"X")


def send(group: int, number: signal.Signals) -> None:
    """Send a signal to a whole group; do nothing if it is gone or another user's."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def end_all(grace: float = GRACE) -> None:
    """End every command that runs now, with all its children: SIGTERM, then SIGKILL.

    Returns after at most `grace` seconds. Meant for quit, SIGHUP and SIGTERM.
    """
    runs = tuple(running)
    # Flags first: a command that forks right now sees its flag after the fork.
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
