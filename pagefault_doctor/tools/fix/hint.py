"""Hints of a source checker at a bug, compared with the line that faulted.

A hint within NEARBY_LINES of the faulty line is evidence for the root cause of its pattern. A hint
elsewhere is only shown: it may be another bug, or none.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec

from pagefault_doctor.model.case import Case, ToolReading
from pagefault_doctor.model.command import Result
from pagefault_doctor.model.fact import Fact, Finding, Mark
from pagefault_doctor.tools.fix.source import module_fault_line
from pagefault_doctor.tools.tool import fact, finding

NEARBY_LINES: Final = 2
"""Distance in lines from the faulty line at which a hint still counts as being there."""

_MAX_FINDINGS: Final = 8


class SourceHint(msgspec.Struct, frozen=True):
    """A checker's message for a line. `cause` is the root cause of its pattern, if known.

    `at` is the line number of the checker's output.
    """

    file: str
    line: int
    text: str
    at: int
    cause: str = ""


def cause_in(text: str, causes: Iterable[tuple[str, str]]) -> str:
    """Return the first root cause whose words are in a message, else an empty text."""
    return next((cause for words, cause in causes if words in text), "")


def hints_reading(
    hints: Iterable[SourceHint], result: Result, case: Case, name: str, silence: str
) -> ToolReading:
    """Return findings for the hints, those at the faulty line first, and their facts.

    `name` is part of the fact names (see `fact_names`). `silence` is the finding without hints.
    """
    found = sorted(hints, key=lambda hint: not _is_near(hint, case))
    facts: list[Fact] = [fact(f"fix.{name}_warnings", len(found), result)]
    if not found:
        return ToolReading(facts=tuple(facts), findings=(finding(silence, Mark.NEUTRAL, result),))
    first = found[0]
    if first.cause and _is_near(first, case):
        facts.append(fact(f"fix.{name}_cause", first.cause, result, first.at))
    facts += _lead_facts(found, result, case, name)
    findings = tuple(_hint_finding(hint, result, case) for hint in found[:_MAX_FINDINGS])
    return ToolReading(facts=tuple(facts), findings=findings)


def fact_names(name: str) -> tuple[str, ...]:
    """Return the names of the facts from a checker's hints.

    `warnings` is their number, `cause` the root cause of a hint at the faulty line, `lead` the hint
    for the likeliest root cause anywhere, and `lead_cause` that cause.
    """
    return tuple(f"fix.{name}_{what}" for what in ("warnings", "cause", "lead", "lead_cause"))


def _lead_facts(
    hints: Iterable[SourceHint], result: Result, case: Case, name: str
) -> tuple[Fact, ...]:
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
    location = module_fault_line(case)
    if location is None:
        return False
    same_file = hint.file.rpartition("/")[2] == location[0].rpartition("/")[2]
    return same_file and abs(hint.line - location[1]) <= NEARBY_LINES


def _hint_finding(hint: SourceHint, result: Result, case: Case) -> Finding:
    near = _is_near(hint, case)
    where = "at the line that faulted" if near else ""
    cause = f"the pattern of {hint.cause}" if hint.cause else ""
    remark = ", ".join(part for part in (cause, where) if part)
    text = f"{hint.file}:{hint.line}: {hint.text}" + (f" ({remark})" if remark else "")
    # If the faulty line is unknown, every hint may be at it.
    mark = Mark.BAD if near or module_fault_line(case) is None else Mark.NEUTRAL
    return finding(text, mark, result, hint.at)
