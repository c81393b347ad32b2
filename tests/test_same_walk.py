"""One walk, four drivers: command line, lines, keys and replay write the same events."""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import ExitStack

import pytest
from textual.pilot import Pilot

from pagefault_doctor import klog
from pagefault_doctor.cli.other_host import OtherHost
from pagefault_doctor.cli.plain_walk import PlainWalk
from pagefault_doctor.cli.unattended import walk_playbook
from pagefault_doctor.hosts.recorded import RecordedHost
from pagefault_doctor.model.command import Command, Result, ResultStatus
from pagefault_doctor.model.event import (
    CommandDeclined,
    CommandFinished,
    CommandStarted,
    Event,
    SessionStarted,
    StepEntered,
)
from pagefault_doctor.playbook import shelf
from pagefault_doctor.session.event_log import MemoryLog, read_events
from pagefault_doctor.session.walk import Walk
from pagefault_doctor.tools import TOOLS
from pagefault_doctor.tui.app import WizardApp
from session.replay import replay, without_times
from session.small_walk import TableHost
from tools.example_reports import OOPS
from tui.wizard_bench import drive, press

RECORDED = read_events(shelf.recording_path("null-deref-module"))
MOST_KEYS = 80
BOX = "kernel=9.9.9-box\nname=carrot\nmachine=x86_64\nuid=0\nprogram=pfdoctor\nend=\n"
KERNELS = '{"kernels": [{"name": "9.9", "release": "9.9.9-lab"}]}'
Begin = Callable[[], tuple[Walk, MemoryLog]]


def begin() -> tuple[Walk, MemoryLog]:
    """Begin a read-only walk on the recorded machine."""
    recorded = RECORDED[0]
    assert isinstance(recorded, SessionStarted)
    started = SessionStarted(
        id="same",
        version="0",
        playbook=recorded.playbook,
        host=recorded.host,
        read_only=True,
        given=recorded.given,
    )
    log = MemoryLog()
    playbook = shelf.playbook(recorded.playbook)
    walk = Walk.start(started, playbook, host=RecordedHost(RECORDED), sink=log, tools=TOOLS)
    return walk, log


class OtherBox(TableHost):
    """A box that is not that of the log, with a lab."""

    def run(self, command: Command, *args: object, **options: object) -> Result:
        super().run(command)
        answers = {"box": BOX, "lab-run": KERNELS}
        output = answers.get(command.tool, "")
        return Result(command=command, status=ResultStatus.OK, exit_code=0, output=output)


def begin_elsewhere() -> tuple[Walk, MemoryLog]:
    """Begin a read-only walk with a log of another machine and the source of its module."""
    given = {"source_dir": "/src/wobble"}
    started = SessionStarted(
        id="same",
        version="0",
        playbook="kernel-page-fault",
        host="carrot",
        read_only=True,
        given=given,
    )
    log = MemoryLog()
    playbook = shelf.playbook("kernel-page-fault")
    walk = Walk.start(started, playbook, host=OtherBox(), sink=log, tools=TOOLS)
    walk.enter("check-logs")
    walk.give_log(klog.read(OOPS.encode(), "crash.log"))
    return walk, log


def by_command_line(begin: Begin) -> list[Event]:
    walk, log = begin()
    walk_playbook(walk)
    walk.end("finished")
    return log.events


def by_keys(begin: Begin) -> list[Event]:
    walk, log = begin()

    async def play(app: WizardApp, pilot: Pilot[int]) -> None:
        for _ in range(MOST_KEYS):
            if app.reached_end:
                return
            await press(app, pilot, "enter")
        raise AssertionError("Enter did not lead to the end")

    drive(WizardApp(walk), play)
    walk.end("finished")
    return log.events


def by_lines(begin: Begin, monkeypatch: pytest.MonkeyPatch) -> list[Event]:
    """Walk line by line, with Enter as every answer."""
    walk, log = begin()
    monkeypatch.setattr("sys.stdin", io.StringIO("\n" * MOST_KEYS))
    with ExitStack() as stack:
        PlainWalk(walk, OtherHost(stack)).to_the_end()
    return log.events


def by_replay(begin: Begin, events: list[Event], given: int) -> list[Event]:
    """Replay the events after those that `begin` writes itself."""
    walk, log = begin()
    replay(events[given:], walk)
    return log.events


def test_command_line_lines_keys_and_replay_write_the_same_events(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = by_command_line(begin)
    assert len([e for e in told if isinstance(e, CommandFinished)]) > 12
    assert len([e for e in told if isinstance(e, StepEntered)]) == 7
    assert [e for e in told if isinstance(e, CommandDeclined)]
    plain = without_times(told)
    assert without_times(by_replay(begin, told, 1)) == plain
    assert without_times(by_lines(begin, monkeypatch)) == plain
    assert without_times(by_keys(begin)) == plain


def test_they_do_so_for_the_case_of_another_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    told = by_command_line(begin_elsewhere)
    ran = [event.tool for event in told if isinstance(event, CommandStarted)]
    assert ran.count("box") == 1
    assert "lab-run" in ran
    declined = [event.tool for event in told if isinstance(event, CommandDeclined)]
    assert "lab-run" in declined, "a read-only walk starts no virtual machine"
    plain = without_times(told)
    begun = len(begin_elsewhere()[1].events)
    assert without_times(by_replay(begin_elsewhere, told, begun)) == plain
    assert without_times(by_lines(begin_elsewhere, monkeypatch)) == plain
    assert without_times(by_keys(begin_elsewhere)) == plain
