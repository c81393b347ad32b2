"""The account of a fault: what happened, how it can have come to that, where the cure belongs.

Every sentence carries the line or the command it was read from; what the evidence cannot tell is
said as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pagefault_doctor.diagnosis import core
from pagefault_doctor.diagnosis.pointer_words import others_words, place_words, pointer_words
from pagefault_doctor.diagnosis.reading import error_words, walk_words
from pagefault_doctor.diagnosis.scene import Scene
from pagefault_doctor.model.diagnosis import (
    Account,
    Attribution,
    Candidate,
    Evidence,
    Reading,
    RootCause,
)
from pagefault_doctor.model.report import Access, Report

_VERBS: Final = {Access.READ: "read from", Access.WRITE: "wrote to", Access.EXECUTE: "jumped to"}
_RECENT: Final = 60.0
"""Seconds within which a module's loading is worth telling."""

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

_STACKS: Final = (
    ("allocated", "the memory was allocated by {by}"),
    ("freed", "the memory was freed by {by}"),
    ("created", "the value that was never set was made by {by}"),
    ("related", "work on the object had been put off by {by}"),
)


def account(
    report: Report, scene: Scene, first: Candidate, readings: tuple[Reading, ...]
) -> Account:
    """Return the story of a report, as its likeliest cause has it."""
    return Account(
        happened=tuple(_happened(report, scene, readings)),
        came=tuple(_came(report, scene)),
        unknown=tuple(_unknown(report, first)),
        fix=tuple(_fix(report, first)),
    )


def _cited(text: str, report: Report, *fields: str) -> Evidence:
    return Evidence(text, 0.0, report.line_of(*fields))


def _happened(report: Report, scene: Scene, readings: tuple[Reading, ...]) -> Iterator[Evidence]:
    fault = report.fault
    who = _who(report)
    place = _place(report)
    if fault and fault.address:
        did = _VERBS.get(scene.access, "used") if scene.access else "used"
        yield _cited(f"{who} {did} the address {fault.address} {place}", report, "fault")
    else:
        yield _cited(f"{who} met this {place}: {report.title}", report, "headline")
    if words := error_words(scene):
        code = fault.error_code if fault else ""
        yield _cited(f"the error code {code} says: {words}", report, "fault")
    if words := walk_words(scene):
        yield _cited(words, report, "page_walk")
    if scene.instruction and scene.base:
        name, value = scene.base
        means = next((r.means for r in readings if r.register == name), "")
        text = f"{scene.instruction.text}: {name.upper()} was {value:#x}"
        yield _cited(f"{text} ({means})" if means else text, report, "code")
    if at := place_words(report):
        yield _cited(f"the instruction belongs to {at}", report, "function")
    if report.pointer:
        yield _cited(pointer_words(report.pointer), report, "registers")
        if words := others_words(report.pointer):
            yield _cited(words, report, "registers")


def _who(report: Report) -> str:
    process = report.comm
    if process and report.pid is not None:
        process = f"{process}[{report.pid}]"
    on = f" on CPU {report.cpu}" if report.cpu is not None else ""
    return f"{process or 'the kernel'}{on}"


def _place(report: Report) -> str:
    if report.function is None:
        return "outside any known function" if report.registers else ""
    offset = f"+{report.offset:#x}" if report.offset is not None else ""
    of = f" of module {report.module}" if report.module else " of the kernel itself"
    return f"in {report.function}{offset}{of}"


def _came(report: Report, scene: Scene) -> Iterator[Evidence]:
    for name, text in _STACKS:
        by, module = report.details.get(f"{name}_by"), report.details.get(f"{name}_module")
        if by:
            of = f"{by} of module {module}" if module else by
            yield _cited(text.format(by=of), report, f"{name}_by")
    if report.pointer and report.pointer.returned_by:
        by = report.pointer.returned_by
        text = f"{report.pointer.name} is what {by}() had returned, just before"
        yield _cited(text, report, "registers")
    yield from _stage(report)
    if report.workqueue:
        text = f"it ran as a work item ({report.workqueue}): whoever queued it is not in the trace"
        yield _cited(text, report, "workqueue")
    if frame := next(
        (f for f in report.frames if f.function in _TIMER_CALLERS and f.reliable), None
    ):
        text = "it ran as a timer: whoever armed it is not in the trace"
        yield Evidence(text, 0.0, frame.line or report.line_of("trace"))
    yield from _loaded_before(report, scene)
    if (report.die_count or 0) > 1:
        text = f"it is number {report.die_count} of this boot: an earlier one may have led to it"
        yield _cited(text, report, "headline")


_TIMER_CALLERS: Final = ("call_timer_fn", "__run_hrtimer", "__hrtimer_run_queues")


def _stage(report: Report) -> Iterator[Evidence]:
    """Tell whether the module was just being loaded or unloaded (`+` and `-` in the list)."""
    for module in report.modules:
        stage = "loaded" if "+" in module.flags else "unloaded" if "-" in module.flags else ""
        if stage:
            yield _cited(f"{module.name} was just being {stage}", report, "modules")
    if report.last_unloaded:
        yield _cited(f"the last module unloaded was {report.last_unloaded}", report, "modules")


def _loaded_before(report: Report, scene: Scene) -> Iterator[Evidence]:
    for event in scene.module_events:
        known = event.timestamp is not None and report.timestamp is not None
        if event.boot != report.boot or event.what not in ("out-of-tree", "forced") or not known:
            continue
        before = (report.timestamp or 0.0) - (event.timestamp or 0.0)
        if 0 <= before <= _RECENT:
            text = f"{event.module}, from outside the tree, was loaded {before:.1f} s before"
            yield Evidence(text, 0.0, event.line.number)


def _unknown(report: Report, first: Candidate) -> Iterator[Evidence]:
    text = _UNKNOWN.get(first.root_cause)
    if report.pointer and report.pointer.returned_by and first.root_cause in _TOLD_BY_A_CALL:
        return
    if text and _KNOWN_BY.get(first.root_cause, "") not in report.details:
        yield Evidence(text, 0.0)


def _fix(report: Report, first: Candidate) -> Iterator[Evidence]:
    because = first.evidence[-1] if first.evidence else None
    line = because.line if because else report.line_of("function")
    if first.attribution is Attribution.MODULE:
        name = f"module {first.module}" if first.module else "a module that the log does not name"
        why = because.text if because else ""
        yield Evidence(f"in {name}: {why}", 0.0, line)
    elif first.attribution is Attribution.KERNEL:
        yield Evidence(f"in the kernel's own code: {_of_the_kernel(report)}", 0.0, line)
    elif first.attribution is not Attribution.NONE:
        yield Evidence(f"not in the kernel's code: {_ELSEWHERE[first.attribution]}", 0.0, line)
    if report.module != first.module and core.carries(report.function) and report.function:
        text = f"{report.function} only worked with what it was given: no change belongs there"
        yield _cited(text, report, "function")


_ELSEWHERE: Final = {
    Attribution.HARDWARE: "the machine or its firmware needs the repair",
    Attribution.USER_SPACE: "the program needs the change",
    Attribution.MEMORY_PRESSURE: "less load, a limit, or more memory",
}


def _of_the_kernel(report: Report) -> str:
    release = f" than {report.kernel_release}" if report.kernel_release else ""
    return f"look for the title in a newer kernel's changes{release}, else report it there"
