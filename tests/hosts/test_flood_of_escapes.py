"""A tool that floods escapes and rare characters, which take several times their size as text."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

from pagefault_doctor.model.command import Command, ResultStatus
from pagefault_doctor.model.event import CommandFinished, CommandStarted, Event
from pagefault_doctor.session.event_log import read_events
from terminal import open_terminal

LIMIT = Command(argv=("true",), tool="test").output_limit
PEAK = 350 << 20
"""Bytes of memory for one flood: its text at four bytes a character, its bytes, its JSON."""

UNIT = "\\033[31m\\360\\237\\230\\200" * 100
FLOOD = f"exec yes \"$(printf '{UNIT}')\""
RUN = (
    "import sys\nfrom pagefault_doctor.cli.main import main\n"
    "main(['run', '--quiet'])\nprint(open('/proc/self/status').read())"
)


def peak_in(status: str) -> int:
    """Return the most memory that a process had, in bytes, from its /proc/PID/status."""
    return next(
        int(line.split()[1]) << 10 for line in status.splitlines() if line.startswith("VmHWM")
    )


def flooding(program: Path) -> Path:
    """Write the program that floods, and return its path."""
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\n{FLOOD}\n")
    program.chmod(0o755)
    return program


def flooded(events: tuple[Event, ...]) -> list[CommandFinished]:
    return [
        event
        for event in events
        if isinstance(event, CommandFinished) and event.status is ResultStatus.OVERFLOW
    ]


def test_a_run_keeps_a_flood_up_to_its_limit(tmp_path: Path) -> None:
    program = flooding(tmp_path / "bin/dmesg")
    done = subprocess.run(
        (sys.executable, "-c", RUN),
        capture_output=True,
        text=True,
        check=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30)),
        env=os.environ
        | {"PATH": f"{program.parent}:{os.environ['PATH']}", "XDG_STATE_HOME": str(tmp_path)},
    )
    assert peak_in(done.stdout) < PEAK
    (session,) = (tmp_path / "pfdoctor/sessions").glob("*.jsonl")
    events = read_events(session)
    (finished,) = flooded(events)
    started = [e for e in events if isinstance(e, CommandStarted) and e.number == finished.number]
    assert started[0].argv == ("dmesg",)
    assert len(finished.output.encode()) == LIMIT
    # A backslash is two in JSON.
    assert session.stat().st_size < 1.5 * LIMIT


def test_the_wizard_keeps_a_flood_up_to_its_limit(tmp_path: Path) -> None:
    child = Path(__file__).parents[1] / "tui/wizard_child.py"
    session = tmp_path / "s.jsonl"
    argv = (sys.executable, str(child), str(session), str(flooding(tmp_path / "bin/flood")))
    with open_terminal(argv) as terminal:
        terminal.until(b"Next: ")
        terminal.type("\r")
        terminal.until(b"too much output")
        terminal.type("o")
        terminal.until(b"\\x1b[31m")
        assert peak_in(Path(f"/proc/{terminal.pid}/status").read_text()) < PEAK
        terminal.type("qq")
        terminal.until(b"session kept")
        assert terminal.wait() == 0
    assert [len(each.output.encode()) for each in flooded(read_events(session))] == [LIMIT]
    assert session.stat().st_size < 1.5 * LIMIT
