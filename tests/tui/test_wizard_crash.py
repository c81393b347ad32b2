"""A mistake of our own, or a signal: the terminal, the commands and the session afterwards."""

from __future__ import annotations

import os
import signal
import stat
import sys
import time
from pathlib import Path

import pytest

from pagefault_doctor.model.event import CommandStarted, SessionEnded
from pagefault_doctor.session.event_log import read_events
from pagefault_doctor.tui.trace import keep_trace
from processes import running
from terminal import eventually, open_terminal

CHILD = Path(__file__).with_name("wizard_child.py")
UI = "pagefault_doctor.tui"

MISTAKES = {
    "at the start": (f"{UI}.app:WizardApp.on_mount", ""),
    "composing a screen": (f"{UI}.screens.viewers:HelpScreen.compose", "?"),
    "drawing": (f"{UI}.screens.viewers:HelpScreen.render", "?"),
    "in an action": (f"{UI}.screens.step:StepScreen.action_explain", "?"),
    "in a handler": (f"{UI}.screens.page:PageScreen.on_key", "?"),
    "in a timer": (f"{UI}.app:WizardApp._ticked", "\r"),
    "reading the terminal": (f"{UI}.terminal_input:TerminalInput.feed", "?"),
    "laying out": (f"{UI}.widgets.row_view:RowView.on_resize", ""),
}


@pytest.mark.parametrize(("mistake", "key"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_one_line_and_a_file(tmp_path: Path, mistake: str, key: str) -> None:
    session = tmp_path / "s.jsonl"
    marker = f"35{os.getpid() % 10000:04}"
    argv = (sys.executable, str(CHILD), str(session), f"--fail={mistake}", "sleep", marker)
    with open_terminal(argv) as terminal:
        before = terminal.state()
        said = b""
        if key:
            said = terminal.until(b"Next: ")
            terminal.type(key)
        said += terminal.until_end()
        assert terminal.state() == before
    assert terminal.code == 1
    told = said[said.rindex(b"\x1b[?1049l") :].rpartition(b"pfdoctor: ")
    assert told[2].decode().strip() == (
        "stopped by an error of its own (RuntimeError: a mistake of our own); "
        f"its trace is in {tmp_path / 's.trace'}; pfdoctor resume s goes on"
    )
    assert said.count(b"pfdoctor: ") == 1
    assert b"Traceback" not in said
    trace = tmp_path / "s.trace"
    assert stat.S_IMODE(trace.stat().st_mode) == 0o600
    assert trace.read_text().rstrip().endswith("RuntimeError: a mistake of our own")
    last = read_events(session)[-1]
    assert isinstance(last, SessionEnded)
    assert last.reason == "failed"
    assert eventually(lambda: not running(f"sleep {marker}"), 20.0)


def test_the_trace_of_a_second_mistake_follows_the_first(tmp_path: Path) -> None:
    for name in ("first", "second\x1b[31m"):
        assert str(tmp_path) in keep_trace(ValueError(name), tmp_path, "s")
    text = (tmp_path / "s.trace").read_text()
    assert text.index("first") < text.index("second\\x1b[31m")


def test_a_trace_is_not_written_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "s.trace").symlink_to(tmp_path / "elsewhere")
    assert "cannot be written" in keep_trace(ValueError("x"), tmp_path, "s")
    assert not (tmp_path / "elsewhere").exists()


SIGNALS = (
    *("SIGINT", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGALRM", "SIGVTALRM", "SIGPROF", "SIGXCPU"),
    *("SIGIO", "SIGPWR", "SIGTERM"),
)


@pytest.mark.parametrize("name", SIGNALS)
def test_a_signal_that_ends_a_program_leaves_all_in_order(tmp_path: Path, name: str) -> None:
    session = tmp_path / "s.jsonl"
    marker = f"36{os.getpid() % 10000:04}"
    with open_terminal((sys.executable, str(CHILD), str(session), "sleep", marker)) as terminal:
        before = terminal.state()
        terminal.until(b"Next: ")
        terminal.type("\r")
        terminal.until(b"running")
        assert eventually(lambda: bool(running(f"sleep {marker}")), 20.0)
        os.kill(terminal.pid, getattr(signal, name))
        said = terminal.until_end()
        assert terminal.state() == before
    assert terminal.code == 128 + getattr(signal, name)
    assert b"\x1b[?1049l" in said
    assert b"pfdoctor resume s" in said
    assert eventually(lambda: not running(f"sleep {marker}"), 20.0)
    events = read_events(session)
    assert any(isinstance(event, CommandStarted) for event in events)
    assert isinstance(events[-1], SessionEnded)
    assert events[-1].reason == "terminated"


def test_terminated_and_continued_it_ends_and_does_not_set_the_terminal_up_again(
    tmp_path: Path,
) -> None:
    """As timeout(1) and systemd do it; SIGCONT comes at whatever moment of the end."""
    with open_terminal((sys.executable, str(CHILD), str(tmp_path / "s.jsonl"), "true")) as terminal:
        before = terminal.state()
        terminal.until(b"Next: ")
        os.kill(terminal.pid, signal.SIGTERM)
        said = b""
        until = time.monotonic() + 60
        while terminal.code is None and time.monotonic() < until:
            os.kill(terminal.pid, signal.SIGCONT)
            said += terminal.read(0.01)
            terminal.poll()
        assert terminal.code == 128 + signal.SIGTERM
        assert b"\x1b[?1049h" not in said
        assert terminal.state() == before
