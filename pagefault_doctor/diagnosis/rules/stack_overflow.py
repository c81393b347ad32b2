"""The kernel stack used up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from pagefault_doctor.diagnosis import dump_memory
from pagefault_doctor.diagnosis.context import Context
from pagefault_doctor.model.diagnosis import Evidence
from pagefault_doctor.model.report import Kind, Report

_MESSAGES = (
    ("stack_guard_page", "stack.guard", "the guard page below the stack was hit"),
    ("stack_overrun", "stack.overran", "the mark at the end of the stack was overwritten"),
    ("stack_end_corrupted", "stack.end-magic", "the end of the stack was overwritten"),
    ("stack_overflow", "stack.overflow-words", "the kernel calls it a stack overflow"),
    ("irq_stack_overflow", "stack.overflow-words", "an interrupt found the stack full"),
    ("insufficient_stack", "stack.overflow-words", "the stack had no room left"),
)
_REPEATS = 6
"""A function this often in one trace is a recursion."""
_NEAR = 0x4000
_FULL = 0x100
"""Bytes that a stack which is used up has left, at most."""
_ARM_STACK = 0x2000
"""THREAD_SIZE (`arch/arm/include/asm/thread_info.h`)."""
_UNGUARDED = ("ppc64", "ppc", "mips", "i386", "x86")
"""Architectures whose stacks have no guard page (HAVE_ARCH_VMAP_STACK is not set)."""
_AGAIN = 3
_TRAMPLED = 3
"""Lines between a report and the one that explains it."""


def _pointer(report: Report, context: Context) -> Iterator[Evidence]:
    stack = report.register("rsp") or report.register("sp") or report.register("esp")
    at = context.fault_address
    if report.kind is Kind.DOUBLE_FAULT:
        text = "a double fault: most often a stack that cannot take another frame"
        yield context.evidence("stack.double-fault", text, "headline")
    if stack and at and 0 < stack - at < _NEAR and stack // 0x1000 != at // 0x1000:
        text = f"fault address {at:#x} is just below the stack pointer {stack:#x}"
        yield context.evidence("stack.near-pointer", text, "fault")


def _range(report: Report) -> Iterator[int]:
    """Yield how many bytes a stack that is printed has left, if that is next to none."""
    stack = next(filter(None, map(report.register, ("rsp", "sp", "esp"))), 0)
    low = int(report.details.get("stack_limit", "0"), 16)
    if not low and "stack_from" in report.details:
        stack = stack or int(report.details["stack_from"], 16)
        low = int(report.details["stack_to"], 16) - _ARM_STACK
    left = stack - low
    if stack and low and -_NEAR < left < _FULL:
        yield left


def _outside(report: Report, context: Context) -> Iterator[Evidence]:
    for left in _range(report):
        place = f"{left} bytes above" if left >= 0 else f"{-left} bytes below"
        text = f"the stack pointer is {place} the end of the stack"
        yield context.evidence("stack.outside", text, "stack_limit", "stack_from")


def _recursion(report: Report, context: Context) -> Iterator[Evidence]:
    names = [f.function for f in report.frames if f.reliable and f.function]
    if len(names) - len(set(names)) < _REPEATS - 1:
        return
    ((name, times),) = Counter(names).most_common(1)
    if times >= _REPEATS:
        text = f"{name} is {times} times in the trace: a recursion"
        yield context.evidence("stack.recursion", text, "trace")


def trampled(report: Report, context: Context) -> Report | None:
    """Return the fault that the kernel met again and again while it printed this one, or None.

    Without a guard page, a stack that grows too far overwrites whatever lies below it.
    """
    if report.registers or report.frames:
        return None
    end = report.span.last_line
    later = [other for other in context.others if other.span.first_line > end]
    if not any(arch in _UNGUARDED for arch in (context.arch, *(o.arch for o in later))):
        return None
    again = Counter(o.fault.address for o in later if o.fault and not o.registers)
    return later[0] if again and max(again.values()) >= _AGAIN else None


def _trampled(report: Report, context: Context) -> Iterator[Evidence]:
    if other := trampled(report, context):
        text = "the kernel faulted while it printed this, again and again: something overwrote what"
        text += " it needs for that"
        yield context.evidence("stack.trampled", text, line=other.line_of("headline"))


def _dump(context: Context) -> Iterator[Evidence]:
    stack = (context.registers.get("rsp"), context.registers.get("sp"), context.fault_address)
    for value, found in dump_memory.pointed(context).items():
        if found.kind == "guard" and value in stack:
            text = f"{found.address} points to {found.text}"
            yield dump_memory.evidence(context, "stack.dump-guard", text)
            return


def weigh(report: Report, context: Context) -> Iterator[Evidence]:
    """Weigh whether the stack overflowed."""
    if found := context.first_evidence(_MESSAGES):
        yield found
    yield from _pointer(report, context)
    yield from _outside(report, context)
    yield from _dump(context)
    yield from _recursion(report, context)
    yield from _trampled(report, context)
    if report.kind is Kind.ATOMIC_SLEEP:
        for other in context.others:
            found_near = 0 < other.span.first_line - report.span.last_line <= _TRAMPLED
            if found_near and "stack_overrun" in other.details:
                text = "the fault right after it shows that the stack was overrun"
                yield context.evidence("stack.neighbour", text, line=other.line_of("stack_overrun"))
                return
