"""kill -9 at any moment: nothing that had finished is lost, nothing keeps running."""

from __future__ import annotations

import os
import random
import re
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from pagefault_doctor.model.event import CommandFinished, CommandStarted, Event, SessionResumed
from pagefault_doctor.session.checksum import is_written_here, known_key
from pagefault_doctor.session.event_log import read_events
from processes import running
from terminal import eventually, open_terminal

PFDOCTOR = (sys.executable, "-m", "pagefault_doctor")

SLEEP = f"sleep 4711.{os.getpid()}"
HANG = f"echo hanging on purpose\n{SLEEP} &\n{SLEEP}"
"""Stands in for a journalctl that hangs, as one on a dying disk does."""


NAP = f"sleep 0.2{os.getpid()}"


def environ(tmp_path: Path, script: str = HANG) -> dict[str, str]:
    """Return an environment in which journalctl is this script, and nothing is kept yet."""
    programs = tmp_path / "bin"
    programs.mkdir()
    journalctl = programs / "journalctl"
    journalctl.write_text(f"#!/bin/sh\n{script}\n")
    journalctl.chmod(journalctl.stat().st_mode | stat.S_IXUSR)
    return {
        "PATH": f"{programs}:{os.environ['PATH']}",
        "XDG_STATE_HOME": str(tmp_path / "state"),
    }


def sessions_of(tmp_path: Path) -> Iterator[Path]:
    return (tmp_path / "state/pfdoctor/sessions").glob("*.jsonl")


def test_after_kill_9_the_walk_goes_on_at_the_same_step(tmp_path: Path) -> None:
    environment = environ(tmp_path)
    with open_terminal(PFDOCTOR, environment) as terminal:
        terminal.until(b"1 of 7")
        terminal.type("\r")
        assert eventually(lambda: len(running(SLEEP)) >= 2, 30.0)
        os.kill(terminal.pid, signal.SIGKILL)
    assert eventually(lambda: not running(SLEEP), 20), "a child outlived the wizard"

    (path,) = sessions_of(tmp_path)
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


def test_a_second_wizard_is_told_who_has_the_session(tmp_path: Path) -> None:
    environment = environ(tmp_path)
    with open_terminal(PFDOCTOR, environment) as first:
        first.until(b"1 of 7")
        (path,) = sessions_of(tmp_path)
        with open_terminal((*PFDOCTOR, "resume", path.stem), environment) as second:
            said = second.until_end()
        assert second.code == 1
        pattern = rb"session %s is open in pid %d on pts/\d+ since \d{4}-" % (
            path.stem.encode(),
            first.pid,
        )
        assert re.search(pattern, said.replace(b"\r\n", b"")), said
        assert b"pfdoctor report" in said
        report = subprocess.run(
            (*PFDOCTOR, "report", path.stem),
            capture_output=True,
            env=os.environ | environment,
            timeout=60,
            check=False,
        )
        assert report.returncode == 0, report.stderr
        first.type("q")
        assert first.wait() == 0
    whole = path.read_bytes()
    assert whole.count(b"session-resumed") == 0
    with open_terminal((*PFDOCTOR, "resume", path.stem), environment) as third:
        third.until(b"1 of 7")
        third.type("q")
        assert third.wait() == 0
    assert path.read_bytes().startswith(whole)


KILLS = int(os.environ.get("PFDOCTOR_KILLS", "12"))
"""How often the session is killed; more of them than a run of all tests has time for."""


def test_a_session_survives_kill_9_at_any_moment_again_and_again(tmp_path: Path) -> None:
    """Each process gets the keys of a person who goes on, and is killed somewhere in between.

    No key is one of those that consent to a risk.
    """
    chance = random.Random(4711)
    environment = environ(tmp_path, f"{NAP} & {NAP}; echo No journal files were found. >&2")
    words: tuple[str, ...] = ()
    before: list[Event] = []
    reached = []
    for number in range(KILLS):
        with open_terminal((*PFDOCTOR, *words), environment) as terminal:
            said = b""
            if number % 3:  # Else it is killed while it starts.
                said += terminal.until(b"Likely cause")  # Of any playbook: this box has a log.
            until = time.monotonic() + chance.uniform(0.0, 1.5)
            while time.monotonic() < until:
                terminal.type(chance.choice("\r" * 10 + "gggs\x1b"))
                said += terminal.read(chance.uniform(0.01, 0.2))
            os.kill(terminal.pid, signal.SIGKILL)
        assert b"Traceback" not in said, said
        assert eventually(lambda: not running(NAP), 20), f"kill {number}: a child is left"
        paths = [path for path in sessions_of(tmp_path) if path.stat().st_size]
        if not paths:
            continue  # Killed before its first event.
        (path,) = paths
        after = list(read_events(path))
        assert after[: len(before)] == before, f"kill {number}: an event is lost"
        assert is_written_here(path.read_bytes(), known_key(path.parent)), f"kill {number}"
        before, words = after, ("resume",)
        reached.append(len(after))
    assert reached == sorted(reached)
    finished = [e for e in before if isinstance(e, CommandFinished)]
    started = [e for e in before if isinstance(e, CommandStarted)]
    assert {e.number for e in finished} <= {e.number for e in started}
    assert [e.number for e in started] == list(range(1, len(started) + 1))
    print(f"{KILLS} kills, {len(before)} events, {len(finished)} of {len(started)} commands ended")
    with open_terminal((*PFDOCTOR, "resume"), environment) as terminal:
        terminal.until(b"Likely cause")
        os.kill(terminal.pid, signal.SIGTERM)
        terminal.wait()
    assert list(read_events(path))[: len(before)] == before
