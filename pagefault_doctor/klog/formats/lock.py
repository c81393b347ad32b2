"""Reports of the lock validator and of lock debugging.

Details: `task` that takes the lock, and the `lock`; `problem` and `magic` of a spin lock.
"""

from __future__ import annotations

from functools import partial
from typing import Final

from pagefault_doctor.klog.formats.format import OWN, TRACED, Continuation, Format, Lead
from pagefault_doctor.klog.guilty_function import CALL, TRACE
from pagefault_doctor.model.report import Kind

_AT: Final = r"at: (?:\[<?[0-9a-f]+>?\] +)?(?P<f>[A-Za-z0-9_$]+)[.+]"
_LOCKS: Final = ((_AT, _AT, TRACE),)
_IRQ_SAFE: Final = (("which became .* at:", TRACE),)
_TAKEN: Final = ((_AT, CALL, TRACE), TRACED[0])
"""Who took the lock, which lockdep prints also where the stack is lost; else the call trace."""
_RELEASED: Final = (("is trying to release lock", TRACE), *TRACED)
"""Who released it: print_ip_sym writes it in a line of its own, like a frame."""
_SPINNING: Final = "spin_|lock_sock|release_sock|rq_(?:re)?lock|lock_hrtimer_base|lock_task_sighand"
"""Who takes a spin lock for its caller."""
_HEADERS: Final = ("WARNING:", "INFO:")
_EITHER: Final = ("WARNING:", "BUG:")
DETAILS: Final = (
    r"^(?P<task>.{1,40}/\d+) (?:\[.*?\] )?is trying to (?:acquire|release)",
    r"\((?P<lock>[^(){}]{1,80})\)\{.*\bat: ",
    r"(?P<problem>bad magic|lockup suspected|already unlocked|wrong owner|wrong CPU|recursion)",
    r"\.magic: (?P<magic>[0-9a-f]+)",
)

_LOCKDEP: Final = "kernel/locking/lockdep.c"
_lock = partial(Format, header=_HEADERS, kind=Kind.LOCKDEP, ways=TRACED)

FORMATS: Final = (
    _lock(
        pattern=r"(?:WARNING|INFO): (?:possible circular locking dependency"
        r"|possible irq lock inversion dependency|possible recursive locking"
        r"|bad irq lock inversion dependency) detected",
        then=r"(?:is trying to acquire lock|just changed the state of lock|trying to acquire)",
        title="possible deadlock in {f}",
        ways=_LOCKS,
        skip="process_one_work",
        source=f"{_LOCKDEP} (print_circular_bug, print_irq_inversion_bug, print_deadlock_bug)",
    ),
    _lock(
        pattern=r"(?:WARNING|INFO): [A-Z]+(?:-READ)?-safe -> [A-Z]+(?:-READ)?-unsafe lock order",
        then=r"which became .* at:|is trying to acquire",
        title="possible deadlock in {f}",
        ways=(*_IRQ_SAFE, *_LOCKS),
        source=f"{_LOCKDEP} (print_bad_irq_dependency)",
    ),
    _lock(
        pattern=r"(?:WARNING|INFO): inconsistent lock state",
        then=r"takes:\n",
        title="inconsistent lock state in {f}",
        ways=_TAKEN,
        source=f"{_LOCKDEP} (print_usage_bug)",
    ),
    _lock(
        header="WARNING:",
        pattern=r"WARNING: Nested lock was not taken",
        title="WARNING: nested lock was not taken in {f}",
        ways=_TAKEN,
        source=f"{_LOCKDEP} (print_lock_nested_lock_not_held)",
    ),
    _lock(
        header=_EITHER,
        pattern=r"(WARNING|BUG): bad unlock balance",
        title="{1}: bad unlock balance in {f}",
        ways=_RELEASED,
        source=f"{_LOCKDEP} (print_unlock_imbalance_bug)",
    ),
    _lock(
        header=_EITHER,
        pattern=r"(WARNING|BUG): held lock freed",
        title="{1}: held lock freed in {f}",
        ways=_TAKEN,
        source=f"{_LOCKDEP} (print_freed_lock_bug)",
    ),
    _lock(
        header=_EITHER,
        pattern=r"(WARNING|BUG): .*still has locks held",
        title="{1}: still has locks held in {f}",
        ways=_TAKEN,
        source=f"{_LOCKDEP} (print_held_locks_bug)",
    ),
    _lock(
        header=_EITHER,
        pattern=r"(WARNING|BUG): lock held when returning to user space",
        title="{1}: lock held when returning to user space in {f}",
        ways=((r"leaving the kernel with locks still held", _AT), *TRACED),
        plain=True,
        source=f"{_LOCKDEP} (lockdep_sys_exit), which prints the locks and no stack",
    ),
    _lock(
        header="BUG:",
        pattern=r"BUG: Invalid wait context",
        title="WARNING: locking bug in {f}",
        source=f"{_LOCKDEP} (print_lock_invalid_wait_context)",
    ),
    _lock(
        pattern=r"(WARNING|INFO): suspicious RCU usage",
        then=r"\n.*?(?:kernel/|include/|net/|mm/|fs/|drivers/|arch/|security/|block/|lib/|sound/"
        r"|crypto/|io_uring/|ipc/|virt/|rust/|init/|samples/|\./)",
        title="{1}: suspicious RCU usage in {f}",
        skip="rcu|kmem|slab",
        source=f"{_LOCKDEP} (lockdep_rcu_suspicious)",
    ),
    _lock(
        header="INFO:",
        pattern=r"INFO: trying to register non-static key",
        title="INFO: trying to register non-static key in {f}",
        skip="stack|lock|IRQ",
        source=f"{_LOCKDEP} (assign_lock_key)",
    ),
    _lock(
        header="BUG:",
        pattern=r"BUG: (spinlock|rwlock) (lockup suspected|already unlocked|recursion|bad magic"
        r"|wrong owner|wrong CPU|cpu recursion|lockup)",
        title="BUG: {1} {2} in {f}",
        skip=f"rwlock_|{_SPINNING}",
        source="kernel/locking/spinlock_debug.c (spin_dump, rwlock_bug)",
    ),
    _lock(
        header="BUG:",
        pattern=r"BUG: (MAX_\w+ too (?:low|small).*)",
        title="BUG: {1}",
        ways=(),
        source=f"{_LOCKDEP} (print_lockdep_off)",
    ),
    _lock(
        header=OWN,
        start=r"^DEBUG_LOCKS_WARN_ON\(",
        needles=("BUG",),
        lead=Lead.KEPT,
        title="WARNING: locking bug in {f}",
        source="include/linux/debug_locks.h; its headline is not in the log",
    ),
    # kasan_report draws the same line before its headline.
    Continuation(lead=r"^={20,}", source="kernel/locking/lockdep.c, mm/kasan/report.c"),
)
