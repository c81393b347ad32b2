"""What the other reports of the logs show: the same fault again, or faults with nothing in common.

The same place again and again means a mistake in code; a different place each time, hardware.
A task that waits for a lock is the victim of the task that holds it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pagefault_doctor.diagnosis import function_roles
from pagefault_doctor.model.report import Kind, Report

CRASHES: Final = (
    Kind.GENERAL_PROTECTION,
    Kind.PAGE_FAULT,
    Kind.NULL_POINTER,
    Kind.USER_ACCESS,
    Kind.TRAP,
)
_PROGRAMS: Final = (Kind.USER_SEGFAULT, Kind.USER_TRAP)
_ENOUGH: Final = 3
"""Reports that make a pattern."""

EARLIER: Final = {
    "W": "a warning",
    "B": "a page or an object found damaged",
    "L": "a soft lockup",
    "M": "a machine check",
}
"""What had happened before, by taint (`kernel/panic.c`); D is a fault before."""
_OWN: Final = {
    Kind.SLAB: "B",
    Kind.BAD_PAGE: "B",
    Kind.SANITIZER: "B",
    Kind.LOCKUP: "L",
    Kind.HARDWARE: "M",
}
"""Taint that a report of that kind may print of itself."""


def is_same(one: Report, other: Report) -> bool:
    """Whether two reports are of the same fault: the same kind at the same function."""
    same = one.function == other.function and one.module == other.module
    return one.function is not None and one.kind is other.kind and same


def same_fault(report: Report, history: Sequence[Report]) -> tuple[Report, ...]:
    """Return the reports of other boots that are of the same fault."""
    return tuple(other for other in history if is_same(report, other))


def _modules(report: Report) -> set[str]:
    traced = {frame.module for frame in report.frames if frame.reliable and frame.module}
    return traced | ({report.module} if report.module else set())


def unrelated(reports: Sequence[Report]) -> bool:
    """Whether these crashes have nothing in common: neither function, process nor module."""
    if len(reports) < _ENOUGH:
        return False
    functions = {report.function for report in reports}
    processes = {report.comm for report in reports}
    common = set.intersection(*map(_modules, reports))
    distinct = len(functions) == len(reports) and None not in functions
    return distinct and len(processes) >= _ENOUGH and not common


def first_crashes(report: Report, history: Sequence[Report]) -> tuple[Report, ...]:
    """Return the first crash of each boot, nothing where this report is not one of them."""
    first: dict[int, Report] = {}
    for one in sorted((*history, report), key=lambda r: (r.boot, r.number)):
        if one.is_kernel_fault:
            first.setdefault(one.boot, one)
    found = tuple(one for one in first.values() if one.kind in CRASHES)
    return found if report in found else ()


def common_foreign(reports: Sequence[Report]) -> frozenset[str]:
    """Return the modules from outside the tree that were loaded each time."""
    each = [frozenset(report.out_of_tree) for report in reports]
    return frozenset.intersection(*each) if each else frozenset()


def one_processor(report: Report, others: Sequence[Report]) -> str | None:
    """Return the processor on which unrelated programs crashed, if it is always the same."""
    programs = [one for one in (report, *others) if one.kind in _PROGRAMS]
    if len({one.comm for one in programs}) < _ENOUGH:
        return None
    processors = {one.details.get("on_cpu") for one in programs}
    return processors.pop() if len(processors) == 1 else None


def happens_without(module: str, report: Report, history: Sequence[Report]) -> bool:
    """Whether the same fault came in a boot in which the module was not loaded."""
    return any(
        other.modules and module not in {m.name for m in other.modules} and module != other.module
        for other in same_fault(report, history)
    )


def happened_before(report: Report, others: Sequence[Report]) -> tuple[str, ...]:
    """Return, in words, what the taint flags show of this boot and the log does not show."""
    if any(other.number < report.number for other in others):
        return ()
    own = _OWN.get(report.kind)
    tainted = report.tainted or ()
    return tuple(what for letter, what in EARLIER.items() if letter in tainted and letter != own)


def waits_for_disk(report: Report) -> bool:
    """Whether the task of the report sleeps until a disk answers."""
    named = (frame.function or "" for frame in report.frames)
    waits = any(name.startswith(function_roles.WAITING_FOR_DISK) for name in named)
    return report.kind is Kind.HUNG_TASK and waits


def waits_for_lock(report: Report) -> bool:
    """Whether the task of the report sleeps until another releases a lock."""
    if report.kind is not Kind.HUNG_TASK:
        return False
    if "blocked_on" in report.details:
        return True
    names = (frame.function for frame in report.frames if frame.reliable and frame.function)
    first = next((name for name in names if not function_roles.SLEEPING.match(name)), None)
    return first is not None and function_roles.LOCKING.match(first) is not None


def lock_holder(report: Report, others: Sequence[Report]) -> Report | None:
    """Return the report of the task that likely holds what this one waits for, or None.

    The kernel may name it (`kernel/hung_task.c`, debug_show_blocker, from 6.16 on). Else it is the
    one task that hung in the same boot and waits for something other than a lock.
    """
    if not waits_for_lock(report):
        return None
    owner = report.details.get("owner_pid")
    hung = [other for other in others if other.kind is Kind.HUNG_TASK]
    if owner is not None:
        return next((other for other in hung if str(other.pid) == owner), None)
    free = [other for other in hung if not waits_for_lock(other) and other.function]
    return free[0] if free and len({other.function for other in free}) == 1 else None
