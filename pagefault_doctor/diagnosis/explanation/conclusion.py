"""What the evidence cannot tell, and what would."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pagefault_doctor.diagnosis import dump_memory
from pagefault_doctor.diagnosis.context import Scene
from pagefault_doctor.diagnosis.explanation.background import CHECKERS
from pagefault_doctor.model.diagnosis import Candidate, Evidence, RootCause
from pagefault_doctor.model.report import Report

_UNKNOWN: Final = {
    RootCause.NULL_DEREF: "which assignment left the pointer NULL is not in the log: the source or "
    "a dump shows it",
    RootCause.ERR_PTR: "which call gave the error is not in the log: the source shows it",
    RootCause.USE_AFTER_FREE: "who freed it is not in the log: slub_debug or KASAN names it",
    RootCause.DOUBLE_FREE: "who freed it first is not in the log: slub_debug or KASAN names it",
    RootCause.OUT_OF_BOUNDS: "whose object it is is not in the log: slub_debug or KASAN names it",
    RootCause.WILD_POINTER: "who wrote the value is not in the log: a dump shows where it was kept",
    RootCause.LIST_CORRUPTION: "who broke the list is not in the log, only who found it broken",
    RootCause.STACK_OVERFLOW: "how deep each call went is only partly in the log",
    RootCause.PAGE_TABLE: "who wrote to the page table is not in the log",
    RootCause.LOCKUP_HANG: "who holds what the others wait for is not in the log: a dump, or "
    "lockdep, shows it",
    RootCause.HARDWARE: "which part is broken is not in the log",
}
_KNOWN_BY: Final = {
    RootCause.USE_AFTER_FREE: "freed_by",
    RootCause.DOUBLE_FREE: "freed_by",
    RootCause.OUT_OF_BOUNDS: "allocated_by",
    RootCause.LOCKUP_HANG: "owner",
}
"""The detail of a report that makes the sentence above untrue."""

_TOLD_BY_A_CALL: Final = (RootCause.NULL_DEREF, RootCause.ERR_PTR)
"""Causes of which one knows enough with the call that gave the value."""


def unknown(report: Report, scene: Scene, first: Candidate) -> Iterator[Evidence]:
    """Give what is not known, as far as the likeliest cause makes one ask for it."""
    if dump_memory.knows_who_freed(scene):
        return
    text = _UNKNOWN.get(first.root_cause)
    if report.pointer and report.pointer.returned_by and first.root_cause in _TOLD_BY_A_CALL:
        return
    leads = (scene.of_walk(f"fix.{checker}_lead_cause") for checker in CHECKERS)
    in_source = any(lead and lead.value == first.root_cause for lead in leads)
    if text and not in_source and _KNOWN_BY.get(first.root_cause, "") not in report.details:
        yield Evidence(text, 0.0)
