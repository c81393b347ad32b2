"""A guard that ends a command's process group when pfdoctor itself is killed.

After kill -9 none of our code can run. So a small shell waits on a pipe whose other end only we
have open: a line on it means that all is well, end of file means that we are gone. It starts before
the command, which sends it its own group, so that no moment is unguarded.
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
    """A guard that waits for the number of the group to watch."""

    def __init__(self, pipe: int | None) -> None:
        self._pipe = pipe

    def watch(self, group: int) -> None:
        """Send the guard the process group that must not outlive us."""
        if self._pipe is not None:
            with contextlib.suppress(OSError):
                os.write(self._pipe, f"{group}\n".encode())

    def watch_self(self) -> None:
        """Send the guard the group of this process, a child that is about to run a command.

        It must lead its group. A guard that somebody killed does not end the child: SIGPIPE is
        ignored for the write, and restored, because exec would pass it on to the command.
        """
        before = signal.signal(signal.SIGPIPE, signal.SIG_IGN)
        self.watch(os.getpid())
        signal.signal(signal.SIGPIPE, before)


@contextlib.contextmanager
def guarded(file: Path | None = None) -> Iterator[Guard]:
    """Within this context, make sure that the guarded group does not outlive us.

    The same holds for `file`, such as a socket, and its folder, which holds nothing else. A machine
    that cannot start the guard (no shell, no memory) runs the command without one.
    """
    try:
        guard = subprocess.Popen(
            ("/bin/sh", "-c", script("hosts/guard.sh"), "sh", str(file or "")),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            # Signals to our group, such as Ctrl-C, must not end the guard.
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
            # Two lines: if no group was sent, the first is read in its place.
            guard.communicate(b"done\ndone\n")
