"""Guards that end processes and remove folders when pfdoctor itself is killed.

After kill -9 none of our code can run. So a small shell waits on a pipe whose other end only we
have open: end of file means that we are gone. It starts before what it guards, so that no moment is
unguarded.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from pagefault_doctor.hosts.marked import unmarked_environment
from pagefault_doctor.hosts.program import environment
from pagefault_doctor.hosts.script import script
from pagefault_doctor.model import untrusted
from pagefault_doctor.model.errors import PfDoctorError

_REMEDY: Final = "set TMPDIR to a folder of yours"


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
def guarded(mark: str) -> Iterator[Guard]:
    """Within this context, make sure that the guarded group does not outlive us.

    The same holds for all processes with this mark. A machine that cannot start the guard (no
    shell, no memory) runs the command without one.
    """
    scripts = ("hosts/end_marked.sh", "hosts/guard.sh")
    try:
        guard = _start(scripts, (mark,), subprocess.DEVNULL)
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


def folder_guard(folder: Path, *scripts: str, words: tuple[str, ...]) -> subprocess.Popen[bytes]:
    """Start the guard of a new private folder; return it once it has made the folder.

    The scripts of this package for sh, with `$folder` and the words, have to remove the folder when
    their input ends. So it never exists without a guard. Raises PfDoctorError if it cannot be made.
    """
    try:
        guard = _start(("hosts/make_folder.sh", *scripts), (str(folder), *words), subprocess.PIPE)
    except OSError as error:
        raise PfDoctorError(f"no folder to work in: {error.strerror}", _REMEDY) from error
    assert guard.stdin
    assert guard.stdout
    with guard.stdout as output:
        message = untrusted.decode(output.readline()).strip()
    if message != "made":
        guard.stdin.close()
        guard.wait()
        raise PfDoctorError(f"no folder to work in: {message}", _REMEDY)
    return guard


def _start(
    scripts: tuple[str, ...], words: tuple[str, ...], output: int
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        ("/bin/sh", "-c", script(*scripts), "sh", *words),
        stdin=subprocess.PIPE,
        stdout=output,
        stderr=subprocess.STDOUT,
        cwd="/",
        env=unmarked_environment() | {"PATH": environment()["PATH"]},
        # Signals to our group, such as Ctrl-C, must not end the guard.
        start_new_session=True,
    )
