"""A terminal that sends noise, floods or nothing, takes nothing, or has no size."""

from __future__ import annotations

import os
import pty
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pagefault_doctor.model.event import LogRead, SessionEnded
from pagefault_doctor.session.event_log import read_events
from processes import default_signals
from terminal import Terminal, eventually, open_terminal

CHILD = Path(__file__).with_name("wizard_child.py")
LOG = Path(__file__).parents[1] / "klog/logs/x86_null_write.log"
END = b"\x1b[?1049l"


@contextmanager
def _wizard(
    session: Path, *argv: str, size: tuple[int, int] = (80, 24), **environ: str
) -> Iterator[Terminal]:
    command = (sys.executable, str(CHILD), str(session), *argv)
    with open_terminal(command, environ, size) as terminal:
        yield terminal


def _leave(terminal: Terminal, session: Path) -> None:
    """Quit with `q`, and see that the terminal and the session are whole."""
    terminal.type("q")
    said = terminal.until_end()
    assert terminal.code == 0, said[-500:]
    assert END in said
    assert b"Traceback" not in said
    last = read_events(session)[-1]
    assert isinstance(last, SessionEnded)
    assert last.reason == "quit"


@pytest.mark.parametrize(
    "bad",
    [
        *(b"\xfc", b"\xe2\x82", b"\x1b[99999999u", b"\x1b[97;1;99999999u", b"\x1b[55296;;55296u"),
        *(b"\x1b[48;0;0;0;0t\x1b[<35;5;5M", b"\x1b[48;99999;99999;1;1t", b"\x1b[<35;-9;99999999M"),
        *(
            b"\x1b]11;rgb:0/0/0\x1b\\",
            b"\x1b[?2048;1$y",
            b"\x1b[200~no end",
            b"\x1b[" + b"9" * 9000,
        ),
    ],
    ids=lambda bad: repr(bad[:20]),
)
def test_what_no_key_sends_does_not_end_the_wizard(tmp_path: Path, bad: bytes) -> None:
    session = tmp_path / "s.jsonl"
    with _wizard(session, "true") as terminal:
        before = terminal.state()
        terminal.until(b"Next: run true")
        terminal.send(bad)
        if b"200~" in bad or len(bad) > 256:
            terminal.until(b"Paste a kernel log below")
            terminal.type("\x1b")
            terminal.until(b"Next: run true")
        terminal.type("\r")
        terminal.until(b"Next: step 2")
        _leave(terminal, session)
        assert terminal.state() == before


def test_on_a_line_with_noise_the_walk_goes_on(tmp_path: Path) -> None:
    """Noise may press any key. So it quits where it must, and is told from keys by what it is."""
    noise = random.Random(5)
    parts = (
        b"\x1b",
        b"\x1b[",
        b"\x1bO",
        b"\x1b[1;",
        b"\x1b]0;",
        b"\x00",
        b"\x11",
        b"\x13",
        b"\x9b",
    )
    session = tmp_path / "s.jsonl"
    with _wizard(session, "true") as terminal:
        before = terminal.state()
        terminal.until(b"Next: run true")
        for _ in range(300):
            high = bytes(noise.randrange(0x80, 0x100) for _ in range(noise.randrange(6)))
            piece = b"".join(noise.choices(parts, k=noise.randrange(4))) + high
            terminal.send(piece)
            terminal.read(0.005 if noise.random() < 0.95 else 0.2)
        terminal.read(0.5)
        terminal.type("\x1b")
        terminal.read(0.5)
        terminal.type("\r")
        terminal.until(b"Next: step 2")
        _leave(terminal, session)
        assert terminal.state() == before


@pytest.mark.parametrize(
    "flood",
    [
        *(b"\x1b[31m" * 20_000, b"\x1b" * 100_000, b"\x1b[A" * 33_000, b"\x1b[<35;9;9M" * 9000),
        b"\x1b[200~" + b"\x1b[31m" * 20_000 + b"\x1b[201~",
        b"\x1b[200~" + b"[  1.0] a line \x1b[31m of a log\r" * 50_000 + b"\x1b[201~",
        b"quit\r" * 20_000,
    ],
    ids=["colours", "escapes", "arrows", "mouse", "pasted colours", "pasted log", "unmarked paste"],
)
def test_a_flood_does_not_hold_up_the_wizard(tmp_path: Path, flood: bytes) -> None:
    session = tmp_path / "s.jsonl"
    with _wizard(session, "true") as terminal:
        terminal.until(b"Next: run true")
        began = _seconds_of(terminal.pid)
        terminal.send(flood)
        if b"\r" in flood or b"200~" in flood:
            terminal.until(b"too many to show")
            terminal.type("\x1b")
        terminal.read(1.0)
        terminal.type("\r")
        terminal.until(b"Next: step 2")
        # Of the processor, not of the clock: other work on the machine does not count.
        assert _seconds_of(terminal.pid) - began < 8.0
        assert _peak_of(terminal.pid) < 150 << 20
        _leave(terminal, session)


def _seconds_of(pid: int) -> float:
    """Return the processor time of a process (proc(5))."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _peak_of(pid: int) -> int:
    """Return the most memory that a process had, in bytes."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmHWM"))


def test_a_large_paste_is_read_without_being_laid_out(tmp_path: Path) -> None:
    session = tmp_path / "s.jsonl"
    with _wizard(session, "true") as terminal:
        terminal.until(b"Next: run true")
        chatter = b"".join(b"[    0.%06d] usb 1-1: new device\r" % n for n in range(4000))
        log = LOG.read_bytes().replace(b"\n", b"\r")
        terminal.send(b"\x1b[200~" + chatter + log + b"\x1b[201~")
        terminal.until(b"too many to show")
        terminal.type("\t")
        terminal.until(b"Read ")
        _leave(terminal, session)
    (read,) = (event for event in read_events(session) if isinstance(event, LogRead))
    assert "NULL pointer" in str(read.log.reports)
    assert read.log.lines > 4000


@pytest.mark.parametrize(
    "size", [(0, 0), (1, 1), (3, 2), (20, 5), (65535, 1), (1, 65535), (65535, 65535)], ids=str
)
def test_any_size_of_the_terminal_will_do(tmp_path: Path, size: tuple[int, int]) -> None:
    session = tmp_path / "s.jsonl"
    with _wizard(session, "true", size=size) as terminal:
        before = terminal.state()
        terminal.until(b"\x1b[?25l")
        terminal.resize(*size)
        terminal.read(1.0)
        assert _peak_of(terminal.pid) < 400 << 20
        terminal.resize(90, 26)
        terminal.until(b"Next: run true")
        _leave(terminal, session)
        assert terminal.state() == before


def test_a_storm_of_resizes_ends_with_the_last_size(tmp_path: Path) -> None:
    session = tmp_path / "s.jsonl"
    with _wizard(session, "true") as terminal:
        terminal.until(b"Next: run true")
        for number in range(200):
            terminal.resize(20 + number % 100, 5 + number % 40)
        terminal.resize(0, 0)
        terminal.resize(80, 24)
        terminal.read(1.0)
        terminal.type("\r")
        terminal.until(b"Next: step 2")
        _leave(terminal, session)


@pytest.mark.parametrize("signals", [("SIGSTOP", "SIGCONT"), ("SIGCONT",), ("SIGTSTP", "SIGCONT")])
def test_stopped_and_continued_it_restores_the_first_settings(
    tmp_path: Path, signals: tuple[str, ...]
) -> None:
    session = tmp_path / "s.jsonl"
    with _wizard(session, "true") as terminal:
        before = terminal.state()
        terminal.until(b"Next: run true")
        for name in signals:
            os.kill(terminal.pid, getattr(signal, name))
            terminal.read(0.7)
        terminal.type("\r")
        terminal.until(b"Next: step 2")
        _leave(terminal, session)
        assert terminal.state() == before


def test_without_TERM_it_is_shown(tmp_path: Path) -> None:
    session = tmp_path / "s.jsonl"
    with _wizard(session, "true", TERM="") as terminal:
        terminal.until(b"Next: run true")
        _leave(terminal, session)


def test_with_output_in_a_file_it_has_the_size_of_the_terminal(tmp_path: Path) -> None:
    words = " ".join((sys.executable, str(CHILD), str(tmp_path / "s.jsonl"), "true"))
    command = ("/bin/sh", "-c", f"exec {words} >{tmp_path}/out")
    with open_terminal(command, {}, (120, 40)) as terminal:
        # The last line of the screen, which is where the keys are.
        said = terminal.until(b"Next: run true")
        assert b"\x1b[40;1H" in said
        _leave(terminal, tmp_path / "s.jsonl")


@pytest.mark.parametrize("busy", [False, True], ids=["idle", "while a command runs"])
def test_a_terminal_that_is_gone_without_a_word_is_a_hangup(tmp_path: Path, busy: bool) -> None:
    """It is not the controlling terminal, so there is no SIGHUP: reading it fails."""
    ours, theirs = pty.openpty()
    marker = f"34{os.getpid() % 10000:04}"
    argv = (sys.executable, str(CHILD), str(tmp_path / "s.jsonl"), "sleep", marker)
    with subprocess.Popen(
        argv, stdin=theirs, stderr=theirs, start_new_session=True, preexec_fn=default_signals
    ) as wizard:
        os.close(theirs)
        terminal = Terminal(wizard.pid, ours)
        terminal.until(b"Next: ")
        if busy:
            terminal.type("\r")
            terminal.until(b"running")
        terminal.hang_up()
        assert wizard.wait(60) == 129
    last = read_events(tmp_path / "s.jsonl")[-1]
    assert isinstance(last, SessionEnded)
    assert last.reason == "hangup"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1])
def test_a_terminal_that_takes_nothing_does_not_keep_it_from_ending(
    tmp_path: Path, number: signal.Signals
) -> None:
    session = tmp_path / "s.jsonl"
    with _wizard(session, "true") as terminal:
        terminal.until(b"Next: run true")
        for number_of_lines in range(300):
            # Nothing is read, so that the output soon waits.
            terminal.resize(80 + number_of_lines % 60, 24 + number_of_lines % 20)
            time.sleep(0.01)
        os.kill(terminal.pid, number)

        def has_ended() -> bool:
            terminal.poll()
            return terminal.code is not None

        assert eventually(has_ended, 60.0)
        assert terminal.code == 128 + number
    last = read_events(session)[-1]
    assert isinstance(last, SessionEnded)


def test_another_program_makes_the_terminal_non_blocking(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    argv = (sys.executable, str(CHILD), str(tmp_path / "s.jsonl"), "true")
    with subprocess.Popen(
        argv, stdin=theirs, stderr=theirs, start_new_session=True, preexec_fn=default_signals
    ) as wizard:
        terminal = Terminal(wizard.pid, ours)
        os.set_blocking(theirs, False)
        terminal.until(b"Next: run true")
        for number in range(60):
            terminal.resize(80 + number, 24 + number % 20)
            time.sleep(0.02)
        terminal.resize(80, 24)
        terminal.read(1.0)
        terminal.type("\r")
        terminal.until(b"Next: step 2")
        terminal.type("q")
        terminal.until(b"session kept")
        assert wizard.wait(60) == 0
        terminal.hang_up()
    os.close(theirs)
