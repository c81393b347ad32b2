"""The wizard in a real terminal: what it sends there, how it leaves it, and when the line drops."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pagefault_doctor.model.event import CommandStarted, SessionEnded
from pagefault_doctor.session.event_log import read_events

CHILD = Path(__file__).with_name("wizard_child.py")
STEP_BUDGET = 8000
RUNNING_BUDGET = 1000


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

    def until(self, wanted: bytes, seconds: float = 15.0) -> bytes:
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

    def hang_up(self) -> None:
        """Drop the line."""
        os.close(self._descriptor)
        self._descriptor = -1

    def wait(self, seconds: float = 10.0) -> int:
        """Return the exit code once the wizard has ended."""
        until = time.monotonic() + seconds
        while self.code is None:
            assert time.monotonic() < until, "the wizard did not end"
            if self._descriptor >= 0:
                self.read(0.05)
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.code = os.waitstatus_to_exitcode(status)
            time.sleep(0.01)
        return self.code

    def end(self) -> None:
        """End the wizard if it still runs."""
        if self.code is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        if self._descriptor >= 0:
            os.close(self._descriptor)


@contextmanager
def _wizard(session: Path, *argv: str) -> Iterator[Terminal]:
    pid, descriptor = pty.fork()
    if pid == 0:
        os.environ["TERM"] = "xterm-256color"
        os.execv(sys.executable, [sys.executable, str(CHILD), str(session), *argv])
    fcntl.ioctl(descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    terminal = Terminal(pid, descriptor)
    try:
        yield terminal
    finally:
        terminal.end()


def _eventually(condition: Callable[[], bool], seconds: float) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if condition():
            return True
        time.sleep(0.05)
    return False


def _child_is_gone(marker: str) -> bool:
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if entry.read_bytes() == f"sleep\0{marker}\0".encode():
                return False
        except OSError:
            continue
    return True


def test_it_sends_nothing_while_idle_and_little_for_a_step(tmp_path: Path) -> None:
    with _wizard(tmp_path / "s.jsonl", "true") as terminal:
        terminal.until(b"Next: run true")
        assert terminal.read(3.0) == b""
        terminal.type("\r")
        terminal.until(b"Next: step 2")
        terminal.type("\r")
        step = terminal.until(b"Next: run true")
        assert len(step) < STEP_BUDGET


def test_a_running_command_costs_less_than_a_kilobyte_a_second(tmp_path: Path) -> None:
    chatty = "i=0; while [ $i -lt 60 ]; do echo line $i of a chatty command; sleep 0.1; " \
        "i=$((i+1)); done"  # fmt: skip
    with _wizard(tmp_path / "s.jsonl", "sh", "-c", chatty) as terminal:
        terminal.until(b"Next: ")
        terminal.type("\r")
        terminal.until(b"Esc")
        assert len(terminal.read(4.0)) < 4 * RUNNING_BUDGET


def test_q_restores_the_terminal(tmp_path: Path) -> None:
    with _wizard(tmp_path / "s.jsonl", "true") as terminal:
        terminal.until(b"Next: run true")
        terminal.type("q")
        data = terminal.until(b"session kept")
        for sequence in (b"\x1b[?1049l", b"\x1b[?1000l", b"\x1b[?1003l", b"\x1b[?25h", b"\x1b[<u"):
            assert sequence in data
        assert terminal.wait() == 0
    last = read_events(tmp_path / "s.jsonl")[-1]
    assert isinstance(last, SessionEnded)
    assert last.reason == "quit"


@pytest.mark.parametrize("how", ["hangup", "terminated"])
def test_a_drop_or_a_kill_ends_the_children_and_keeps_the_session(tmp_path: Path, how: str) -> None:
    marker = f"31{os.getpid() % 10000:04}"
    script = f"trap '' HUP; sleep {marker} & sleep {marker}"
    with _wizard(tmp_path / "s.jsonl", "bash", "-c", script) as terminal:
        terminal.until(b"Next: ")
        terminal.type("\r")
        terminal.until(b"running")
        assert _eventually(lambda: not _child_is_gone(marker), 5.0)
        if how == "hangup":
            terminal.hang_up()
        else:
            os.kill(terminal.pid, signal.SIGTERM)
        assert _eventually(lambda: _child_is_gone(marker), 3.0)
        assert terminal.wait() == (129 if how == "hangup" else 143)
    events = read_events(tmp_path / "s.jsonl")
    assert any(isinstance(event, CommandStarted) for event in events)
    assert isinstance(events[-1], SessionEnded)
    assert events[-1].reason == how


def test_escape_leaves_no_process_of_the_group(tmp_path: Path) -> None:
    marker = f"32{os.getpid() % 10000:04}"
    with _wizard(
        tmp_path / "s.jsonl", "bash", "-c", f"sleep {marker} & sleep {marker}"
    ) as terminal:
        terminal.until(b"Next: ")
        terminal.type("\r")
        terminal.until(b"running")
        assert _eventually(lambda: not _child_is_gone(marker), 5.0)
        terminal.type("c")
        assert _eventually(lambda: _child_is_gone(marker), 4.0)
        terminal.until(b"cancelled")
