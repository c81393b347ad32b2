"""A deadlock, an endless loop, a stall, or sleeping where it is not allowed."""

from __future__ import annotations

from collections.abc import Iterator

from pagefault_doctor.diagnosis.context import Context
from pagefault_doctor.model.diagnosis import Evidence
from pagefault_doctor.model.pattern import regex
from pagefault_doctor.model.report import Kind, Report

_KINDS = {
    Kind.LOCKUP: ("hang.lockup", "a processor was stuck"),
    Kind.STALL: ("hang.stall", "a processor did not pass through a quiet state in time"),
    Kind.HUNG_TASK: ("hang.task", "a task waited far too long"),
    Kind.ATOMIC_SLEEP: ("hang.atomic", "a function that may sleep was called where none may"),
}
_MESSAGES = (
    ("circular_locking", "hang.deadlock", "two locks are taken in both orders"),
    ("recursive_locking", "hang.deadlock", "a lock is taken twice"),
    ("irq_unsafe_lock", "hang.deadlock", "an interrupt may wait for a lock it interrupted"),
    ("unlock_balance", "hang.deadlock", "a lock was released that was not held"),
    ("locks_held", "hang.deadlock", "a lock was never released"),
    ("invalid_wait_context", "hang.atomic", "a lock that may sleep is taken where none may"),
    ("scheduling_while_atomic", "hang.atomic", "the task slept where none may"),
    ("rcu_context_switch", "hang.atomic", "the task slept while it read under RCU"),
    (
        "blocking_ops",
        "hang.atomic",
        "a function that may sleep was called while the task was about to wait",
    ),
    ("spinlock_bug", "hang.spinlock", "a spinlock is misused"),
    ("rwlock_bug", "hang.spinlock", "a lock is misused"),
    ("workqueue_lockup", "hang.lockup", "a work item never ended"),
    ("waiting_for", "hang.device", "something waits that never comes"),
    ("soft_lockup_panic", "hang.panic", "a processor was stuck"),
    ("hard_lockup_panic", "hang.panic", "a processor was stuck with interrupts off"),
    ("hung_task_panic", "hang.panic", "a task waited far too long"),
    ("rcu_stall_panic", "hang.panic", "a processor did not pass through a quiet state in time"),
)
_GRAPHICS = regex(r"ring \S+ timeout|GPU (?:reset|HANG|recovery)|Resetting chip")
"""What drivers of graphics chips say (`drivers/gpu/drm`, amdgpu_job.c, i915_gpu_error.c)."""
_HEADLINES = 3
"""Lines in which the kernel prints what the report is about."""


def weigh(report: Report, context: Context) -> Iterator[Evidence]:
    """Weigh whether the kernel hung, or would have."""
    if report.kind in _KINDS:
        key, text = _KINDS[report.kind]
        if _GRAPHICS.search(report.message):
            text = "the graphics chip did not finish its work in time"
        yield context.evidence(key, text, "headline")
        return
    if report.kind not in (Kind.LOCKDEP, Kind.PANIC, Kind.INFO, Kind.WARNING, Kind.KERNEL_BUG):
        return
    # Further down, the same words are about what another task did meanwhile.
    behind = report.line_of("headline") + _HEADLINES
    for name, key, text in _MESSAGES:
        if name in report.details and report.line_of(name) < behind:
            yield context.evidence(key, text, "headline")
            return
