"""Lockups, stalls and hung tasks.

Details: `seconds` or `jiffies` it has lasted; `stalled` the words of a stall, `stalled_cpu` the
line of the processor (`kernel/rcu/tree_stall.h`, print_cpu_stall_info); `gpu_program` whose work a
graphics chip did not finish (`drivers/gpu/drm/amd/amdgpu/amdgpu_job.c`), `gpu_not_reset` that its
reset failed (amdgpu_device.c, xe_device.c); `blocked_on`, `owner`
and `owner_pid` where the kernel knows the lock.
"""

from __future__ import annotations

from functools import partial
from typing import Final

from pagefault_doctor.klog.formats.format import FAULT, TRACED, Continuation, Format, Lead
from pagefault_doctor.klog.guilty_function import CALL, RIP, TRACE, Choice
from pagefault_doctor.model.report import Kind

_TIMER: Final = (
    r"(?:apic_timer_interrupt|sysvec_apic_timer_interrupt|el1h?_(?:64_)?irq|__irq_svc|"
    r"Exception stack|riscv_intc_irq|decrementer_common|ext_int_handler|do_vint)"
)
_STALL: Final = ((_TIMER, RIP, TRACE), (_TIMER, TRACE), (RIP, TRACE))
_STALL_WORDS: Final = (
    r"(?:rcu_[a-z_]+ )?(?:self-)?detected (?:expedited )?stalls? on|rcu_[a-z]+ detected stalls"
)

DETAILS: Final = (
    r"soft lockup - CPU#\d+ stuck for (?P<seconds>\d+)s",
    r"blocked (?:in I/O wait )?for more than (?P<seconds>\d+) seconds",
    r"workqueue lockup - pool .*? stuck for (?P<seconds>\d+)s",
    r"^(?:rcu: )?\s*(?P<stalled_cpu>\d+-[.!oO]+: \(.+)",
    r"\(t=(?P<jiffies>\d+) jiffies",
    r"is blocked on an? (?P<blocked_on>\w+),? .*?owned by task (?P<owner>\S+?):(?P<owner_pid>\d+)",
    r"[Pp]rocess information: process (?P<gpu_program>[\w.-]+) pid",
    r"(?P<gpu_not_reset>(?:GPU|ASIC) [\w() ]*?reset[\w() ]*? failed.*)",
    r"(?P<gpu_not_reset>GPU reset end with ret = -\d+)",
    r"(?P<gpu_not_reset>GPU [Rr]ecovery [Ff]ailed.*)",
    r"(?P<gpu_not_reset>[Ff]ailed to reset (?:chip|GPU|engine).*)",
    r"(?P<gpu_not_reset>has declared device \S+ as wedged.*)",
    r"(?P<stalled>(?:rcu_\w+ )?(?:self-)?detected (?:expedited )?stalls? on .*)",
)

_hung = partial(
    Format,
    header="INFO:",
    kind=Kind.HUNG_TASK,
    ways=TRACED,
    alts=("hang in {f}",),
    take=Choice.HUNG,
)

FORMATS: Final = (
    Format(
        header="BUG:",
        pattern=r"BUG: soft lockup",
        title="BUG: soft lockup in {f}",
        kind=Kind.LOCKUP,
        ways=((RIP, TRACE), (CALL, TRACE)),
        alts=("stall in {f}",),
        take=Choice.STALL,
        source="kernel/watchdog.c (watchdog_timer_fn)",
    ),
    Format(
        header="INFO:",
        pattern=rf"INFO: {_STALL_WORDS}",
        title="INFO: rcu detected stall in {f}",
        kind=Kind.STALL,
        ways=_STALL,
        alts=("stall in {f}",),
        skip="apic_timer_interrupt|rcu",
        take=Choice.STALL,
        source="kernel/rcu/tree_stall.h (print_cpu_stall, print_other_cpu_stall)",
    ),
    _hung(
        pattern=r"INFO: task [\s\S]{0,100}? (?:is )?blocked (?:in I/O wait )?for more than",
        title="INFO: task hung in {f}",
        source="kernel/hung_task.c (check_hung_task)",
    ),
    _hung(
        pattern=r"INFO: task [\s\S]{0,100}? can't die for more than",
        title="INFO: task can't die in {f}",
        source="kernel/hung_task.c (check_killed_task), linux-next",
    ),
    Format(
        header="BUG:",
        pattern=r"BUG: workqueue lockup",
        title="BUG: workqueue lockup",
        kind=Kind.LOCKUP,
        plain=True,
        source="kernel/workqueue.c (wq_watchdog_timer_fn)",
    ),
    Format(
        header="INFO:",
        pattern=r"INFO: (task .*? is blocked on an? .*)",
        title="INFO: {1}",
        kind=Kind.HUNG_TASK,
        source="kernel/hung_task.c (debug_show_blocker); its headline is not in the log",
    ),
    Format(
        start=r"Watchdog detected hard LOCKUP on cpu|CPU \d+ self-detected hard LOCKUP"
        r"|CPU \d+ detected hard LOCKUP on other CPUs",
        needles=("hard LOCKUP",),
        lead=Lead.DROPPED,
        pattern=r"detected hard LOCKUP",
        title="hard LOCKUP in {f}",
        kind=Kind.LOCKUP,
        ways=FAULT,
        source="kernel/watchdog.c (watchdog_hardlockup_check), arch/powerpc/kernel/watchdog.c",
    ),
    Format(
        start=r"rcu_\w+ kthread (?:timer wakeup didn't|starved for \d+ jiffies)",
        follows=True,
        pattern=r"rcu_\w+ kthread starved",
        title="rcu kthread starved",
        kind=Kind.STALL,
        plain=True,
        source="kernel/rcu/tree_stall.h (rcu_check_gp_kthread_starvation)",
    ),
    Format(
        header="unregister_netdevice: waiting for",
        follows=True,
        pattern=r"unregister_netdevice: waiting for .* to become free",
        title="unregister_netdevice: waiting for DEV to become free",
        kind=Kind.HUNG_TASK,
        plain=True,
        source="net/core/dev.c (netdev_wait_allrefs_any)",
    ),
    Continuation(
        follows=r"INFO: task .* is blocked on an? ",
        source="kernel/hung_task.c (debug_show_blocker)",
    ),
)
