"""What came before the fault: who allocated, freed or queued what, and what was loaded."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Final

from pagefault_doctor.diagnosis import dump_memory
from pagefault_doctor.diagnosis.context import Context
from pagefault_doctor.diagnosis.explanation.fault import by_command, cited
from pagefault_doctor.diagnosis.function_roles import RUNNING_TIMERS
from pagefault_doctor.diagnosis.history import happened_before, same_fault
from pagefault_doctor.diagnosis.provenance import name_words
from pagefault_doctor.model.diagnosis import Candidate, Evidence, RootCause
from pagefault_doctor.model.report import Report
from pagefault_doctor.symbols.value_origin import OriginKind

_MOST: Final = 8
"""Modules that are named as being loaded, and as loaded before."""
_RECENT: Final = 60.0
"""Seconds within which a module's loading is worth a sentence."""

_STACKS: Final = (
    ("allocated", "the memory was allocated by {by}"),
    ("freed", "{freed} by {by}"),
    ("created", "the value that was never set was made by {by}"),
    ("related", "work on the object had been put off by {by}"),
)
_OF_FREED: Final = (RootCause.USE_AFTER_FREE, RootCause.DOUBLE_FREE, RootCause.LIST_CORRUPTION)
"""Causes that include the last free; for others it only ended an earlier use of the memory."""
CHECKERS: Final = ("cocci", "analyser", "sparse")
"""Checkers of the source code, as they are called in the names of their facts."""
_EXPECTED_BUILD: Final = (
    ("module.vermagic_fits", "the module's file is built for this kernel"),
    ("module.srcversion_fits", "the module in memory is of the same source as its file"),
)


def background(report: Report, context: Context, first: Candidate) -> Iterator[Evidence]:
    """Yield the sentences, those nearest to the fault first."""
    if report.pointer and report.pointer.returned_by:
        text = f"{report.pointer.name} is what {report.pointer.returned_by}() had returned"
        yield cited(f"{text}, just before", report, "registers")
    elif sentence := _origin(context):
        yield cited(sentence, report, "code")
    freed = "the memory was freed"
    if first.root_cause not in _OF_FREED:
        freed = "before it was given out again, the memory had been freed"
    for name, text in _STACKS:
        by, module = report.details.get(f"{name}_by"), report.details.get(f"{name}_module")
        if by:
            of = f"{by} of module {module}" if module else by
            yield cited(text.format(by=of, freed=freed), report, f"{name}_by")
    yield from dump_memory.sentences(context)
    yield from _leads(context, first)
    yield from _loading(report)
    yield from _deferred(report)
    if words := name_words(first.module, report):
        yield cited(words, report, "modules", "function")
    yield from _loaded_before(report, context)
    yield from _earlier(report, context)
    yield from _build(context)
    if (report.die_count or 0) > 1:
        text = f"it is number {report.die_count} of this boot: an earlier one may have led to it"
        yield cited(text, report, "headline")


def _origin(context: Context) -> str | None:
    """Return a sentence on where the bad pointer came from, or None."""
    found = context.origin
    if found is None or context.base is None:
        return None
    name = context.base[0].upper()
    match found.how:
        case OriginKind.RETURNED:
            return f"{name} is what the call {found.distance} bytes before gave back"
        case OriginKind.PASSED:
            function = context.report.function
            return f"{name} is argument {found.number} of {function}, as it was called"
        case OriginKind.CLEARED:
            return f"{name} had just been set to 0 ({found.text})"
        case OriginKind.LOADED:
            return f"{name} had just been loaded from memory ({found.text}){_kept_at(context)}"


def _kept_at(context: Context) -> str:
    found = context.origin
    value = context.registers.get(found.base) if found and found.base else None
    if found is None or value is None or not found.base:
        return ""
    place = (value + found.displacement) & ((1 << context.bits) - 1)
    return f": it was kept at {place:#x}, {found.displacement:#x} behind {found.base.upper()}"


def _leads(context: Context, first: Candidate) -> Iterator[Evidence]:
    """Yield the place in the source where a checker finds a mistake that leads to this cause."""
    for checker in CHECKERS:
        lead = context.walk_fact(f"fix.{checker}_lead")
        cause = context.walk_fact(f"fix.{checker}_lead_cause")
        if lead and cause and cause.value == first.root_cause:
            yield by_command(f"in the source, {lead.value}", lead)


def _loading(report: Report) -> Iterator[Evidence]:
    """Yield that a module was just being loaded or unloaded (`+` and `-` in the list)."""
    moving = (module for module in report.modules if "+" in module.flags or "-" in module.flags)
    for module in islice(moving, _MOST):
        stage = "loaded" if "+" in module.flags else "unloaded"
        yield cited(f"{module.name} was just being {stage}", report, "modules")
    if report.last_unloaded:
        yield cited(f"the last module unloaded was {report.last_unloaded}", report, "modules")


def _deferred(report: Report) -> Iterator[Evidence]:
    if report.workqueue:
        text = f"it ran as a work item ({report.workqueue}): whoever queued it is not in the trace"
        yield cited(text, report, "workqueue")
    callers = (f for f in report.frames if f.function in RUNNING_TIMERS and f.reliable)
    if frame := next(callers, None):
        text = "it ran as a timer: whoever armed it is not in the trace"
        yield Evidence(text, 0.0, frame.line or report.line_of("trace"))


def _loaded_before(report: Report, context: Context) -> Iterator[Evidence]:
    """Yield the last modules that were loaded before; a log may have thousands of such lines."""
    found = []
    for event in context.module_events:
        known = event.timestamp is not None and report.timestamp is not None
        if event.boot != report.boot or event.what not in ("out-of-tree", "forced") or not known:
            continue
        before = (report.timestamp or 0.0) - (event.timestamp or 0.0)
        if 0 <= before <= _RECENT:
            found.append((event, before))
    for event, before in found[-_MOST:]:
        text = f"{event.module}, from outside the tree, was loaded {before:.1f} s before"
        yield Evidence(text, 0.0, event.line.number)


def _earlier(report: Report, context: Context) -> Iterator[Evidence]:
    """Yield what came before the report, and how often the same came in other boots."""
    if before := happened_before(report, context.others):
        text = f"the taint tells of {' and '.join(before)} before: look for it earlier in the log"
        yield cited(text, report, "process")
    if found := same_fault(report, context.history):
        yield cited(f"the same came in {len(found)} other boots of the log", report, "headline")
    if context.boots_after:
        text = "it is of an earlier boot: what the machine says of itself now (taint, modules) "
        yield cited(f"{text}need not be true of it", report, "headline")


def _build(context: Context) -> Iterator[Evidence]:
    """Yield that the module is the expected build, where that was checked."""
    for name, text in _EXPECTED_BUILD:
        fact = context.walk_fact(name)
        if fact and fact.value is True:
            yield by_command(text, fact)
