"""The wizard on the lab: a real crash, walked through in a real terminal of 80x24."""

from __future__ import annotations

import os
import re
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.tmux import Tmux, processes_with, tmux
from pagefault_doctor.model.event import CommandFinished, CommandStarted, StepEntered
from pagefault_doctor.playbook import shelf
from pagefault_doctor.session.event_log import read_events
from requirements import require_program
from terminal import eventually

pytestmark = pytest.mark.lab

SCENARIO = "null-deref-module"
PFDOCTOR = (sys.executable, "-m", "pagefault_doctor")
STEPS = [step.id for step in shelf.playbook("kernel-page-fault").steps]


@pytest.fixture
def place(kernel: Path) -> Iterator[Path]:
    """A folder for all that is temporary; its name is short, as those of sockets must be."""
    require_program("tmux")
    for name in ("gcc", "make", "gdb", "patch"):
        require_program(name)
    with tempfile.TemporaryDirectory(prefix="pfd", dir="/tmp") as name:
        (Path(name) / "tmp").mkdir()
        yield Path(name)


def environ(place: Path) -> dict[str, str]:
    """Everything in the folder, and an editor that does what the person would."""
    fix = shelf.scenario_folder(SCENARIO) / "fix.patch"
    editor = place / "bin" / "nano"
    editor.parent.mkdir()
    editor.write_text(f'#!/bin/sh\ncd "${{2%/*}}" && exec patch -s -p1 -i "{fix}"\n')
    editor.chmod(0o755)
    return {
        "PATH": f"{editor.parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "TMPDIR": str(place / "tmp"),
        "XDG_STATE_HOME": str(place / "state"),
        "XDG_CACHE_HOME": str(place / "cache"),
    }


def guests(place: Path) -> list[str]:
    """Return the virtual machines that run in the folder."""
    return [process for process in processes_with(str(place)) if process.startswith("qemu")]


def walk_on(terminal: Tmux, screens: list[str], seconds: float) -> None:
    """Do what the last line suggests, and consent to everything, up to the report."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        screen = terminal.screen()
        screens.append(screen)
        hints = screen.rstrip().rpartition("\n")[2]
        if "pfdoctor resume" in screen and "goes on with this session" in screen:
            return
        if "y: run it" in hints:
            terminal.type("y")
        elif "Enter run" in hints or "Enter next" in hints:
            terminal.type("Enter")
        time.sleep(0.25)
    raise AssertionError(f"the walk did not come to its end:\n{screens[-1]}")


@pytest.mark.timeout(600)
def test_all_seven_steps_at_80x24_with_the_crash_the_reboots_and_the_fix(place: Path) -> None:
    screens: list[str] = []
    with tmux(place, (*PFDOCTOR, "--lab", SCENARIO), environ(place)) as terminal:
        terminal.until("1 of 7", 60)
        walk_on(terminal, screens, 500)
        terminal.type("q")
        terminal.type("q")
        assert eventually(lambda: not processes_with(str(place)), 15)
    assert not list((place / "tmp").iterdir())

    (path,) = (place / "state/pfdoctor/sessions").glob("*.jsonl")
    events = read_events(path)
    assert [e.step for e in events if isinstance(e, StepEntered)] == STEPS
    started = {e.number: e for e in events if isinstance(e, CommandStarted)}
    ended = {e.number: e for e in events if isinstance(e, CommandFinished)}
    assert started.keys() == ended.keys()
    ran = [started[number].argv[0] for number in started]
    assert [name for name in ran if name in ("modprobe", "nano", "reboot", "insmod", "rmmod")] == [
        *("modprobe", "nano", "reboot", "insmod", "rmmod")
    ]
    (loaded,) = (n for n in started if started[n].argv[0] == "modprobe")
    assert ended[loaded].exit_code == 137

    shown = "\n".join(screens)
    assert "the lab makes its machine ready" in shown
    assert "Run this on lab, the lab's virtual machine?" in shown
    assert "It works on the lab's own copy" in shown
    assert re.search(r"faulty\.c:37: state->status = +", shown)
    assert "Fixed: the stress run passed" in shown
    assert not [line for screen in screens for line in screen.splitlines() if len(line) > 80]


def test_esc_ends_a_boot_and_the_walk_goes_on(place: Path) -> None:
    with tmux(place, (*PFDOCTOR, "--lab", SCENARIO), environ(place)) as terminal:
        terminal.until("1 of 7", 60)
        terminal.type("Enter")
        terminal.until("the lab makes its machine ready", 20)
        terminal.type("Escape")
        terminal.until("cancelled", 15)
        assert eventually(lambda: not guests(place), 15)
        terminal.until("Enter run", 10)


def test_kill_9_leaves_no_process_and_no_file(place: Path) -> None:
    with tmux(place, (*PFDOCTOR, "--lab", SCENARIO), environ(place)) as terminal:
        terminal.until("1 of 7", 60)
        terminal.type("Enter")
        assert eventually(lambda: guests(place) != [], 20)
        os.kill(terminal.pid, signal.SIGKILL)
        assert eventually(lambda: not processes_with(str(place)), 15)
    assert eventually(lambda: not list((place / "tmp").iterdir()), 15)


def test_without_qemu_it_says_what_to_install(place: Path) -> None:
    programs = place / "few"
    programs.mkdir()
    environment = environ(place) | {"PATH": str(programs)}
    with tmux(place, (*PFDOCTOR, "--lab", SCENARIO), environment) as terminal:
        assert eventually(lambda: "lab doctor" in terminal.history().replace("\n", ""), 20)
        told = terminal.history().replace("\n", "")
    assert "the lab lacks" in told
    assert "qemu-system-x86" in told
    assert "pfdoctor lab doctor" in told
