"""A guard that ends a command's process group when pfdoctor itself dies without a word.

After kill -9 nothing of ours can run any more. So a small shell waits on a pipe whose other end
only we hold: a line on it means that all is well, its end means that we are gone. It is there
before the command is, which tells it its own group, so that no moment is without a guard.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

from pagefault_doctor.hosts.script import script


class Guard:
    """A guard that waits for the group it is to watch over."""

    def __init__(self, pipe: int | None) -> None:
        self._pipe = pipe

    def watch(self, group: int) -> None:
        """Tell the guard which process group shall not outlive us."""
        if self._pipe is not None:
            with contextlib.suppress(OSError):
                os.write(self._pipe, f"{group}\n".encode())

    def watch_self(self) -> None:
        """Tell the guard to watch over the group of this process, a child that will run a command.

        It must lead its group. A guard that is gone, killed by somebody, does not end the child.
        """
        before = signal.signal(signal.SIGPIPE, signal.SIG_IGN)
        self.watch(os.getpid())
        signal.signal(signal.SIGPIPE, before)


@contextlib.contextmanager
def guarded(file: Path | None = None) -> Iterator[Guard]:
    """While this lasts, see that the group the guard is told does not outlive us.

    Nor shall the `file`, such as a socket of its own, and the folder that holds nothing else.
    A box that cannot start the guard (no shell, no memory) runs the command without one.
    """
    try:
        guard = subprocess.Popen(
            ("/bin/sh", "-c", script("hosts/guard.sh"), "sh", str(file or "")),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            start_new_session=True,
        )
    except OSError:
        yield Guard(None)
        return
    assert guard.stdin is not None
    try:
        yield Guard(guard.stdin.fileno())
    finally:
        with contextlib.suppress(OSError):
            # Two lines: the first takes the place of a group that was never told.
            guard.communicate(b"done\ndone\n")
