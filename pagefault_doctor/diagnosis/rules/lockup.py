"""A deadlock, an endless loop, a stall, or sleeping where it is not allowed."""

from __future__ import annotations

from collections.abc import Iterator

from pagefault_doctor.diagnosis.context import Context
from pagefault_doctor.model.diagnosis import Evidence
from pagefault_doctor.model.report import Kind, Line, Report

_KINDS = {
    Kind.LOCKUP: ("hang.lockup", "a processor was stuck"),
    Kind.STALL: ("hang.stall", "a processor did not pass through a quiet state in time"),
    Kind.HUNG_TASK: ("hang.task", "a task waited far too long"),
    Kind.ATOMIC_SLEEP: ("hang.atomic", "a function that may sleep was called where none may"),
}
_WORDS = (
    ("ossible circular locking", "hang.deadlock", "two locks are taken in both orders"),
    ("ossible recursive locking", "hang.deadlock", "a lock is taken twice"),
    ("irq lock inversion", "hang.deadlock", "an interrupt may wait for a lock it interrupted"),
    ("unsafe lock order", "hang.deadlock", "an interrupt may wait for a lock it interrupted"),
    ("inconsistent lock state", "hang.deadlock", "an interrupt may wait for a lock it interrupted"),
    ("bad unlock balance", "hang.deadlock", "a lock was released that was not held"),
    ("still has locks held", "hang.deadlock", "a lock was never released"),
    ("lock held when returning", "hang.deadlock", "a lock was never released"),
    ("Invalid wait context", "hang.atomic", "a lock that may sleep is taken where none may"),
    ("scheduling while atomic", "hang.atomic", "the task slept where none may"),
    (
        "Voluntary context switch within RCU",
        "hang.atomic",
        "the task slept while it read under RCU",
    ),
    (
        "do not call blocking ops when",
        "hang.atomic",
        "a function that may sleep was called while the task was about to wait",
    ),
    ("BUG: spinlock", "hang.spinlock", "a spinlock is misused"),
    ("BUG: rwlock", "hang.spinlock", "a lock is misused"),
    ("workqueue lockup", "hang.lockup", "a work item never ended"),
    ("waiting for", "hang.device", "something waits that never comes"),
    ("softlockup: hung", "hang.panic", "a processor was stuck"),
    ("Hard LOCKUP", "hang.panic", "a processor was stuck with interrupts off"),
    ("hung_task: blocked", "hang.panic", "a task waited far too long"),
    ("RCU Stall", "hang.panic", "a processor did not pass through a quiet state in time"),
)


def weigh(report: Report, context: Context) -> Iterator[Evidence]:
    """Weigh whether the kernel hung, or would have."""
    if report.kind in _KINDS:
        key, text = _KINDS[report.kind]
        yield context.says(key, text, "headline")
        return
    if report.kind not in (Kind.LOCKDEP, Kind.PANIC, Kind.INFO, Kind.WARNING, Kind.KERNEL_BUG):
        return
    for phrase, key, text in _WORDS:
        if phrase in report.title or _near(report, context.line_with(phrase)):
            yield context.says(key, text, "headline")
            return


def _near(report: Report, line: Line | None) -> bool:
    return line is not None and line.number - report.line_of("headline") < 3
