"""The walk: what it proposes, what it logs, and what it never does."""

from __future__ import annotations

import threading
from pathlib import Path

import msgspec
import pytest

from pagefault_doctor.model.command import Command, Risk
from pagefault_doctor.model.event import (
    CommandDeclined,
    CommandFinished,
    CommandStarted,
    Event,
    NoteWritten,
    Outcome,
    SessionEnded,
)
from pagefault_doctor.model.fence import STRICT
from pagefault_doctor.model.playbook import Playbook, Step, StepStatus
from pagefault_doctor.playbook import loader
from pagefault_doctor.playbook.problem import PlaybookError
from pagefault_doctor.session.event_log import (
    EventLog,
    MemoryLog,
    SessionError,
    encode,
    parse_events,
    read_events,
)
from pagefault_doctor.session.view import Fold
from pagefault_doctor.session.walk import MOST_COMMANDS, ConsentError, Walk
from pagefault_doctor.tools.tool import once
from session.small_walk import ANSWERS, PLAYBOOK, TOOLS, MakeWalk, TableHost


def one_step(*tools: str) -> Playbook:
    return Playbook(
        schema=1,
        id="one",
        title="One",
        summary="One step.",
        steps=(Step(id="only", title="Only", why="To test.", tools=tools),),
    )


def test_a_command_is_proposed_and_nothing_runs_by_itself(make_walk: MakeWalk) -> None:
    walk = make_walk()
    walk.enter("first")
    assert walk.proposed is not None
    assert walk.proposed.argv == ("look", "around")
    assert isinstance(walk.host, TableHost)
    assert walk.host.ran == []


def test_a_tool_that_the_host_cannot_answer_for_is_passed_over(make_walk: MakeWalk) -> None:
    class Recording(TableHost):
        def knows(self, tool: str) -> bool:
            return tool != "look"

    walk = make_walk(playbook=one_step("look", "push"))
    walk.host = Recording(ANSWERS)
    walk.enter("only")
    assert walk.proposed is not None
    assert walk.proposed.tool == "push"
    (passed_over,) = walk.view.finished_tools
    assert passed_over.outcome is Outcome.NOT_NEEDED


def test_the_start_of_a_command_is_logged_before_it_runs(make_walk: MakeWalk) -> None:
    seen: list[list[Event]] = []
    sink = MemoryLog()
    walk = make_walk(sink=sink)
    walk.enter("first")
    assert walk.proposed
    walk.run(walk.proposed, on_output=lambda text: seen.append(list(sink.events)))
    (before,) = seen
    assert isinstance(before[-1], CommandStarted)
    assert isinstance(sink.events[len(before)], CommandFinished)


def test_facts_of_the_output_choose_where_to_go(make_walk: MakeWalk) -> None:
    walk = make_walk({("look", "around"): "one two three\n"})
    walk.enter("first")
    assert walk.proposed
    walk.run(walk.proposed)
    assert walk.suggestion is not None
    assert (walk.suggestion.go, walk.suggestion.because) == ("third", "3 words")
    calm = make_walk()
    calm.enter("first")
    assert calm.proposed
    calm.run(calm.proposed)
    assert calm.suggestion is not None
    assert calm.suggestion.go == "second"


def test_a_step_with_a_bad_finding_needs_attention(make_walk: MakeWalk) -> None:
    walk = make_walk({("look", "around"): "trouble\n"})
    walk.enter("first")
    assert walk.proposed
    walk.run(walk.proposed)
    assert walk.view.state.steps["first"].status is StepStatus.ATTENTION


def test_a_step_of_which_every_tool_is_blocked_says_why_and_what_next(make_walk: MakeWalk) -> None:
    walk = make_walk()
    walk.enter("third")
    state = walk.view.state.steps["third"]
    assert state.status is StepStatus.BLOCKED
    assert state.reason == "wall: no dump"
    assert walk.view.finished_tools[-1].remedy == "set up kdump"
    assert walk.suggestion is not None
    assert walk.suggestion.go == "end"


RISKY = tuple(risk for risk in Risk if risk is not Risk.READ)


def commands_of(risk: Risk) -> tuple[Command, ...]:
    """Return commands with that risk: as planned, edited by the person, as root."""
    plain = Command(argv=("push",), tool="push", risk=risk)
    return (
        plain,
        msgspec.structs.replace(plain, edited=True),
        msgspec.structs.replace(plain, as_root=True),
    )


@pytest.mark.parametrize("risk", RISKY)
def test_a_risky_command_never_runs_without_consent(make_walk: MakeWalk, risk: Risk) -> None:
    sink = MemoryLog()
    walk = make_walk(sink=sink)
    walk.enter("second")
    assert isinstance(walk.host, TableHost)
    for command in commands_of(risk):
        before = list(sink.events)
        with pytest.raises(ConsentError, match="needs consent"):
            walk.run(command)
        assert walk.host.ran == []
        assert sink.events == before
    walk.run(commands_of(risk)[0], consent="typed box")
    assert walk.host.ran == [("push",)]
    assert walk.view.commands[-1].consent == "typed box"


@pytest.mark.parametrize("risk", RISKY)
def test_read_only_declines_by_itself_and_holds_against_consent(
    make_walk: MakeWalk, monkeypatch: pytest.MonkeyPatch, risk: Risk
) -> None:
    plan = once("push", "push", risk=risk)
    push = msgspec.structs.replace(TOOLS["push"], plan=plan, risk=risk)
    monkeypatch.setitem(TOOLS, "push", push)
    sink = MemoryLog()
    walk = make_walk(read_only=True, sink=sink)
    walk.enter("second")
    assert walk.proposed is None
    declined = next(e for e in sink.events if isinstance(e, CommandDeclined))
    assert (declined.argv, declined.risk, declined.reason) == (("push",), risk, "read-only")
    walk.enter("first")
    assert isinstance(walk.host, TableHost)
    for command in commands_of(risk):
        with pytest.raises(ConsentError, match="needs consent"):
            walk.run(command, consent="typed box")
        assert walk.host.ran == []


@pytest.mark.parametrize("read_only", [False, True])
def test_a_command_that_only_observes_needs_no_consent(
    make_walk: MakeWalk, read_only: bool
) -> None:
    walk = make_walk(read_only=read_only)
    walk.enter("first")
    assert walk.proposed is not None
    assert walk.run(walk.proposed).ok


def test_declining_skips_the_tool(make_walk: MakeWalk) -> None:
    walk = make_walk()
    walk.enter("second")
    assert walk.proposed
    walk.decline(walk.proposed, "not now")
    assert [(t.tool, t.outcome) for t in walk.view.finished_tools] == [
        ("wall", Outcome.BLOCKED),
        ("push", Outcome.DECLINED),
    ]


def test_a_cancelled_command_ends_its_tool(make_walk: MakeWalk) -> None:
    walk = make_walk()
    walk.enter("first")
    cancel = threading.Event()
    cancel.set()
    assert walk.proposed
    walk.run(walk.proposed, cancel=cancel)
    assert walk.view.finished_tools[0].outcome is Outcome.CANCELLED


def test_a_missing_program_is_told_with_its_reason(make_walk: MakeWalk) -> None:
    walk = make_walk({})
    walk.enter("first")
    assert walk.proposed
    walk.run(walk.proposed)
    look = walk.view.finished_tools[0]
    assert look.outcome is Outcome.FAILED
    assert look.reason == "not there"


def test_a_tool_that_always_wants_more_is_stopped(make_walk: MakeWalk) -> None:
    walk = make_walk({("again",): "again\n"}, playbook=one_step("endless"))
    walk.enter("only")
    for _ in range(MOST_COMMANDS):
        assert walk.proposed
        walk.run(walk.proposed)
    assert walk.proposed is None
    assert walk.suggestion is not None


def test_an_unreadable_output_is_told_and_the_walk_goes_on(
    make_walk: MakeWalk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(STRICT, raising=False)
    walk = make_walk(playbook=one_step("broken", "nonsense"))
    walk.enter("only")
    assert walk.proposed
    walk.run(walk.proposed)
    assert "unreadable" in walk.view.commands[0].findings[0].text
    assert walk.view.finished_tools[-1].reason == "unknown tool"


HOSTILE = """\
schema: 1
id: hostile
title: Hostile
summary: $(touch /tmp/evil)
steps:
  - id: only
    title: "`touch /tmp/evil`"
    why: To harm.
    by_hand: touch /tmp/evil
    help: $(touch /tmp/evil)
    tools: [touch /tmp/evil, sh, ../../evil, __import__, push]
    suggest:
      - go: end
        because: "{given.program} $(touch /tmp/evil)"
"""


def test_a_hostile_playbook_runs_nothing_by_itself(make_walk: MakeWalk) -> None:
    walk = make_walk(playbook=loader.load(HOSTILE, "hostile.yaml"))
    walk.enter("only")
    # Tools are looked up by their ids, and what a tool runs is not the playbook's to say.
    assert [(t.tool, t.reason) for t in walk.view.finished_tools] == [
        (tool, "unknown tool") for tool in ("touch /tmp/evil", "sh", "../../evil", "__import__")
    ]
    assert walk.proposed is not None
    assert (walk.proposed.argv, walk.proposed.risk) == (("push",), Risk.CRASH)
    walk.decline(walk.proposed, "no")
    assert walk.suggestion is not None
    assert walk.suggestion.go == "end"
    assert isinstance(walk.host, TableHost)
    assert walk.host.ran == []


@pytest.mark.parametrize("field", ["argv: [touch, x]", "command: touch x", "risk: read"])
def test_a_playbook_has_no_field_for_a_command(field: str) -> None:
    name = field.partition(":")[0]
    with pytest.raises(PlaybookError, match=f"unknown field `{name}`"):
        loader.load(HOSTILE.replace("why: To harm.", f"why: To harm.\n    {field}"), "hostile.yaml")


def test_a_full_disk_does_not_end_the_walk(make_walk: MakeWalk) -> None:
    class FullDisk(MemoryLog):
        def append(self, event: Event) -> None:
            if len(self.events) >= 2:
                raise SessionError("cannot write: no space left")
            super().append(event)

    walk = make_walk(sink=FullDisk())
    walk.enter("first")
    assert walk.proposed
    walk.run(walk.proposed)
    assert walk.unsaved is not None
    assert "no space left" in walk.unsaved
    assert walk.view.commands[0].result is not None


def walk_through(walk: Walk) -> None:
    for step in ("first", "second", "third"):
        walk.enter(step)
        while walk.proposed:
            walk.run(walk.proposed, "not-needed" if walk.proposed.risk is Risk.READ else "asked")
    walk.note("seen [bold] it")
    walk.end("finished")


def test_the_events_alone_give_the_same_view(make_walk: MakeWalk) -> None:
    sink = MemoryLog()
    walk = make_walk(sink=sink)
    walk_through(walk)
    data = b"".join(map(encode, sink.events))
    events = parse_events(data, "memory")
    assert events == tuple(sink.events)
    assert Fold(TOOLS).replay(events, PLAYBOOK) == walk.view


@pytest.mark.parametrize("kept", range(2, 14))
def test_a_walk_cut_off_anywhere_goes_on_to_the_same_end(make_walk: MakeWalk, kept: int) -> None:
    sink = MemoryLog()
    walk = make_walk(sink=sink)
    walk_through(walk)
    events = tuple(sink.events)[:kept]
    taken_up = Walk.resume(
        events, PLAYBOOK, host=TableHost(ANSWERS), sink=MemoryLog(events), tools=TOOLS
    )
    assert taken_up.view.step == Fold(TOOLS).replay(events, PLAYBOOK).step
    while taken_up.proposed or taken_up.suggestion:
        if taken_up.proposed:
            risky = taken_up.proposed.risk is not Risk.READ
            taken_up.run(taken_up.proposed, "asked" if risky else "not-needed")
        elif taken_up.suggestion and taken_up.suggestion.go != "end":
            taken_up.enter(taken_up.suggestion.go)
        else:
            break
    assert taken_up.view.step == "third"
    over = {c.command.argv for c in taken_up.view.commands if c.result or c.interrupted}
    assert over == {("look", "around"), ("push",)}


def test_resume_tells_the_command_that_was_cut_short(make_walk: MakeWalk) -> None:
    sink = MemoryLog()
    walk = make_walk(sink=sink)
    walk_through(walk)
    at = next(i for i, e in enumerate(sink.events) if isinstance(e, CommandStarted))
    events = tuple(sink.events[: at + 1])
    resumed = Walk.resume(events, PLAYBOOK, host=TableHost(), sink=MemoryLog(), tools=TOOLS)
    assert resumed.view.commands[0].interrupted
    assert resumed.proposed is not None
    assert resumed.proposed.argv == ("look", "around")


def test_a_risky_command_that_was_cut_short_is_not_asked_for_again(make_walk: MakeWalk) -> None:
    sink = MemoryLog()
    walk_through(make_walk(sink=sink))
    at = next(
        i for i, e in enumerate(sink.events) if isinstance(e, CommandStarted) and e.tool == "push"
    )
    events = tuple(sink.events[: at + 1])
    resumed = Walk.resume(events, PLAYBOOK, host=TableHost(), sink=MemoryLog(), tools=TOOLS)
    assert resumed.view.step == "second"
    assert resumed.proposed is None
    assert "was cut short" in resumed.view.case.findings[-1].text
    assert resumed.suggestion is not None


def test_events_are_values(make_walk: MakeWalk) -> None:
    with pytest.raises(AttributeError):
        make_walk().view.started.id = "other"  # type: ignore[misc]
    assert msgspec.json.decode(encode(make_walk().view.started))["event"] == "session-started"


def test_a_clock_that_jumps_harms_no_session(make_walk: MakeWalk, tmp_path: Path) -> None:
    path = tmp_path / "s1.jsonl"
    sink = EventLog.create(path)
    walk = make_walk(sink=sink)
    times = iter((4e9, -5.0, 0.0, 1e12, 7.0, 1.0, 3.0, 2.0, *[9.0] * 20))
    walk._clock = lambda: next(times)
    walk.enter("first")
    assert walk.proposed is not None
    walk.run(walk.proposed)
    sink.close()
    again = Walk.resume(
        read_events(path), PLAYBOOK, host=walk.host, sink=EventLog.reopen(path), tools=walk.tools
    )
    assert again.view.step == walk.view.step
    assert again.view.commands == walk.view.commands


def test_the_view_lacks_no_event_of_two_threads_and_has_their_order(make_walk: MakeWalk) -> None:
    class Waiting(MemoryLog):
        """Lets another thread in, after an event is written and before it is in the view."""

        def append(self, event: Event) -> None:
            super().append(event)
            if isinstance(event, NoteWritten) and event.text == "first":
                second.start()
                second.join(0.2)

    sink = Waiting()
    walk = make_walk(sink=sink)
    walk.enter("first")
    second = threading.Thread(target=walk.note, args=("second",))
    walk.note("first")
    second.join()
    written = [event.text for event in sink.events if isinstance(event, NoteWritten)]
    assert [note.text for note in walk.view.notes] == written == ["first", "second"]


def test_a_command_that_ends_after_the_session_does_not_break_it(
    make_walk: MakeWalk, tmp_path: Path
) -> None:
    log = EventLog.create(tmp_path / "s1.jsonl")
    walk = make_walk(sink=log)
    walk.enter("first")
    assert walk.proposed
    walk.run(walk.proposed, on_output=lambda text: walk.end("terminated"))
    assert walk.unsaved
    assert "has ended" in walk.unsaved
    events = read_events(log.path)
    assert isinstance(events[-1], SessionEnded)
    assert walk.view.commands[0].result is not None
