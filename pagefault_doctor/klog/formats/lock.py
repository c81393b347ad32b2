"""Reports of the lock validator and of lock debugging.

`kernel/locking/lockdep.c`, `kernel/locking/spinlock_debug.c`, `kernel/rcu/update.c`.

Details: `task` that takes the lock, and the `lock`; `problem` and `magic` of a spin lock.
"""

from __future__ import annotations

from typing import Final

from pagefault_doctor.klog.formats.format import OWN, TRACED, Format
from pagefault_doctor.klog.guilty_function import CALL, TRACE
from pagefault_doctor.model.report import Kind

_AT: Final = r"at: (?:\[<?[0-9a-f]+>?\] +)?(?P<f>[A-Za-z0-9_$]+)[.+]"
_LOCKS: Final = ((_AT, _AT, TRACE),)
_IRQ_SAFE: Final = (("which became .* at:", TRACE),)
_USAGE: Final = ((_AT, CALL, TRACE), (CALL, TRACE))
_FREED: Final = ((_AT, CALL, TRACE),)
_HEADERS: Final = ("WARNING:", "INFO:")
_DEADLOCK: Final = (
    "possible circular locking dependency detected",
    "possible irq lock inversion dependency detected",
    "possible recursive locking detected",
    "bad irq lock inversion dependency detected",
)


def _deadlock(words: str) -> Format:
    return Format(
        header=_HEADERS,
        says=rf"(?:WARNING|INFO): {words}",
        then=r"(?:is trying to acquire lock|just changed the state of lock|trying to acquire)",
        title="possible deadlock in {f}",
        kind=Kind.LOCKDEP,
        ways=_LOCKS,
        skip="process_one_work",
        source="print_circular_bug, print_irq_inversion_bug, print_deadlock_bug",
    )


def _locks(words: str, title: str, header: str, ways: tuple[tuple[str, ...], ...]) -> Format:
    return Format(header=header, says=words, title=title, kind=Kind.LOCKDEP, ways=ways)


FORMS: Final = (
    *(_deadlock(words) for words in _DEADLOCK),
    Format(
        header=_HEADERS,
        says=r"(?:WARNING|INFO): [A-Z]+(?:-READ)?-safe -> [A-Z]+(?:-READ)?-unsafe lock order",
        then=r"which became .* at:|is trying to acquire",
        title="possible deadlock in {f}",
        kind=Kind.LOCKDEP,
        ways=(*_IRQ_SAFE, *_LOCKS),
        source="print_bad_irq_dependency",
    ),
    Format(
        header=_HEADERS,
        says=r"(?:WARNING|INFO): inconsistent lock state",
        then=r"takes:\n",
        title="inconsistent lock state in {f}",
        kind=Kind.LOCKDEP,
        ways=_USAGE,
        source="print_usage_bug",
    ),
    Format(
        header="WARNING:",
        says=r"WARNING: Nested lock was not taken",
        title="WARNING: nested lock was not taken in {f}",
        kind=Kind.LOCKDEP,
        ways=_FREED,
        source="print_lock_nested_lock_not_held",
    ),
    _locks(r"BUG: bad unlock balance", "BUG: bad unlock balance in {f}", "BUG:", TRACED),
    _locks(
        r"WARNING: bad unlock balance", "WARNING: bad unlock balance in {f}", "WARNING:", TRACED
    ),
    _locks(r"BUG: held lock freed", "BUG: held lock freed in {f}", "BUG:", _FREED),
    _locks(r"WARNING: held lock freed", "WARNING: held lock freed in {f}", "WARNING:", _FREED),
    _locks(
        r"WARNING: .*still has locks held",
        "WARNING: still has locks held in {f}",
        "WARNING:",
        ((CALL, TRACE),),
    ),
    _locks(r"BUG: .*still has locks held", "BUG: still has locks held in {f}", "BUG:", TRACED),
    Format(
        header=("WARNING:", "BUG:"),
        says=r"(WARNING|BUG): lock held when returning to user space",
        title="{1}: lock held when returning to user space in {f}",
        kind=Kind.LOCKDEP,
        ways=((r"leaving the kernel with locks still held", _AT), (CALL, TRACE)),
        plain=True,
        source="lockdep_sys_exit, which prints the locks and no stack",
    ),
    _locks(r"BUG: Invalid wait context", "WARNING: locking bug in {f}", "BUG:", TRACED),
    Format(
        header=_HEADERS,
        says=r"(WARNING|INFO): suspicious RCU usage",
        then=r"\n.*?(?:kernel/|include/|net/|mm/|fs/|drivers/|arch/|security/|block/|lib/|sound/"
        r"|crypto/|io_uring/|ipc/|virt/|rust/|init/|samples/|\./)",
        title="{1}: suspicious RCU usage in {f}",
        kind=Kind.LOCKDEP,
        ways=TRACED,
        skip="rcu|kmem|slab",
        source="lockdep_rcu_suspicious",
    ),
    Format(
        header="INFO:",
        says=r"INFO: trying to register non-static key",
        title="INFO: trying to register non-static key in {f}",
        kind=Kind.LOCKDEP,
        ways=TRACED,
        skip="stack|lock|IRQ",
        source="assign_lock_key",
    ),
    Format(
        header="BUG:",
        says=r"BUG: (spinlock|rwlock) (lockup suspected|already unlocked|recursion|bad magic"
        r"|wrong owner|wrong CPU|cpu recursion|lockup)",
        title="BUG: {1} {2} in {f}",
        kind=Kind.LOCKDEP,
        ways=TRACED,
        skip="spin_|rwlock_",
        source="spin_dump, rwlock_bug",
    ),
    Format(
        header="BUG:",
        says=r"BUG: (MAX_\w+ too (?:low|small).*)",
        title="BUG: {1}",
        kind=Kind.LOCKDEP,
        source="print_lockdep_off",
    ),
    Format(
        header=OWN,
        says=r"DEBUG_LOCKS_WARN_ON\(",
        title="WARNING: locking bug in {f}",
        kind=Kind.LOCKDEP,
        ways=TRACED,
        source="include/linux/debug_locks.h; its headline is not in the log",
    ),
)

DETAILS: Final = (
    r"^(?P<task>.{1,40}/\d+) (?:\[.*?\] )?is trying to (?:acquire|release)",
    r"\((?P<lock>[^(){}]{1,80})\)\{.*\bat: ",
    r"(?P<problem>bad magic|lockup suspected|already unlocked|wrong owner|wrong CPU|recursion)",
    r"\.magic: (?P<magic>[0-9a-f]+)",
)
