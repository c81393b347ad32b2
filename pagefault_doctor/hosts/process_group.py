"""The processes of the running commands, and how to end them: their group, and who left it."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path
from typing import Final

from pagefault_doctor.hosts import marked

GRACE: Final = 2.0
"""Seconds between SIGTERM and SIGKILL."""

POLL: Final = 0.02

ROUNDS: Final = 10
"""How often SIGKILL is sent at most: a process may fork while the others are being found."""


class ProcessGroup:
    """A running command. `group` is None until after the fork; `ended` asks the run to end it.

    A signal handler may run during the fork, where Python discards exceptions of handlers. So the
    handler sets a flag, which the run checks as soon as it can. `mark` is that of its processes, so
    that those are found which left the group.
    """

    def __init__(self, mark: str) -> None:
        self.group: int | None = None
        self.mark = mark
        self.ended = False

    @property
    def alive(self) -> bool:
        """Whether it is being started, or one of its processes still runs, in its group or not."""
        if self.group is None:
            return self in running
        return alive(self.group) or marked.any_marked(self.mark)

    def send(self, number: signal.Signals) -> None:
        """Send a signal to its processes, in its group or not."""
        if self.group is not None:
            send(self.group, number)
            marked.send(self.mark, number, self.group)


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
    # Without /proc, zombies cannot be recognised.
    if not os.path.exists("/proc/self/stat"):
        return True
    try:
        return any(_group_and_state(entry) == (group, True) for entry in marked.processes())
    except OSError:
        return True


def _group_and_state(process: str) -> tuple[int, bool]:
    """Return the process group and whether it is alive, from /proc/PID/stat (proc(5))."""
    try:
        stat = Path(process, "stat").read_bytes()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return 0, False  # It has ended, or is hidden because it is another user's.
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
    for run in runs:
        run.send(signal.SIGTERM)
    until = time.monotonic() + grace
    while any(run.alive for run in runs) and time.monotonic() < until:
        time.sleep(POLL)
    for _ in range(ROUNDS):
        for run in runs:
            run.send(signal.SIGKILL)
        if not any(run.alive for run in runs):
            return
        time.sleep(POLL)
