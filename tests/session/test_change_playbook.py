"""A walk that goes on in another playbook: what is kept, and who agrees on it."""

from __future__ import annotations

import msgspec
import pytest

from pagefault_doctor import klog
from pagefault_doctor.cli.unattended import walk_playbook
from pagefault_doctor.model.errors import UsageError
from pagefault_doctor.model.event import (
    CommandStarted,
    PlaybookChanged,
    SessionStarted,
    StepEntered,
)
from pagefault_doctor.model.playbook import Condition, Playbook, Step, StepStatus, Suggestion
from pagefault_doctor.report import text
from pagefault_doctor.report.outline import session_outline
from pagefault_doctor.report.session_document import session_document
from pagefault_doctor.session.event_log import MemoryLog
from pagefault_doctor.session.store import summarize
from pagefault_doctor.session.view import Fold
from pagefault_doctor.session.walk import Walk
from session.replay import replay, without_times
from session.small_walk import ANSWERS, TOOLS, TableHost
from tools.example_reports import OOPS

USUAL = Playbook(
    schema=1,
    id="usual",
    title="Usual",
    summary="Where one begins.",
    steps=(
        Step(
            id="first",
            title="First",
            why="To see.",
            tools=("look",),
            suggest=(
                Suggestion("deep", "It is rare.", Condition("look.words", at_least=3), "rare"),
                Suggestion(
                    "deep", "A log says so.", Condition("report.kind", present=True), "rare"
                ),
                Suggestion("own", "It is usual."),
            ),
        ),
        Step(id="own", title="Own", why="To see.", tools=("look",)),
        Step(id="last", title="Last", why="To end.", tools=("look",)),
    ),
)
RARE = Playbook(
    schema=1,
    id="rare",
    title="Rare case",
    summary="Where one goes on.",
    steps=(
        Step(id="first", title="First", why="To see.", tools=("look",)),
        Step(id="deep", title="Deep", why="To know.", tools=("look",)),
    ),
)
BOOKS = {book.id: book for book in (USUAL, RARE)}
LONG: dict[tuple[str, ...], str] = {("look", "around"): "this is long\n"}
STARTED = SessionStarted(id="s1", version="0", playbook="usual", host="box")
LOG = klog.read(OOPS.encode(), "crash.log")


def find(playbook_id: str) -> Playbook:
    try:
        return BOOKS[playbook_id]
    except KeyError:
        raise UsageError("no such playbook") from None


def begun(
    answers: dict[tuple[str, ...], str] = LONG, scenario: str | None = None
) -> tuple[Walk, MemoryLog]:
    sink = MemoryLog()
    started = msgspec.structs.replace(STARTED, scenario=scenario)
    host = TableHost(answers)
    walk = Walk.start(started, USUAL, host=host, sink=sink, tools=TOOLS, find_playbook=find)
    return walk, sink


def run_step(walk: Walk, step: str) -> None:
    walk.enter(step)
    while walk.proposed:
        walk.run(walk.proposed)


def gone_on() -> tuple[Walk, MemoryLog]:
    walk, sink = begun()
    run_step(walk, "first")
    walk.note("seen")
    walk.go_on()
    return walk, sink


def test_the_suggestion_names_the_other_playbook_and_its_step() -> None:
    walk, _ = begun()
    run_step(walk, "first")
    assert walk.suggestion
    assert (walk.suggestion.playbook, walk.suggestion.go) == ("rare", "deep")
    assert walk.suggested_playbook is RARE


def test_going_on_enters_that_step_and_keeps_all_that_is_known() -> None:
    walk, sink = gone_on()
    assert walk.view.playbook is RARE
    assert walk.view.step == "deep"
    assert walk.view.case.get("look.words", 0) == 3
    assert [note.text for note in walk.view.notes] == ["seen"]
    assert [record.step for record in walk.view.commands] == ["first"]
    changed = [e for e in sink.events if isinstance(e, PlaybookChanged | StepEntered)]
    assert [isinstance(event, PlaybookChanged) for event in changed] == [False, True, False]


def test_a_step_of_both_keeps_its_state() -> None:
    walk, _ = gone_on()
    assert walk.view.state.steps["first"].status is StepStatus.DONE


def test_a_replay_writes_the_same_events() -> None:
    walk, sink = gone_on()
    walk.end("finished")
    again, second = begun()
    replay(sink.events[1:], again)
    assert without_times(second.events) == without_times(sink.events)


@pytest.mark.parametrize("cut", range(2, 12))
def test_a_walk_cut_off_anywhere_is_taken_up_in_its_playbook(cut: int) -> None:
    _, sink = gone_on()
    events = tuple(sink.events[:cut])
    walk = Walk.resume(
        events, USUAL, host=TableHost(LONG), sink=MemoryLog(), tools=TOOLS, find_playbook=find
    )
    if walk.view.step is None:
        walk.enter(walk.view.playbook.steps[0].id)
    for _ in range(9):
        while walk.proposed:
            walk.run(walk.proposed)
        walk.go_on()
    changed = any(isinstance(event, PlaybookChanged) for event in events)
    assert walk.view.playbook is RARE or not changed
    assert walk.suggestion
    assert walk.suggestion.go == "end"


def test_the_unattended_walk_follows_and_says_so() -> None:
    walk, _ = begun()
    said: list[str] = []
    walk_playbook(walk, said.append)
    assert walk.view.playbook is RARE
    assert [record.step for record in walk.view.commands] == ["first", "deep"]
    assert "Playbook: Rare case (rare)" in said


def test_reports_and_the_list_of_sessions_tell_both() -> None:
    walk, sink = begun({**ANSWERS})
    run_step(walk, "first")
    run_step(walk, "own")
    walk.change_playbook("rare")
    run_step(walk, "deep")
    told = text.render(session_outline(walk.view))
    assert "playbook usual, then rare" in told
    for title in ("Own (done)", "First (done)", "Deep (done)"):
        assert title in told
    assert "Last" not in told, "a step that was not begun in a playbook that was left"
    document = session_document(walk.view)
    assert (document["playbook"], document["playbooks"]) == ("rare", ("usual", "rare"))
    assert [step["id"] for step in document["steps"]] == ["own", "first", "deep"]
    assert summarize(tuple(sink.events)).playbook == "rare"


def test_a_training_walk_keeps_its_playbook() -> None:
    walk, _ = begun(scenario="null-deref-module")
    run_step(walk, "first")
    assert walk.suggestion
    assert walk.suggestion.playbook is None
    assert walk.suggestion.go == "end"
    assert walk.suggested_playbook is USUAL


def test_a_log_that_is_added_on_the_way_leads_there_too() -> None:
    walk, _ = begun({("look", "around"): "calm\n"})
    run_step(walk, "own")
    assert walk.suggestion
    assert walk.suggestion.go == "last"
    walk.give_log(LOG)
    now = walk.suggestion
    assert (now.playbook, now.go) == ("rare", "deep")


def test_a_log_added_while_a_command_waits_counts_when_the_step_is_over() -> None:
    walk, _ = begun({("look", "around"): "calm\n"})
    walk.enter("own")
    walk.give_log(LOG)
    assert walk.proposed
    walk.run(walk.proposed)
    assert walk.suggestion
    assert walk.suggestion.playbook == "rare"


def test_a_log_of_before_does_not_lead_away_from_a_step_that_was_chosen() -> None:
    walk, _ = begun({("look", "around"): "calm\n"})
    run_step(walk, "own")
    walk.give_log(LOG)
    run_step(walk, "last")
    assert walk.suggestion
    assert walk.suggestion.playbook is None


def test_a_playbook_of_a_newer_version_changes_nothing() -> None:
    walk, sink = begun()
    run_step(walk, "first")
    events = (*sink.events, PlaybookChanged(playbook="newer"), StepEntered(step="newest"))
    view = Fold(TOOLS, find_playbook=find).replay(events, USUAL)
    assert (view.playbook, view.step) == (USUAL, "first")


def test_the_event_is_kept_as_it_was_written() -> None:
    written = msgspec.json.encode(PlaybookChanged(playbook="rare"))
    assert b'"event":"playbook-changed"' in written
    assert msgspec.json.decode(written, type=PlaybookChanged).playbook == "rare"


def test_commands_of_the_first_playbook_are_not_started_again() -> None:
    walk, sink = gone_on()
    walk_playbook(walk)
    started = [event.number for event in sink.events if isinstance(event, CommandStarted)]
    assert started == [1, 2]
