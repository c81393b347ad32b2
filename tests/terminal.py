"""A terminal for a program under test: a pty that can type and read."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from processes import default_signals

_TIOCGPTN = 0x80045430
"""Which terminal is at the other end (asm-generic/ioctls.h)."""


class Terminal:
    """The other end of the wizard's terminal."""

    def __init__(self, pid: int, descriptor: int) -> None:
        self.pid = pid
        self._descriptor = descriptor
        self.code: int | None = None

    def read(self, seconds: float) -> bytes:
        """Return all that comes within a time."""
        until = time.monotonic() + seconds
        data = b""
        while (left := until - time.monotonic()) > 0:
            if select.select([self._descriptor], [], [], left)[0]:
                try:
                    data += os.read(self._descriptor, 65536)
                except OSError:
                    break
        return data

    def until(self, wanted: bytes, seconds: float = 60.0) -> bytes:
        """Return all that comes up to some bytes."""
        until = time.monotonic() + seconds
        data = b""
        while wanted not in data:
            assert time.monotonic() < until, data[-2000:]
            data += self.read(0.05)
        return data + self.read(0.3)

    def type(self, keys: str) -> None:
        """Send keys."""
        os.write(self._descriptor, keys.encode())

    def send(self, data: bytes, seconds: float = 60.0) -> bytes:
        """Send any bytes, as fast as they are taken, and return all that comes meanwhile."""
        until = time.monotonic() + seconds
        came = b""
        while data:
            assert time.monotonic() < until, "the terminal's input is not taken"
            readable, writable, _ = select.select([self._descriptor], [self._descriptor], [], 1.0)
            if readable:
                came += os.read(self._descriptor, 65536)
            if writable:
                # So few always fit; a write that waits would never read what comes.
                data = data[os.write(self._descriptor, data[:256]) :]
        return came

    def resize(self, columns: int, lines: int) -> None:
        """Change the size of the terminal, as dragging a window does."""
        size = struct.pack("HHHH", lines, columns, 0, 0)
        fcntl.ioctl(self._descriptor, termios.TIOCSWINSZ, size)
        os.kill(self.pid, signal.SIGWINCH)

    def state(self) -> list[object]:
        """Return the settings of the terminal line (termios(3))."""
        return list(termios.tcgetattr(self._descriptor))

    def stty(self) -> str:
        """Return what `stty -a` prints about the line, without the size of the screen."""
        number = fcntl.ioctl(self._descriptor, _TIOCGPTN, struct.pack("I", 0))
        argv = ["stty", "-a", "-F", f"/dev/pts/{struct.unpack('I', number)[0]}"]
        said = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
        return said.partition("line =")[2]

    def hang_up(self) -> None:
        """Drop the line."""
        os.close(self._descriptor)
        self._descriptor = -1

    def wait(self, seconds: float = 60.0) -> int:
        """Return the exit code once the wizard has ended."""
        self.until_end(seconds)
        assert self.code is not None
        return self.code

    def until_end(self, seconds: float = 60.0) -> bytes:
        """Return all that comes until the wizard has ended."""
        until = time.monotonic() + seconds
        data = b""
        while self.code is None:
            assert time.monotonic() < until, "the wizard did not end"
            if self._descriptor >= 0:
                data += self.read(0.05)
            self.poll()
            time.sleep(0.01)
        return data + self.read(0.05) if self._descriptor >= 0 else data

    def poll(self) -> None:
        """Set `code` if the program has ended."""
        pid, status = os.waitpid(self.pid, os.WNOHANG)
        if pid:
            self.code = os.waitstatus_to_exitcode(status)

    def end(self) -> None:
        """End the wizard if it still runs."""
        if self.code is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        if self._descriptor >= 0:
            os.close(self._descriptor)


@contextmanager
def open_terminal(
    argv: Sequence[str],
    environ: Mapping[str, str] | None = None,
    size: tuple[int, int] = (80, 24),
) -> Iterator[Terminal]:
    """Run a program in a terminal of this size; end it when the context ends, if it still runs."""
    pid, descriptor = pty.fork()
    if pid == 0:
        default_signals()
        environment = {**os.environ, "TERM": "xterm-256color", **(environ or {})}
        # Some runners of tests set these; the size is the terminal's own.
        environment = {k: v for k, v in environment.items() if k not in ("COLUMNS", "LINES")}
        os.execve(argv[0], list(argv), environment)
    fcntl.ioctl(descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
    terminal = Terminal(pid, descriptor)
    try:
        yield terminal
    finally:
        terminal.end()


def eventually(condition: Callable[[], bool], seconds: float) -> bool:
    """Return whether the condition comes true within a time."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if condition():
            return True
        time.sleep(0.05)
    return False
