"""The wizard in a real terminal: what it sends there, how it leaves it, and when the line drops."""

from __future__ import annotations

import os
import re
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pagefault_doctor.model.event import CommandFinished, CommandStarted, SessionEnded
from pagefault_doctor.session.event_log import read_events
from processes import command_lines
from requirements import require_program
from terminal import Terminal, eventually, open_terminal

CHILD = Path(__file__).with_name("wizard_child.py")
LOG = Path(__file__).parents[1] / "klog/logs/x86_null_write.log"
STEP_BUDGET = 8000
RUNNING_BUDGET = 1000


@contextmanager
def _wizard(session: Path, *argv: str, **environ: str) -> Iterator[Terminal]:
    with open_terminal((sys.executable, str(CHILD), str(session), *argv), environ) as terminal:
        yield terminal


def _sleepers(marker: str) -> list[int]:
    return [pid for pid, line in command_lines().items() if line == f"sleep {marker}"]


def _child_is_gone(marker: str) -> bool:
    return not _sleepers(marker)


def test_it_sends_nothing_while_idle_and_little_for_a_step(tmp_path: Path) -> None:
    with _wizard(tmp_path / "s.jsonl", "true") as terminal:
        terminal.until(b"Next: run true")
        assert terminal.read(10.0) == b""
        terminal.type("\r")
        terminal.until(b"Next: step 2")
        terminal.type("\r")
        step = terminal.until(b"Next: run true")
        assert len(step) < STEP_BUDGET


def test_a_wide_terminal_shows_all_columns_before_the_first_key(tmp_path: Path) -> None:
    command = (sys.executable, "-m", "pagefault_doctor", "--log", str(LOG))
    with open_terminal(command, {"XDG_STATE_HOME": str(tmp_path)}, (120, 40)) as terminal:
        screen = terminal.until(b"Next: ")
        for heading in (b"Likely cause", b"Steps"):
            if heading not in screen:
                screen += terminal.until(heading)


def test_a_running_command_costs_less_than_a_kilobyte_a_second(tmp_path: Path) -> None:
    """Counted between two of the seconds that it shows, so that a slow machine changes nothing."""
    chatty = "i=0; while [ $i -lt 500 ]; do echo line $i of a chatty command; sleep 0.1; " \
        "i=$((i+1)); done"  # fmt: skip
    with _wizard(tmp_path / "s.jsonl", "sh", "-c", chatty) as terminal:
        terminal.until(b"Next: ")
        terminal.type("\r")
        _, first = _until_second(terminal, 2)
        said, last = _until_second(terminal, first + 4)
        assert b"of a chatty command" in said
        assert len(said) < (last - first + 1) * RUNNING_BUDGET
        terminal.type("qy")
        assert terminal.wait() == 0


def _until_second(terminal: Terminal, wanted: int) -> tuple[bytes, int]:
    """Return what comes until a command has run for so many seconds or more, and how many."""
    until = time.monotonic() + 60.0
    said = b""
    while time.monotonic() < until:
        said += terminal.read(0.02)
        for shown in re.findall(rb"running (\d+) s", said):
            if int(shown) >= wanted:
                return said, int(shown)
    raise AssertionError(said[-2000:])


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
        assert eventually(lambda: not _child_is_gone(marker), 20.0)
        if how == "hangup":
            terminal.hang_up()
        else:
            os.kill(terminal.pid, signal.SIGTERM)
        assert eventually(lambda: _child_is_gone(marker), 20.0)
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
        assert eventually(lambda: not _child_is_gone(marker), 20.0)
        terminal.type("c")
        assert eventually(lambda: _child_is_gone(marker), 20.0)
        terminal.until(b"cancelled")


@pytest.mark.parametrize("term", ["xterm-256color", "screen", "tmux-256color", "linux", "vt100"])
def test_it_starts_and_ends_on_any_terminal(tmp_path: Path, term: str) -> None:
    with _wizard(tmp_path / "s.jsonl", "true", TERM=term) as terminal:
        before = terminal.state()
        terminal.until(b"Next: run true")
        terminal.type("\r")
        terminal.until(b"Next: step 2")
        terminal.type("q")
        terminal.until(b"session kept")
        assert terminal.wait() == 0
        assert terminal.state() == before


def test_a_resize_while_a_command_runs_disturbs_neither(tmp_path: Path) -> None:
    with _wizard(tmp_path / "s.jsonl", "sh", "-c", "sleep 2; echo all said") as terminal:
        terminal.until(b"Next: ")
        terminal.type("\r")
        terminal.until(b"running")
        for size in ((60, 20), (120, 40), (80, 24)):
            terminal.resize(*size)
            terminal.read(0.2)
        terminal.until(b"Next: step 2")
        terminal.type("q")
        assert terminal.wait() == 0
    finished = [e for e in read_events(tmp_path / "s.jsonl") if isinstance(e, CommandFinished)]
    assert [event.output for event in finished] == ["all said\n"]


LEFT = (
    *(b"\x1b[?1049l", b"\x1b[?1000l", b"\x1b[?1003l", b"\x1b[?2004l", b"\x1b[?25h", b"\x1b[<u"),
)
"""What undoes each mode that the wizard sets."""


@pytest.mark.parametrize(
    "end",
    ["q", "SIGTERM", "SIGHUP", "a mistake of our own", "q after kill -9 of the command"],
)
@pytest.mark.parametrize("busy", [False, True], ids=["idle", "while a command runs"])
def test_the_terminal_is_as_before_after_any_end(tmp_path: Path, end: str, busy: bool) -> None:
    """Compare all that stty -a shows, and see that each mode is taken back."""
    marker = f"33{os.getpid() % 10000:04}"
    argv = ("raise",) if end == "a mistake of our own" else ("sh", "-c", f"exec sleep {marker}")
    with _wizard(tmp_path / "s.jsonl", *argv) as terminal:
        before, shown = terminal.state(), terminal.stty()
        said = terminal.until(b"Error" if argv == ("raise",) else b"Next: ")
        if (busy or "kill -9" in end) and argv != ("raise",):
            terminal.type("\r")
            said += terminal.until(b"running")
        if "kill -9" in end:
            assert eventually(lambda: bool(_sleepers(marker)), 20.0)
            for pid in _sleepers(marker):
                os.kill(pid, signal.SIGKILL)
            said += terminal.until(b"Next: ")
        if end.startswith("SIG"):
            os.kill(terminal.pid, getattr(signal, end))
        else:
            terminal.type("q")
            if busy and end == "q":
                said += terminal.until(b"still runs")
                terminal.type("y")
        said += terminal.until_end()
        assert terminal.state() == before
        assert terminal.stty() == shown
    assert _child_is_gone(marker)
    for sequence in LEFT:
        assert said.rfind(sequence) > said.rfind(sequence[:-1] + b"h") or sequence == LEFT[4]
        assert sequence in said
    assert said.rfind(b"\x1b[?25h") > said.rfind(b"\x1b[?25l")


@pytest.mark.parametrize(
    ("option", "environ", "never"),
    [
        ("--no-mouse", {}, rb"\x1b\[\?10(?:0[0-3]|0[56]|15)h"),
        ("--slow-link", {}, rb"\x1b\[\?10(?:0[0-3]|0[56]|15)h"),
        ("--ascii", {}, rb"[\x80-\xff]"),
        ("", {"NO_COLOR": "1"}, rb"\x1b\[(?:\d+;)*(?:3[0-8]|4[0-8]|9\d|10\d)(?:;\d+)*m"),
    ],
    ids=["--no-mouse", "--slow-link", "--ascii", "NO_COLOR"],
)
def test_what_is_not_wanted_is_never_sent(
    tmp_path: Path, option: str, environ: dict[str, str], never: bytes
) -> None:
    options = (option,) if option else ()
    with _wizard(tmp_path / "s.jsonl", *options, "true", **environ) as terminal:
        said = terminal.until(b"Next: run true")
        terminal.type("\r")
        said += terminal.until(b"Next: step 2")
        terminal.type("d")
        said += terminal.read(0.5)
        terminal.type("qq")
        said += terminal.until(b"session kept")
        assert terminal.wait() == 0
    assert re.search(never, said) is None


@pytest.mark.parametrize("size", [(80, 24), (60, 20)], ids=["80x24", "60x20"])
@pytest.mark.parametrize("program", ["tmux", "screen"])
def test_inside_a_multiplexer_it_is_shown_and_leaves_the_screen_as_it_was(
    tmp_path: Path, program: str, size: tuple[int, int]
) -> None:
    wizard = (sys.executable, str(CHILD), str(tmp_path / "s.jsonl"), "true")
    multiplexer = (
        (require_program("tmux"), "-S", str(tmp_path / "tmux"), "-f", "/dev/null", "new-session")
        if program == "tmux"
        else (require_program("screen"), "-c", "/dev/null", "-m")
    )
    (tmp_path / "screens").mkdir(mode=0o700)
    environ = {"SCREENDIR": str(tmp_path / "screens"), "LC_ALL": "C.UTF-8", "TMUX": "", "STY": ""}
    with open_terminal((*multiplexer, *wizard), environ, size) as terminal:
        before = terminal.state()
        assert b"step first" in terminal.until(b"run true")
        terminal.type("\r")
        terminal.until(b"second.")
        terminal.type("q")
        terminal.wait(20)
        assert terminal.state() == before
    assert isinstance(read_events(tmp_path / "s.jsonl")[-1], SessionEnded)
