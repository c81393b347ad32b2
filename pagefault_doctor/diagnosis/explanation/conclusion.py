"""Where the fix belongs, what was tried and what it showed, and what the evidence leaves open."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pagefault_doctor.diagnosis import dump_memory, function_roles
from pagefault_doctor.diagnosis.context import Context
from pagefault_doctor.diagnosis.explanation.background import CHECKERS
from pagefault_doctor.diagnosis.explanation.fault import by_command, cited
from pagefault_doctor.diagnosis.missing import to_bring
from pagefault_doctor.diagnosis.provenance import folder_of
from pagefault_doctor.model.diagnosis import Attribution, Candidate, Evidence, RootCause
from pagefault_doctor.model.fact import Value
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
"""The detail of a report that answers the question above."""

_EXPLAINED_BY_A_CALL: Final = (RootCause.NULL_DEREF, RootCause.ERR_PTR)
"""Causes for which the call that returned the value is enough to know."""


def unknown(report: Report, context: Context, first: Candidate) -> Iterator[Evidence]:
    """Yield what is not known about the likeliest cause and would be worth knowing."""
    for part in to_bring(context):
        yield Evidence(f"{part.what} ({part.why}); to bring it: {part.how}", 0.0)
    if dump_memory.names_who_freed(context):
        return
    text = _UNKNOWN.get(first.root_cause)
    if report.pointer and report.pointer.returned_by and first.root_cause in _EXPLAINED_BY_A_CALL:
        return
    leads = (context.walk_fact(f"fix.{checker}_lead_cause") for checker in CHECKERS)
    in_source = any(lead and lead.value == first.root_cause for lead in leads)
    if text and not in_source and _KNOWN_BY.get(first.root_cause, "") not in report.details:
        yield Evidence(text, 0.0)


_ELSEWHERE: Final = {
    Attribution.HARDWARE: "the machine or its firmware needs the repair",
    Attribution.USER_SPACE: "the program needs the change",
    Attribution.MEMORY_PRESSURE: "less load, a limit, or more memory",
}


def fix_location(report: Report, first: Candidate) -> Iterator[Evidence]:
    """Yield who has to change something, and who need not although the fault appeared there."""
    because = first.evidence[-1] if first.evidence else None
    line = because.line if because else report.line_of("function")
    origin = because.origin if because else None
    if first.attribution is Attribution.MODULE:
        folder = folder_of(first.module, report)
        name = f"module {first.module}" if first.module else "a module that the log does not name"
        name += f" ({folder})" if folder else ""
        yield Evidence(f"in {name}: {because.text if because else ''}", 0.0, line, origin)
    elif first.attribution is Attribution.KERNEL:
        yield Evidence(f"in the kernel's own code: {_of_the_kernel(report)}", 0.0, line, origin)
    elif first.attribution is not Attribution.NONE:
        text = f"not in the kernel's code: {_ELSEWHERE[first.attribution]}"
        yield Evidence(text, 0.0, line, origin)
    elsewhere = report.function and report.module != first.module
    if elsewhere and function_roles.only_passes_on(report.function):
        text = f"{report.function} only worked with what it was given: no change belongs there"
        yield cited(text, report, "function")


def _of_the_kernel(report: Report) -> str:
    release = f" than {report.kernel_release}" if report.kernel_release else ""
    return f"look for the place in a newer kernel's changes{release}, else report it there"


_SHOWN: Final[tuple[tuple[str, Value, str], ...]] = (
    ("reproduce.reproduced", True, "it comes when it is called: new reports after the trigger"),
    ("reproduce.reproduced", False, "it did not come back when it was called"),
    ("memtest.passed", True, "a memory test passed, which does not clear the memory"),
    ("memtest.passed", False, "a memory test failed"),
    ("fix.changed", True, "the source was changed"),
    ("fix.built", True, "the changed module was built"),
    ("fix.built", False, "the changed module did not build"),
    ("validate.verdict", "fixed", "with it the trigger, the load and unloading brought no report"),
    ("validate.verdict", "not-fixed", "with it the fault came again"),
    ("validate.verdict", "inconclusive", "the proof is not complete: see the last step"),
)
"""A fact of the walk, its value, and what that means."""


def tried(context: Context) -> Iterator[Evidence]:
    """Yield what was tried, in the order of the steps."""
    for name, value, text in _SHOWN:
        fact = context.walk_fact(name)
        if fact and fact.value == value:
            yield by_command(text, fact)
