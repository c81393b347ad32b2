"""Who holds what a hung task waits for: a task that waits for a lock is the victim of another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pagefault_doctor.model.pattern import regex
from pagefault_doctor.model.report import Kind, Report

_SLEEP: Final = regex(
    r"^(?:__?schedule|schedule|preempt_schedule|__switch_to|context_switch|io_schedule|"
    r"asm_|sysvec_)"
)
_LOCKS: Final = regex(
    r"^(?:__)?(?:mutex_lock|ww_mutex_lock|rt_mutex|rtlock|down_|down$|rwsem_|percpu_down|percpu_rwsem|"
    r"rwlock|lock_sock|lock_page|folio_lock|inode_lock|rtnl_lock|device_lock|lock_two|lock_rename)"
)


def waits_for_lock(report: Report) -> bool:
    """Whether the task of the report sleeps until another lets go of a lock."""
    if report.kind is not Kind.HUNG_TASK:
        return False
    if "blocked_on" in report.details:
        return True
    names = (frame.function for frame in report.frames if frame.reliable and frame.function)
    first = next((name for name in names if not _SLEEP.match(name)), None)
    return first is not None and _LOCKS.match(first) is not None


def holder(report: Report, others: Sequence[Report]) -> Report | None:
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
