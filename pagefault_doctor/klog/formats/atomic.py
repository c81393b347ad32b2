"""Sleeping or migrating where that is not allowed.

Details: `file`, `file_line`, `in_atomic`, `irqs_disabled`, `preempt_count`.
"""

from __future__ import annotations

from functools import partial
from typing import Final

from pagefault_doctor.klog.formats.format import TRACED, Format
from pagefault_doctor.model.report import Kind

DETAILS: Final = (
    r"invalid context at (?P<file>\S+?):(?P<file_line>\d+)",
    r"in_atomic\(\): (?P<in_atomic>\d+), irqs_disabled\(\): (?P<irqs_disabled>\d+)",
    r"scheduling while atomic: .*?/\d+/(?P<preempt_count>0x[0-9a-f]+)",
)

_atomic = partial(Format, header="BUG:", kind=Kind.ATOMIC_SLEEP, ways=TRACED)

FORMATS: Final = (
    _atomic(
        pattern=r"BUG: scheduling while atomic",
        title="BUG: scheduling while atomic in {f}",
        skip="schedule|cond_resched",
        source="kernel/sched/core.c (__schedule_bug)",
    ),
    _atomic(
        pattern=r"BUG: sleeping function called from invalid context at",
        title="BUG: sleeping function called from invalid context in {f}",
        source="kernel/sched/core.c (__might_resched)",
    ),
    Format(
        header="BUG:",
        pattern=r"BUG: workqueue leaked lock or atomic",
        title="BUG: workqueue leaked lock or atomic in {f}",
        kind=Kind.KERNEL_BUG,
        ways=((r"last function: (?P<f>[A-Za-z0-9_$]+)",), *TRACED),
        source="kernel/workqueue.c (process_one_work), before 6.10",
    ),
    Format(
        start=r"^schedule_timeout: wrong timeout value [0-9a-f]+$",
        kind=Kind.WARNING,
        title="schedule_timeout: wrong timeout value in {f}",
        ways=TRACED,
        skip="schedule_timeout",
        source="kernel/time/timer.c, later kernel/time/sleep_timeout.c (schedule_timeout)",
    ),
    _atomic(
        pattern=r"BUG: using ([a-z0-9_]+)\(\) in preemptible",
        title="BUG: using {1}() in preemptible code in {f}",
        skip="dump|preempt|debug_smp|hardirqs",
        source="lib/smp_processor_id.c (check_preemption_disabled)",
    ),
)
