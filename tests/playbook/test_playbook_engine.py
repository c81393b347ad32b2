"""The engine: sequences of events, and the state and effects that follow."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pagefault_doctor.model.event import (
    Event,
    FactGiven,
    NoteWritten,
    Outcome,
    SessionEnded,
    StepEntered,
    StepFinished,
    ToolFinished,
)
from pagefault_doctor.model.fact import Fact, Finding, Mark, Source, Value
from pagefault_doctor.model.playbook import (
    Condition,
    Playbook,
    Step,
    StepForm,
    StepStatus,
    Suggestion,
)
from pagefault_doctor.playbook.engine import (
    Conclude,
    Effect,
    OutputLearned,
    Suggest,
    UseTool,
    WalkState,
    advance,
    pending,
    start,
    step_now,
)

BOOK = Playbook(
    schema=1,
    id="book",
    title="Book",
    summary="Three steps.",
    steps=(
        Step(
            id="look",
            title="Look",
            why="To see.",
            tools=("dmesg", "journal"),
            suggest=(
                Suggestion("end", "Not the kernel.", Condition(fact="report.kind", is_="user")),
                Suggestion("mend", "In {report.module}.", Condition("report.module", present=True)),
                Suggestion(
                    "mend",
                    "Go on without.",
                    Condition("step.look.status", in_=("blocked", "skipped", "failed")),
                ),
            ),
        ),
        Step(id="think", title="Think", why="To know."),
        Step(id="mend", title="Mend", why="To cure.", tools=("edit",)),
    ),
)

SOURCE = Source("dmesg", 3)
WHERE = OutputLearned(facts=(Fact("report.module", "faulty", SOURCE),))
ALARM = OutputLearned(findings=(Finding("It is bad.", Mark.BAD, SOURCE),))
CALM = OutputLearned(
    findings=(Finding("All is well.", Mark.GOOD, SOURCE), Finding("So.", Mark.NEUTRAL, SOURCE))
)

ENTER = StepEntered(step="look")


def tool(name: str, outcome: Outcome, reason: str = "", step: str = "look") -> ToolFinished:
    return ToolFinished(step=step, tool=name, outcome=outcome, reason=reason)


def finish(status: StepStatus, step: str = "look") -> StepFinished:
    return StepFinished(step=step, status=status)


def walk(
    *events: Event | OutputLearned, state: WalkState | None = None
) -> tuple[WalkState, tuple[Effect, ...]]:
    now = state or start(BOOK)
    effects: tuple[Effect, ...] = ()
    for event in events:
        now, effects = advance(now, event)
    return now, effects


def learned(name: str, value: Value) -> OutputLearned:
    return OutputLearned(facts=(Fact(name, value, SOURCE),))


def test_nothing_has_been_done_at_the_start() -> None:
    state = start(BOOK)
    assert state.current is None
    assert [step.status for step in state.steps.values()] == [StepStatus.TODO] * 3


def test_entering_a_step_uses_its_first_tool() -> None:
    state, effects = walk(ENTER)
    assert state.current == "look"
    assert state.steps["look"].status is StepStatus.RUNNING
    assert effects == (UseTool("look", "dmesg"),)


def test_the_tools_are_used_in_order() -> None:
    _, effects = walk(ENTER, tool("dmesg", Outcome.USED))
    assert effects == (UseTool("look", "journal"),)


def test_a_step_without_tools_is_concluded_at_once() -> None:
    _, effects = walk(StepEntered(step="think"))
    assert effects == (Conclude("think", StepStatus.DONE, "nothing to do here"),)


U, N, B, D, F, C = (
    Outcome.USED,
    Outcome.NOT_NEEDED,
    Outcome.BLOCKED,
    Outcome.DECLINED,
    Outcome.FAILED,
    Outcome.CANCELLED,
)


@pytest.mark.parametrize(
    ("first", "second", "status", "reason"),
    [
        (U, U, StepStatus.DONE, ""),
        (U, N, StepStatus.DONE, ""),
        (U, B, StepStatus.DONE, ""),
        (D, U, StepStatus.DONE, ""),
        (U, F, StepStatus.DONE, ""),
        (C, U, StepStatus.DONE, ""),
        (N, N, StepStatus.DONE, "nothing to do here"),
        (N, B, StepStatus.BLOCKED, "journal: two"),
        (B, B, StepStatus.BLOCKED, "dmesg: one; journal: two"),
        (B, D, StepStatus.BLOCKED, "dmesg: one"),
        (F, B, StepStatus.FAILED, "dmesg: one"),
        (F, F, StepStatus.FAILED, "dmesg: one; journal: two"),
        (N, F, StepStatus.FAILED, "journal: two"),
        (N, D, StepStatus.SKIPPED, "journal: two"),
        (D, D, StepStatus.SKIPPED, "dmesg: one; journal: two"),
        (D, C, StepStatus.SKIPPED, "dmesg: one"),
        (C, N, StepStatus.SKIPPED, "dmesg: one"),
        (C, B, StepStatus.BLOCKED, "journal: two"),
    ],
)
def test_a_step_is_judged_by_what_became_of_its_tools(
    first: Outcome, second: Outcome, status: StepStatus, reason: str
) -> None:
    _, effects = walk(ENTER, tool("dmesg", first, "one"), tool("journal", second, "two"))
    assert effects == (Conclude("look", status, reason),)


@pytest.mark.parametrize("outcome", [U, N, B, D, F, C])
def test_a_bad_finding_makes_a_step_call_for_attention(outcome: Outcome) -> None:
    _, effects = walk(ENTER, ALARM, tool("dmesg", U), tool("journal", outcome, "why"))
    assert effects == (Conclude("look", StepStatus.ATTENTION, ""),)


def test_good_and_neutral_findings_do_not() -> None:
    _, effects = walk(ENTER, CALM, tool("dmesg", U), tool("journal", U))
    assert effects == (Conclude("look", StepStatus.DONE, ""),)


def test_a_finding_before_the_first_step_alarms_no_step() -> None:
    state, effects = walk(ALARM)
    assert state == start(BOOK)
    assert effects == ()


@pytest.mark.parametrize(
    ("events", "suggestion"),
    [
        ([finish(StepStatus.DONE)], Suggest("think", "It is the next step.")),
        ([WHERE, finish(StepStatus.ATTENTION)], Suggest("mend", "In faulty.")),
        (
            [WHERE, learned("report.kind", "user"), finish(StepStatus.DONE)],
            Suggest("end", "Not the kernel."),
        ),
        ([finish(StepStatus.BLOCKED)], Suggest("mend", "Go on without.")),
        ([finish(StepStatus.SKIPPED)], Suggest("mend", "Go on without.")),
        ([WHERE, finish(StepStatus.BLOCKED)], Suggest("mend", "In faulty.")),
    ],
)
def test_a_finished_step_suggests_where_to_go(
    events: list[Event | OutputLearned], suggestion: Suggest
) -> None:
    _, effects = walk(ENTER, *events)
    assert effects == (suggestion,)


def test_the_last_step_suggests_the_end() -> None:
    _, effects = walk(StepEntered(step="mend"), finish(StepStatus.DONE, "mend"))
    assert effects == (Suggest("end", "That was the last step."),)


def test_a_finished_step_is_a_fact() -> None:
    state, _ = walk(ENTER, StepFinished(step="look", status=StepStatus.FAILED, reason="disk full"))
    assert state.facts["step.look.status"].value == "failed"
    assert state.steps["look"].reason == "disk full"


def test_a_step_that_was_cut_short_uses_no_further_tool() -> None:
    _, effects = walk(ENTER, finish(StepStatus.SKIPPED), tool("dmesg", C))
    assert effects == ()


def test_a_tool_may_end_before_its_turn() -> None:
    state, effects = walk(ENTER, tool("journal", D))
    assert effects == (UseTool("look", "dmesg"),)
    assert pending(state, "look") == ("dmesg",)


def test_entering_a_step_again_begins_it_anew_and_keeps_the_facts() -> None:
    state, _ = walk(
        ENTER, WHERE, ALARM, tool("dmesg", U), tool("journal", F, "x"), finish(StepStatus.ATTENTION)
    )
    state, effects = walk(ENTER, state=state)
    assert effects == (UseTool("look", "dmesg"),)
    assert state.steps["look"].finished == ()
    assert state.facts["report.module"].value == "faulty"
    _, effects = walk(tool("dmesg", U), tool("journal", U), state=state)
    assert effects == (Conclude("look", StepStatus.DONE, ""),)


def test_one_may_go_to_any_step_at_any_time() -> None:
    state, effects = walk(ENTER, StepEntered(step="mend"))
    assert state.current == "mend"
    assert effects == (UseTool("mend", "edit"),)


def test_the_latest_fact_of_a_name_counts() -> None:
    state, _ = walk(learned("report.count", 1), learned("report.count", 2))
    assert state.facts["report.count"].value == 2


@pytest.mark.parametrize(
    "event",
    [
        NoteWritten(step="look", text="hm"),
        SessionEnded(reason="quit"),
        StepEntered(step="gone"),
        tool("dmesg", U, step="gone"),
        finish(StepStatus.DONE, "gone"),
    ],
)
def test_what_does_not_concern_the_walk_changes_nothing(event: Event) -> None:
    state, _ = walk(ENTER, WHERE)
    assert advance(state, event) == (state, ())


STEPS = st.sampled_from(["look", "think", "mend", "gone"])
EVENTS: st.SearchStrategy[Event | OutputLearned] = st.one_of(
    st.builds(StepEntered, step=STEPS),
    st.builds(
        ToolFinished,
        step=STEPS,
        tool=st.sampled_from(["dmesg", "journal", "edit", "other"]),
        outcome=st.sampled_from(Outcome),
    ),
    st.builds(StepFinished, step=STEPS, status=st.sampled_from(StepStatus)),
    st.sampled_from([WHERE, ALARM, CALM]),
)


@given(st.lists(EVENTS, max_size=12))
def test_the_same_events_give_the_same_walk_and_touch_no_earlier_state(
    events: list[Event | OutputLearned],
) -> None:
    state = start(BOOK)
    for event in events:
        before = msgspec.json.encode(state)
        first = advance(state, event)
        assert advance(state, event) == first
        assert msgspec.json.encode(state) == before
        state = first[0]


@given(st.lists(EVENTS, max_size=12))
def test_a_running_step_always_has_a_next_thing_to_do(events: list[Event | OutputLearned]) -> None:
    state = start(BOOK)
    for event in events:
        state, effects = advance(state, event)
        if isinstance(event, StepEntered) and event.step in state.steps:
            assert effects
        for effect in effects:
            if isinstance(effect, Suggest):
                assert effect.go in {*state.steps, "end"}
                assert effect.because


ELSEWHERE = Condition("log.of", is_="another")
AWAY = OutputLearned(facts=(Fact("log.of", "another", SOURCE),))
TWO_FORMS = msgspec.structs.replace(
    BOOK,
    steps=(
        msgspec.structs.replace(
            BOOK.steps[0],
            by_hand="Read it.",
            forms=(
                StepForm(ELSEWHERE, why="It is not here.", tools=("dmesg", "lab")),
                StepForm(Condition("never.so", present=True), tools=()),
            ),
        ),
        msgspec.structs.replace(
            BOOK.steps[1], tools=("box",), forms=(StepForm(ELSEWHERE, tools=()),)
        ),
    ),
)


def test_a_step_takes_the_form_whose_condition_holds_and_keeps_the_rest() -> None:
    before = start(TWO_FORMS)
    assert step_now(before, "look").why == "To see."
    now = step_now(advance(before, AWAY)[0], "look")
    assert (now.why, now.tools) == ("It is not here.", ("dmesg", "lab"))
    assert (now.by_hand, now.suggest) == ("Read it.", BOOK.steps[0].suggest)


def test_a_step_changes_its_form_on_the_way_and_does_nothing_twice() -> None:
    state, effects = walk(ENTER, tool("dmesg", U), state=start(TWO_FORMS))
    assert effects == (UseTool("look", "journal"),)
    state, effects = walk(AWAY, tool("journal", B), state=state)
    assert effects == (UseTool("look", "lab"),)
    _, effects = walk(tool("lab", U), state=state)
    assert effects == (Conclude("look", StepStatus.DONE, ""),)


def test_a_form_without_tools_is_done_at_once() -> None:
    _, effects = walk(AWAY, StepEntered(step="think"), state=start(TWO_FORMS))
    assert effects == (Conclude("think", StepStatus.DONE, "nothing to do here"),)


def test_what_a_person_says_brings_a_finished_step_the_tools_of_its_new_form() -> None:
    done = finish(StepStatus.DONE)
    state, _ = walk(ENTER, tool("dmesg", U), tool("journal", U), done, state=start(TWO_FORMS))
    state, _ = walk(AWAY, state=state)
    _, effects = walk(FactGiven(name="log_of", value="another"), state=state)
    assert effects == (UseTool("look", "lab"),)
