"""What a session's events mean when they are read again."""

from __future__ import annotations

from pathlib import Path

import pytest

from pagefault_doctor.hosts.host import OnOutput
from pagefault_doctor.model.command import Command, Result, ResultStatus, Risk
from pagefault_doctor.model.event import (
    CommandFinished,
    CommandStarted,
    Event,
    Outcome,
    QuestionAnswered,
    SessionEnded,
    SessionResumed,
    SessionStarted,
    StepEntered,
)
from pagefault_doctor.session.event_log import EventLog, MemoryLog
from pagefault_doctor.session.view import Fold, View
from pagefault_doctor.session.walk import Walk
from session.small_walk import ANSWERS, PLAYBOOK, TOOLS, MakeWalk, TableHost

STARTED = SessionStarted(id="s1", version="0", playbook="small", host="box")
LOOK = CommandStarted(number=1, step="first", tool="look", argv=("look", "around"))
ENDED = SessionEnded(reason="quit")


def view_of(*events: Event) -> View:
    return Fold(TOOLS).replay((STARTED, *events), PLAYBOOK)


def test_a_result_without_its_command_changes_nothing() -> None:
    finished = CommandFinished(number=9, status=ResultStatus.OK, output="lost\n")
    assert view_of(StepEntered(step="first"), finished) == view_of(StepEntered(step="first"))


@pytest.mark.parametrize("risk", Risk)
def test_half_an_output_is_not_read_and_a_risky_command_not_asked_for_again(risk: Risk) -> None:
    lost = CommandFinished(number=1, status=ResultStatus.LOST, output="one two tr")
    started = CommandStarted(number=1, step="first", tool="look", argv=LOOK.argv, risk=risk)
    view = view_of(StepEntered(step="first"), started, lost)
    assert not view.case.has("look.words")
    assert [result.status for result in view.case.done("look")] == (
        [] if risk is Risk.READ else [ResultStatus.SIGNALED]
    )
    assert ("was cut short" in "".join(f.text for f in view.case.findings)) is (risk != Risk.READ)


@pytest.mark.parametrize("after", [SessionResumed(version="0"), LOOK])
def test_a_session_that_goes_on_has_not_ended(after: Event) -> None:
    assert view_of(StepEntered(step="first"), ENDED).ended == ENDED
    assert view_of(StepEntered(step="first"), ENDED, after).ended is None


def test_a_step_that_is_entered_again_starts_without_results() -> None:
    finished = CommandFinished(number=1, status=ResultStatus.OK, output="all calm\n")
    once = view_of(StepEntered(step="first"), LOOK, finished)
    assert len(once.case.done("look")) == 1
    again = view_of(StepEntered(step="first"), LOOK, finished, StepEntered(step="first"))
    assert again.case.done("look") == ()
    assert again.commands == once.commands


def test_the_run_as_root_stands_in_for_the_one_that_was_refused() -> None:
    refused = CommandFinished(number=1, status=ResultStatus.REFUSED)
    as_root = CommandStarted(number=2, step="first", tool="look", argv=LOOK.argv, as_root=True)
    other = CommandStarted(number=2, step="first", tool="look", argv=("look", "away"))
    finished = CommandFinished(number=2, status=ResultStatus.OK, output="all calm\n")
    for second, kept in ((as_root, [ResultStatus.OK]), (other, [ResultStatus.REFUSED, "ok"])):
        view = view_of(StepEntered(step="first"), LOOK, refused, second, finished)
        assert [result.status for result in view.case.done("look")] == kept


def test_answers_are_kept() -> None:
    answer = QuestionAnswered(step="first", question="what", choice=0, right=True)
    assert view_of(answer).answers == (answer,)


def test_what_a_command_was_is_logged(make_walk: MakeWalk) -> None:
    sink = MemoryLog()
    walk = make_walk(sink=sink)
    walk.enter("first")
    command = Command(
        argv=("x",), tool="look", risk=Risk.CHANGE, edited=True, as_root=True, asks=True
    )
    walk.run(
        command, "asked", runner=lambda command: Result(command=command, status=ResultStatus.OK)
    )
    (logged,) = (event for event in sink.events if isinstance(event, CommandStarted))
    assert (logged.edited, logged.as_root, logged.asks) == (True, True, True)
    assert walk.view.commands[0].command == command
    assert isinstance(walk.host, TableHost)
    assert walk.host.ran == [], "the runner stands in for the host"


def test_a_command_that_failed_and_said_why_counts_as_used(make_walk: MakeWalk) -> None:
    class Failing(TableHost):
        def run(
            self, command: Command, on_output: OnOutput | None = None, cancel: object = None
        ) -> Result:
            return Result(command=command, status=ResultStatus.FAILED, exit_code=1, output="no\n")

    walk = make_walk()
    walk.host = Failing()
    walk.enter("first")
    assert walk.proposed
    walk.run(walk.proposed)
    assert walk.view.finished_tools[0].outcome is Outcome.USED


def test_a_session_ends_once_and_its_file_is_closed(make_walk: MakeWalk) -> None:
    closed = []

    class Sink(MemoryLog):
        def close(self) -> None:
            closed.append(len(self.events))

    sink = Sink()
    walk = make_walk(sink=sink)
    walk.end("hangup")
    walk.end("quit")
    assert [event for event in sink.events if isinstance(event, SessionEnded)] == [
        SessionEnded(reason="hangup", at=7.0)
    ]
    assert closed == [2, 2]


def test_only_a_file_is_kept(make_walk: MakeWalk, tmp_path: Path) -> None:
    assert not make_walk(sink=MemoryLog()).is_kept
    assert make_walk(sink=EventLog.create(tmp_path / "s1.jsonl")).is_kept


def test_a_command_is_told_as_cut_short_only_once() -> None:
    events: tuple[Event, ...] = (STARTED, StepEntered(step="first"), LOOK)
    told = []
    for _ in range(2):
        sink = MemoryLog(events)
        Walk.resume(events, PLAYBOOK, host=TableHost(ANSWERS), sink=sink, tools=TOOLS)
        events = tuple(sink.events)
        told.append(next(e for e in reversed(events) if isinstance(e, SessionResumed)).interrupted)
    assert told == [1, None]
