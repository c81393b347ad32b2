"""kill -9 in the middle of a command: nothing that had finished is lost, nothing keeps running."""

from __future__ import annotations

import os
import signal
import stat
import sys
from pathlib import Path

from pagefault_doctor.model.event import CommandFinished, CommandStarted, SessionResumed
from pagefault_doctor.session.event_log import read_events
from processes import running
from terminal import eventually, open_terminal

PFDOCTOR = (sys.executable, "-m", "pagefault_doctor")

SLEEP = f"sleep 4711.{os.getpid()}"
HANG = f"#!/bin/sh\necho hanging on purpose\n{SLEEP} &\n{SLEEP}\n"
"""Stands in for a journalctl that hangs, as one on a dying disk does."""


def environ(tmp_path: Path) -> dict[str, str]:
    programs = tmp_path / "bin"
    programs.mkdir()
    journalctl = programs / "journalctl"
    journalctl.write_text(HANG)
    journalctl.chmod(journalctl.stat().st_mode | stat.S_IXUSR)
    return {
        "PATH": f"{programs}:{os.environ['PATH']}",
        "XDG_STATE_HOME": str(tmp_path / "state"),
    }


def test_after_kill_9_the_walk_goes_on_at_the_same_step(tmp_path: Path) -> None:
    environment = environ(tmp_path)
    with open_terminal(PFDOCTOR, environment) as terminal:
        terminal.until(b"1 of 7")
        terminal.type("\r")
        assert eventually(lambda: len(running(SLEEP)) >= 2, 30.0)
        os.kill(terminal.pid, signal.SIGKILL)
    assert eventually(lambda: not running(SLEEP), 20), "a child outlived the wizard"

    (path,) = (tmp_path / "state/pfdoctor/sessions").glob("*.jsonl")
    kept = read_events(path)
    last = kept[-1]
    assert isinstance(last, CommandStarted)
    assert last.tool == "journal"
    finished = [e for e in kept if isinstance(e, CommandFinished)]
    assert len(finished) == last.number - 1 >= 2
    assert all(e.output for e in finished)

    with open_terminal((*PFDOCTOR, "resume"), environment) as terminal:
        shown = terminal.until(b"1 of 7")
        assert b"cut short" in shown
        terminal.type("q")
        assert terminal.wait() == 0
    events = read_events(path)
    assert events[: len(kept)] == kept
    resumed = events[len(kept)]
    assert isinstance(resumed, SessionResumed)
    assert resumed.interrupted == last.number
