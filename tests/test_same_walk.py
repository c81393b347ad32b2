"""One walk, three drivers: command line, keys and replay write the same events."""

from __future__ import annotations

from textual.pilot import Pilot

from pagefault_doctor.cli.unattended import walk_playbook
from pagefault_doctor.hosts.recorded import RecordedHost
from pagefault_doctor.model.event import (
    CommandDeclined,
    CommandFinished,
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
from tui.wizard_bench import drive, press

RECORDED = read_events(shelf.recording_path("null-deref-module"))
MOST_KEYS = 80


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


def by_command_line() -> list[Event]:
    walk, log = begin()
    walk_playbook(walk)
    walk.end("finished")
    return log.events


def by_keys() -> list[Event]:
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


def by_replay(events: list[Event]) -> list[Event]:
    walk, log = begin()
    replay(events[1:], walk)
    return log.events


def test_command_line_keys_and_replay_write_the_same_events() -> None:
    told = by_command_line()
    assert len([e for e in told if isinstance(e, CommandFinished)]) > 12
    assert len([e for e in told if isinstance(e, StepEntered)]) == 7
    assert [e for e in told if isinstance(e, CommandDeclined)]
    plain = without_times(told)
    assert without_times(by_replay(told)) == plain
    assert without_times(by_keys()) == plain
