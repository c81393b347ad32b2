"""Hints at a bug in the source, by whatever checker: told, and joined with the line that faulted.

A hint at the faulty line, or beside it, counts as evidence for the cause that its pattern is known
to bring. One elsewhere is only told: it may be another bug, or none.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec

from pagefault_doctor.model.case import Case, ToolReading
from pagefault_doctor.model.command import Result
from pagefault_doctor.model.fact import Fact, Finding, Mark
from pagefault_doctor.tools.fix.source import own_place
from pagefault_doctor.tools.tool import fact, finding

NEAR: Final = 2
"""Lines that a compiler may put between a statement and the instruction that faulted."""

_TOLD: Final = 8


class SourceHint(msgspec.Struct, frozen=True):
    """What a checker said of a line. `cause` is the root cause its pattern brings, where known.

    `at` is the line of the checker's output.
    """

    file: str
    line: int
    text: str
    at: int
    cause: str = ""


def reading(
    hints: Iterable[SourceHint], result: Result, case: Case, name: str, silence: str
) -> ToolReading:
    """Return the hints as findings, those at the faulty line first, and the facts they make.

    `name` begins the names of the facts (see `facts`). `silence` is what to say where there is no
    hint.
    """
    found = sorted(hints, key=lambda hint: not _is_near(hint, case))
    made: list[Fact] = [fact(f"fix.{name}_warnings", len(found), result)]
    if not found:
        return ToolReading(facts=tuple(made), findings=(finding(silence, Mark.NEUTRAL, result),))
    first = found[0]
    if first.cause and _is_near(first, case):
        made.append(fact(f"fix.{name}_cause", first.cause, result, first.at))
    made += _lead(found, result, case, name)
    told = tuple(_told(hint, result, case) for hint in found[:_TOLD])
    return ToolReading(facts=tuple(made), findings=told)


def facts(name: str) -> tuple[str, ...]:
    """Return the names of the facts that a checker's hints may make.

    `warnings` is how many there are, `cause` what a hint at the faulty line brings, `lead` the hint
    that fits the likeliest cause wherever it is, and `lead_cause` that cause.
    """
    return tuple(f"fix.{name}_{what}" for what in ("warnings", "cause", "lead", "lead_cause"))


def _lead(hints: Iterable[SourceHint], result: Result, case: Case, name: str) -> tuple[Fact, ...]:
    likeliest = case.get("verdict.root_cause", "")
    hint = next((h for h in hints if h.cause and h.cause == likeliest), None)
    if hint is None:
        return ()
    text = f"{hint.file.rpartition('/')[2]}:{hint.line}: {hint.text}"
    return (
        fact(f"fix.{name}_lead", text, result, hint.at),
        fact(f"fix.{name}_lead_cause", hint.cause, result, hint.at),
    )


def _is_near(hint: SourceHint, case: Case) -> bool:
    place = own_place(case)
    if place is None:
        return False
    same_file = hint.file.rpartition("/")[2] == place[0].rpartition("/")[2]
    return same_file and abs(hint.line - place[1]) <= NEAR


def _told(hint: SourceHint, result: Result, case: Case) -> Finding:
    near = _is_near(hint, case)
    where = "at the line that faulted" if near else ""
    cause = f"the pattern of {hint.cause}" if hint.cause else ""
    remark = ", ".join(part for part in (cause, where) if part)
    text = f"{hint.file}:{hint.line}: {hint.text}" + (f" ({remark})" if remark else "")
    # Where the faulty line is unknown, every hint may be at it.
    mark = Mark.BAD if near or own_place(case) is None else Mark.NEUTRAL
    return finding(text, mark, result, hint.at)
