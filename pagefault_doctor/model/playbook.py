"""A playbook: the steps of a walk, which tools each uses, and where to go next."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import msgspec

from pagefault_doctor.model.fact import Value


class StepStatus(StrEnum):
    """The state of a step. `attention` is done, with a finding that is a problem."""

    TODO = "todo"
    RUNNING = "running"
    DONE = "done"
    ATTENTION = "attention"
    BLOCKED = "blocked"
    SKIPPED = "skipped"
    FAILED = "failed"


class Condition(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A test on facts, as data.

    Either `fact` with exactly one of `is_`, `in_`, `present` and `at_least`, or exactly one of
    `all`, `any` and `not_`.
    """

    fact: str | None = None
    # YAML and JSON use the Python keywords; so do the messages about mistakes.
    is_: Value | None = msgspec.field(default=None, name="is")
    in_: tuple[Value, ...] | None = msgspec.field(default=None, name="in")
    present: bool | None = None
    at_least: float | None = None
    all: tuple[Condition, ...] | None = None
    any: tuple[Condition, ...] | None = None
    not_: Condition | None = msgspec.field(default=None, name="not")


class Suggestion(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Where to go when `when` holds (always, where it is absent), and why.

    `go` is the id of a step, or `end`; with `playbook` it is a step of that one, in which the walk
    goes on. `because` may name facts in braces.
    """

    go: str
    because: str
    when: Condition | None = None
    playbook: str | None = None


class StepForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a step is where `when` holds; a field that is absent is that of the step."""

    when: Condition
    why: str | None = None
    by_hand: str | None = None
    tools: tuple[str, ...] | None = None
    suggest: tuple[Suggestion, ...] | None = None


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One step. `tools` are used in order; the first suggestion that holds wins.

    With `remedy` the step shows the usual fix of the likeliest cause, with its example. Of `forms`
    the first whose condition holds counts, also where it begins to hold on the way.
    """

    id: str
    title: str
    why: str
    tools: tuple[str, ...] = ()
    help: str = ""
    by_hand: str = ""
    remedy: bool = False
    suggest: tuple[Suggestion, ...] = ()
    forms: tuple[StepForm, ...] = ()

    def as_form(self, form: StepForm) -> Step:
        """Return the step with what the form has of its own."""
        own = {name: value for name in _OF_FORM if (value := getattr(form, name)) is not None}
        return msgspec.structs.replace(self, **own)


_OF_FORM: Final = ("why", "by_hand", "tools", "suggest")


class Playbook(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A whole playbook, as `playbooks/*.yaml` holds it."""

    schema: int
    id: str
    title: str
    summary: str
    steps: tuple[Step, ...]

    def has(self, step_id: str) -> bool:
        """Whether there is a step of that id."""
        return any(step.id == step_id for step in self.steps)

    def step(self, step_id: str) -> Step:
        """Return the step of that id; raises KeyError where there is none."""
        for step in self.steps:
            if step.id == step_id:
                return step
        raise KeyError(step_id)


class Remedy(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What to change for a cause: in words, and as C code before and after.

    `check` is the code that usually belongs before the line that faulted; `{pointer}` in it stands
    for the expression that the line dereferences.
    """

    change: str
    check: str = ""
    before: str = ""
    after: str = ""
    api: str = ""


class Cause(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a root cause is, how it shows, how it is fixed and how the fix is proven."""

    id: str
    title: str
    what: str
    shows: tuple[str, ...]
    remedy: Remedy
    prove: str
