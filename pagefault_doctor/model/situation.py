"""A situation: what a report is of and where it came from, and what helps then."""

from __future__ import annotations

from typing import Final

import msgspec

SHAPES: Final = frozenset(
    {"module", "function", "headline", "line", "comm", "folder", "file", "area", "before", "failed"}
)
"""Conditions that are an expression to be found in a text; their named groups fill sentences.

`headline` is found in the line that the report begins with, `line` in any of it, `before` in the
lines just before it; `folder` and `file` are of the kernel's tree, `area` is the file or folder of
the kernel's own code that faulted, or of who called it. `failed` is found in the lines of a log
without a report that tell what does not work.
"""
NAMES: Final = frozenset(
    {"cause", "who", "kind", "origin", "kernel", "machine", "place", "arch", "detail", "lacks"}
)
"""Conditions that are a word, or a list of words of which one has to fit.

`origin` is `third-party`, `in-tree`, `core` (built into the kernel) or `unnamed`; `kernel` says who
built it, `machine` is `vm`, `board` or `pc`, `place` where the text was read: `box` for the machine
that pfdoctor looks at, else `file`. `detail` is what the report has (`Report.details`), `lacks` the
name of a part that it should have.
"""
SIGNS: Final = frozenset(
    {"sure", "after_death", "loading", "unloading", "gone", "vital", "repeats", "regressed",
     "others_too", "traced", "called", "reentered", "in_crash", "in_vmalloc", "left_behind",
     "whole", "short", "empty", "unread", "ended"}
)  # fmt: skip
"""Conditions that are true or false.

`sure`: said with 0.9 or more. `after_death`: another fault came before. `loading`, `unloading`: the
module was just then. `gone`: it is unloaded. `vital`: without it the machine may not start or not
be reached. `repeats`: other boots had the same fault. `regressed`: only a newer kernel has it.
`others_too`: modules from outside the tree are loaded. `traced`: there is a call trace. `called`:
it jumped to where no code is. `reentered`: the function that waits for a lock stands twice in the
trace. `in_vmalloc`: an area of vmalloc was overrun. `left_behind`: a module that is gone, and that
nothing names, left an object in a list. `ended`: the kernel's branch gets no fixes any more.
`in_crash`: the text is what crash printed of a dump, or was asked for there. Of a log without a
report: `whole`: it begins with a boot; `short`: it has few lines; `empty`: it has none; `unread`: a
part of it could not be read.
"""
FACTS: Final = frozenset({"facts"})
CONDITIONS: Final = SHAPES | NAMES | SIGNS | FACTS

Wanted = bool | str | tuple[str, ...] | dict[str, bool | str]


def listed(wanted: Wanted) -> tuple[str, ...]:
    """Return the words or expressions of which one has to fit, nothing where it is no text."""
    if isinstance(wanted, str):
        return (wanted,)
    return wanted if isinstance(wanted, tuple) else ()


class Situation(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One row of `playbooks/next-steps.yaml`: what to do when all of `when` and none of `unless`.

    `do` is the sentence, `command` an argv. `{names}` in both stand for what is known of the
    report; a row whose names are not all known does not apply. `step` is the step of the wizard
    where it is done.
    """

    id: str
    do: str
    when: dict[str, Wanted] = {}
    unless: dict[str, Wanted] = {}
    command: tuple[str, ...] = ()
    step: str = "check-logs"


class Situations(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `next-steps.yaml` holds. The first situation that fits is the one."""

    schema: int
    situations: tuple[Situation, ...]
