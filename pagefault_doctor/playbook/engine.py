"""The engine: a pure state machine that walks a playbook.

`advance` takes a state and an event of the session and returns the next state and the effects to
carry out. It runs nothing and reads nothing. The walk carries out the effects and passes back the
events that result. So replaying the events of a session leads to the same state.
"""

from __future__ import annotations

from typing import Final

import msgspec

from pagefault_doctor.model.event import (
    Event,
    FactGiven,
    LogRead,
    Outcome,
    StepEntered,
    StepFinished,
    ToolFinished,
)
from pagefault_doctor.model.fact import Fact, Finding, Mark, Source
from pagefault_doctor.model.playbook import Playbook, Step, StepStatus
from pagefault_doctor.playbook.condition import fill, holds

END: Final = "end"
"""Where a suggestion goes when the walk is over."""


class OutputLearned(msgspec.Struct, frozen=True):
    """Facts and findings of a command's output. It follows from logged events; it is not logged."""

    facts: tuple[Fact, ...] = ()
    findings: tuple[Finding, ...] = ()


class StepState(msgspec.Struct, frozen=True):
    """The state of one step; `alarming` is set by a finding that is a problem."""

    status: StepStatus = StepStatus.TODO
    finished: tuple[ToolFinished, ...] = ()
    alarming: bool = False
    reason: str = ""


class WalkState(msgspec.Struct, frozen=True):
    """The state of the walk. `current` is None before the first step.

    `left` are the playbooks that were walked before this one, in order; `steps` has theirs as well.
    `has_new_log` says that a log was given since the step was entered.
    """

    playbook: Playbook
    current: str | None
    steps: dict[str, StepState]
    facts: dict[str, Fact]
    left: tuple[Playbook, ...] = ()
    has_new_log: bool = False


class UseTool(msgspec.Struct, frozen=True):
    """Use this tool now."""

    step: str
    tool: str


class Conclude(msgspec.Struct, frozen=True):
    """Every tool of the step has been used: finish it with this status."""

    step: str
    status: StepStatus
    reason: str


class Suggest(msgspec.Struct, frozen=True):
    """Propose to the person to go to this step, or to `end`; with `playbook` to a step of that."""

    go: str
    because: str
    playbook: str | None = None


DID_NOTHING: Final = (Outcome.BLOCKED, Outcome.NOT_NEEDED)
"""Outcomes of tools that ran no command."""

Effect = UseTool | Conclude | Suggest


def start(playbook: Playbook) -> WalkState:
    """Return the state before the first step."""
    return WalkState(playbook, None, {step.id: StepState() for step in playbook.steps}, {})


def change_playbook(state: WalkState, playbook: Playbook) -> WalkState:
    """Return the state in which the walk goes on in another playbook, before a step of it.

    A step of the same id in both is the same step, so what is known of it stays.
    """
    fresh = {step.id: StepState() for step in playbook.steps}
    return msgspec.structs.replace(
        state,
        playbook=playbook,
        current=None,
        steps=fresh | state.steps,
        left=(*state.left, state.playbook),
    )


def advance(state: WalkState, event: Event | OutputLearned) -> tuple[WalkState, tuple[Effect, ...]]:
    """Return the state after the event, and what to do now.

    An event of a step that the playbook does not have changes nothing: the session may have been
    written with another version of the playbook.
    """
    match event:
        case OutputLearned():
            return _learn(state, event), ()
        case StepEntered(step=step) | ToolFinished(step=step) | StepFinished(step=step) if (
            not state.playbook.has(step)
        ):
            return state, ()
        case StepEntered(step=step):
            # A step that is entered again starts over: the machine may have changed.
            entered = StepState(StepStatus.RUNNING)
            state = _with_step(state, step, entered)
            state = msgspec.structs.replace(state, current=step, has_new_log=False)
            return state, _proceed(state, step)
        case ToolFinished(step=step):
            before = state.steps[step]
            after = msgspec.structs.replace(before, finished=(*before.finished, event))
            state = _with_step(state, step, after)
            return state, _proceed(state, step)
        case FactGiven():
            return _tried_again(state)
        case LogRead():
            return _judged_again(state)
        case StepFinished(step=step, status=status, reason=reason):
            after = msgspec.structs.replace(state.steps[step], status=status, reason=reason)
            state = _with_step(state, step, after)
            fact = Fact(f"step.{step}.status", status.value, Source("the walk"))
            state = _learn(state, OutputLearned((fact,)))
            return state, (suggest(state, step),)
    return state, ()


def _tried_again(state: WalkState) -> tuple[WalkState, tuple[Effect, ...]]:
    """Return the state in which tools of the current step that could do nothing are used again."""
    step = state.current
    if step is None:
        return state, ()
    before = state.steps[step]
    used = tuple(tool for tool in before.finished if tool.outcome not in DID_NOTHING)
    again = msgspec.structs.replace(before, status=StepStatus.RUNNING, reason="", finished=used)
    tried = _with_step(state, step, again)
    if before.status is StepStatus.RUNNING or pending(tried, step):
        return tried, _proceed(tried, step)
    return state, (suggest(state, step),)


def _judged_again(state: WalkState) -> tuple[WalkState, tuple[Effect, ...]]:
    """Return the state after a log was given, and what to do now by what it says."""
    state = msgspec.structs.replace(state, has_new_log=True)
    step = state.current
    if step is None:
        return state, ()
    if state.steps[step].status is StepStatus.RUNNING:
        return state, _proceed(state, step)
    return state, (suggest(state, step),)


def step_now(state: WalkState, step_id: str) -> Step:
    """Return a step in the form that fits the facts known now."""
    step = state.playbook.step(step_id)
    form = next((form for form in step.forms if holds(form.when, state.facts)), None)
    return step.as_form(form) if form else step


def pending(state: WalkState, step_id: str) -> tuple[str, ...]:
    """Return the tools that a step still has to use, in order; none unless it runs."""
    now = state.steps[step_id]
    if now.status is not StepStatus.RUNNING:
        return ()
    finished = {tool.tool for tool in now.finished}
    return tuple(tool for tool in step_now(state, step_id).tools if tool not in finished)


def suggest(state: WalkState, step_id: str) -> Suggest:
    """Return where the playbook says to go after a step, by the facts known now.

    A log that was given meanwhile may be one for another playbook, which its first step tells.
    """
    first = _first_held(state, state.playbook.steps[0].id) if state.has_new_log else None
    if first and first.playbook:
        return first
    if held := _first_held(state, step_id):
        return held
    # No suggestion holds: go on in the order of the playbook.
    ids = [s.id for s in state.playbook.steps]
    following = ids[ids.index(step_id) + 1 :]
    if following:
        return Suggest(following[0], "It is the next step.")
    return Suggest(END, "That was the last step.")


def _first_held(state: WalkState, step_id: str) -> Suggest | None:
    for each in step_now(state, step_id).suggest:
        if each.when is None or holds(each.when, state.facts):
            return Suggest(each.go, fill(each.because, state.facts), each.playbook)
    return None


def _proceed(state: WalkState, step: str) -> tuple[Effect, ...]:
    now = state.steps[step]
    # A step that was skipped or finished meanwhile uses no more tools.
    if now.status is not StepStatus.RUNNING:
        return ()
    if waiting := pending(state, step):
        return (UseTool(step, waiting[0]),)
    return (Conclude(step, *_conclusion(now)),)


def _conclusion(step: StepState) -> tuple[StepStatus, str]:
    """Return the status of a step by the outcomes of its tools, the most important first."""
    by_outcome: dict[Outcome, list[ToolFinished]] = {}
    for tool in step.finished:
        by_outcome.setdefault(tool.outcome, []).append(tool)
    if step.alarming:
        return StepStatus.ATTENTION, ""
    # One tool that worked is enough: the others are alternatives or additions.
    if Outcome.USED in by_outcome:
        return StepStatus.DONE, ""
    for outcome, status in (
        (Outcome.FAILED, StepStatus.FAILED),
        (Outcome.BLOCKED, StepStatus.BLOCKED),
        (Outcome.DECLINED, StepStatus.SKIPPED),
        (Outcome.CANCELLED, StepStatus.SKIPPED),
    ):
        if tools := by_outcome.get(outcome):
            return status, "; ".join(f"{t.tool}: {t.reason}" for t in tools if t.reason)
    # Every tool returned at once: none was needed.
    return StepStatus.DONE, "nothing to do here"


def _learn(state: WalkState, learned: OutputLearned) -> WalkState:
    facts = state.facts | {fact.name: fact for fact in learned.facts}
    state = msgspec.structs.replace(state, facts=facts)
    if state.current and any(f.mark is Mark.BAD for f in learned.findings):
        now = msgspec.structs.replace(state.steps[state.current], alarming=True)
        state = _with_step(state, state.current, now)
    return state


def _with_step(state: WalkState, step_id: str, step: StepState) -> WalkState:
    return msgspec.structs.replace(state, steps=state.steps | {step_id: step})
