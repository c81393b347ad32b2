"""Lockups, stalls, lock validation, memory and panics as every age of the kernel words them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kernel_messages import (
    HELD,
    HUNG,
    LOCKS,
    PLACE,
    PPC,
    RCU,
    RULE,
    STALLED,
    TRACE,
    X86,
    Row,
    assert_told,
    headline,
    stamped,
)
from pagefault_doctor.model.log import KernelLog
from pagefault_doctor.model.report import Kind

Read = Callable[[str], KernelLog]

_DOS = "DoS"

_ARM_STALL = (
    "Task dump for CPU 1:\nCall trace:\n dump_backtrace+0x0/0x1\n show_stack+0x1/0x2\n"
    " sched_show_task+0x1/0x2\n rcu_sched_clock_irq+0x1/0x2\n update_process_times+0x1/0x2\n"
    " el1h_64_irq+0x64/0x68\n pfd_spin+0x1/0x2 [pfd]\n pfd_f+0x12/0x40 [pfd]\n"
    " vfs_ioctl+0x1/0x2\n __arm64_sys_ioctl+0x1/0x2\n invoke_syscall+0x1/0x2\n"
)
_ARM_LOCKUP = (
    "Modules linked in: pfd(O)\nCPU: 1 PID: 812 Comm: demo Not tainted 6.1.0 #1\n"
    "pc : pfd_spin+0x1/0x2 [pfd]\nlr : pfd_f+0x12/0x40 [pfd]\nCall trace:\n"
    " pfd_spin+0x1/0x2 [pfd]\n pfd_f+0x12/0x40 [pfd]\n vfs_ioctl+0x1/0x2\n"
    " __arm64_sys_ioctl+0x1/0x2\n invoke_syscall+0x1/0x2\n"
)
_STALL = "INFO: rcu detected stall in {f}"
_LOCKUP = "BUG: soft lockup in {f}"
HANGS: tuple[Row, ...] = (
    ("INFO: rcu_tasks detected stalls on tasks:\n" + RCU, _STALL, "HANG", Kind.STALL),
    ("rcu: INFO: rcu_preempt self-detected stall on CPU\n" + _ARM_STALL, _STALL, "HANG",
     Kind.STALL),
    ("watchdog: BUG: soft lockup - CPU#1 stuck for 22s! [demo:812]\n" + _ARM_LOCKUP, _LOCKUP,
     "HANG", Kind.LOCKUP),
    ("BUG: soft lockup - CPU#1 stuck for 22s! [demo:812]\n" + STALLED, _LOCKUP, "HANG",
     Kind.LOCKUP),
    ("NMI watchdog: BUG: soft lockup - CPU#1 stuck for 22s! [demo:812]\n" + STALLED, _LOCKUP,
     "HANG", Kind.LOCKUP),
    ("watchdog: BUG: soft lockup - CPU#1 stuck for 143s! [demo:812]\n" + STALLED, _LOCKUP, "HANG",
     Kind.LOCKUP),
    *(
        (words + "\n" + RCU, _STALL, "HANG", Kind.STALL)
        for words in (
            "INFO: rcu_sched self-detected stall on CPU { 1}  (t=21000 jiffies g=1 c=0 q=1)",
            "INFO: rcu_sched self-detected stall on CPU",
            "INFO: rcu_preempt self-detected stall on CPU",
            "INFO: rcu_bh self-detected stall on CPU",
            "rcu: INFO: rcu_preempt self-detected stall on CPU",
            "rcu: INFO: rcu_sched detected stalls on CPUs/tasks:",
            "INFO: rcu_sched detected stalls on CPUs/tasks: { 1} (detected by 0, t=21002 jiffies)",
            "INFO: rcu_preempt detected stalls on CPUs/tasks:",
            "rcu: INFO: rcu_preempt detected expedited stalls on CPUs/tasks: { 1-... } 21002"
            " jiffies s: 1 root: 0x2/.",
            "INFO: rcu_sched detected expedited stalls on CPUs/tasks: { 1-... } 21002 jiffies",
        )
    ),
    ("INFO: task demo:812 blocked for more than 120 seconds.\n" + HUNG, "INFO: task hung in {f}",
     "HANG", Kind.HUNG_TASK),
    ("INFO: task demo:812 blocked in I/O wait for more than 120 seconds.\n" + HUNG,
     "INFO: task hung in {f}", "HANG", Kind.HUNG_TASK),
    ("INFO: task kworker/u8:3:57 blocked for more than 143 seconds.\n" + HUNG,
     "INFO: task hung in {f}", "HANG", Kind.HUNG_TASK),
    ("INFO: task demo:812 blocked for more than 143 seconds.\n"
     + HUNG.replace("pfd_f+0x12/0x40 [pfd]", "rtnl_lock+0x15/0x20"),
     "INFO: task hung in rtnl_lock", "HANG", Kind.HUNG_TASK),
    ("INFO: task demo:812 blocked for more than 143 seconds.\n"
     + HUNG.replace("pfd_f+0x12/0x40 [pfd]", "synchronize_srcu_expedited+0x15/0x20"),
     "INFO: task hung in synchronize_rcu", "HANG", Kind.HUNG_TASK),
    ("INFO: task demo:812 can't die for more than 143 seconds.\n" + HUNG,
     "INFO: task can't die in {f}", "HANG", Kind.HUNG_TASK),
    ("BUG: workqueue lockup - pool cpus=0 node=0 flags=0x0 nice=0 stuck for 30s!\n"
     "Showing busy workqueues and worker pools:\n", "BUG: workqueue lockup", None, Kind.LOCKUP),
    ("unregister_netdevice: waiting for lo to become free. Usage count = 1\n",
     "unregister_netdevice: waiting for DEV to become free", _DOS, Kind.HUNG_TASK),
    ("watchdog: Watchdog detected hard LOCKUP on cpu 1\n" + X86, "hard LOCKUP in {f}", None,
     Kind.LOCKUP),
    ("Watchdog detected hard LOCKUP on cpu 1\n" + X86, "hard LOCKUP in {f}", None, Kind.LOCKUP),
    ("watchdog: CPU 1 self-detected hard LOCKUP @ pfd_f+0x12/0x40 [pfd]\n" + PPC,
     "hard LOCKUP in {f}", None, Kind.LOCKUP),
)  # fmt: skip

_DEADLOCK = "possible deadlock in {f}"
_SAFE = (
    "... which became HARDIRQ-irq-safe at:\n  lock_acquire+0x1/0x2\n"
    "  _raw_spin_lock_irqsave+0x1/0x2\n  pfd_f+0x12/0x40 [pfd]\n\n"
    "to a HARDIRQ-irq-unsafe lock:\n (&pfd_a){+.+.}-{2:2}\n\n"
    "... which became HARDIRQ-irq-unsafe at:\n...\n  lock_acquire+0x1/0x2\n  pfd_u+0x1/0x2\n\n"
)
LOCKING: tuple[Row, ...] = (
    *(
        (f"{line}\n6.1.0 #1 Not tainted\n-----\ndemo/812 [HC0[0]:SC0[2]:HE0:SE0] is trying to"
         " acquire:\nffff88800a1b2c40 (&pfd_a){+.+.}-{2:2}, at: pfd_g+0x8/0x20 [pfd]\n\n"
         f"but this new dependency connects a HARDIRQ-irq-safe lock:\n{_SAFE}"
         f"stack backtrace:\n{TRACE}", _DEADLOCK, "LOCKDEP", Kind.LOCKDEP)
        for line in ("WARNING: HARDIRQ-safe -> HARDIRQ-unsafe lock order detected",
                     "[ INFO: SOFTIRQ-safe -> SOFTIRQ-unsafe lock order detected ]",
                     "WARNING: SOFTIRQ-READ-safe -> SOFTIRQ-READ-unsafe lock order detected")
    ),
    *(
        (f"BUG: {words}!\n{TRACE}", f"BUG: {words}!", None, Kind.LOCKDEP)
        for words in ("MAX_LOCKDEP_CHAINS too low", "MAX_STACK_TRACE_ENTRIES too low")
    ),
    *(
        (f"{RULE}{level}: {words}\n{LOCKS}", _DEADLOCK, "LOCKDEP", Kind.LOCKDEP)
        for level in ("WARNING", "INFO")
        for words in ("possible circular locking dependency detected",
                      "possible recursive locking detected")
    ),
    ("[ INFO: possible circular locking dependency detected ]\n" + LOCKS, _DEADLOCK, "LOCKDEP",
     Kind.LOCKDEP),
    ("[ INFO: inconsistent lock state ]\n" + HELD, "inconsistent lock state in {f}", "LOCKDEP",
     Kind.LOCKDEP),
    ("WARNING: inconsistent lock state\n" + HELD, "inconsistent lock state in {f}", "LOCKDEP",
     Kind.LOCKDEP),
    ("WARNING: possible irq lock inversion dependency detected\n6.1.0 #1 Not tainted\n-----\n"
     "demo/812 just changed the state of lock:\nffff88800a1b2c40 (&pfd_a){+.+.}-{2:2}, at: "
     + PLACE + "\nbut this lock took another, HARDIRQ-unsafe lock in the past:\n"
     " (&pfd_b){+.+.}-{2:2}\n\nstack backtrace:\n" + TRACE, _DEADLOCK, "LOCKDEP", Kind.LOCKDEP),
    ("WARNING: bad unlock balance detected!\n6.1.0 #1 Not tainted\n-----\ndemo/812 is trying to"
     " release lock (&pfd_a) at:\n[<ffffffffa0123012>] pfd_f+0x12/0x40 [pfd]\nbut there are no"
     " more locks to release!\n\nstack backtrace:\n"
     + TRACE.replace(" pfd_f", " print_unlock_imbalance_bug+0x1/0x2\n lock_release+0x1/0x2\n"
                     " pfd_f", 1), "WARNING: bad unlock balance in {f}", "LOCKDEP", Kind.LOCKDEP),
    ("[ BUG: bad unlock balance detected! ]\n6.1.0 #1 Not tainted\n-----\n" + TRACE,
     "BUG: bad unlock balance in {f}", "LOCKDEP", Kind.LOCKDEP),
    ("WARNING: held lock freed!\n6.1.0 #1 Not tainted\n-----\ndemo/812 is freeing memory"
     " ffff88800a1b2c40-ffff88800a1b2c7f, with a lock still held there!\nffff88800a1b2c40"
     " (&pfd_a){+.+.}-{2:2}, at: " + PLACE + "\nstack backtrace:\n" + TRACE,
     "WARNING: held lock freed in {f}", "LOCKDEP", Kind.LOCKDEP),
    ("[ BUG: held lock freed! ]\ndemo/812 is freeing memory, with a lock still held there!\n"
     " (&pfd_a){+.+.}, at: [<ffffffffa0123012>] pfd_f+0x12/0x40 [pfd]\nstack backtrace:\n" + TRACE,
     "BUG: held lock freed in {f}", "LOCKDEP", Kind.LOCKDEP),
    ("WARNING: demo/812 still has locks held!\n6.1.0 #1 Not tainted\n-----\n"
     "1 lock held by demo/812:\n #0: ffff88800a1b2c40 (&pfd_a){+.+.}-{2:2}, at: " + PLACE +
     "\n\nstack backtrace:\n" + TRACE.replace(" pfd_f", " do_exit"),
     "WARNING: still has locks held in {f}", "LOCKDEP", Kind.LOCKDEP),
    ("[ BUG: demo/812 still has locks held! ]\n6.1.0 #1 Not tainted\n-----\n"
     "1 lock held by demo/812:\n #0:  (&pfd_a){+.+.+.}, at: [<ffffffffa0123012>] " + PLACE +
     "\n\nstack backtrace:\n" + TRACE.replace(" pfd_f", " debug_check_no_locks_held"),
     "BUG: still has locks held in {f}", "LOCKDEP", Kind.LOCKDEP),
    ("WARNING: lock held when returning to user space!\n6.1.0 #1 Not tainted\n-----\n"
     "demo/812 is leaving the kernel with locks still held!\n1 lock held by demo/812:\n"
     " #0: ffff88800a1b2c40 (&pfd_a){+.+.}-{2:2}, at: " + PLACE + "\n",
     "WARNING: lock held when returning to user space in {f}", "LOCKDEP", Kind.LOCKDEP),
    ("WARNING: Nested lock was not taken\n6.1.0 #1 Not tainted\n-----\ndemo/812 is trying to"
     " lock:\nffff88800a1b2c40 (&pfd_a){+.+.}-{2:2}, at: " + PLACE + "\n\nbut this task is not"
     " holding:\n&pfd_b\n\nstack backtrace:\n" + TRACE,
     "WARNING: nested lock was not taken in {f}", "LOCKDEP", Kind.LOCKDEP),
    ("[ BUG: Invalid wait context ]\n6.1.0 #1 Not tainted\n-----\ndemo/812 is trying to lock:\n"
     "ffff88800a1b2c40 (&pfd_a){+.+.}-{3:3}, at: pfd_g+0x8/0x20\nstack backtrace:\n" + TRACE,
     "WARNING: locking bug in {f}", "LOCKDEP", Kind.LOCKDEP),
    (RULE + "WARNING: suspicious RCU usage\n6.1.0 #1 Not tainted\n-----\ndrivers/pfd.c:42"
     " suspicious rcu_dereference_check() usage!\n\nstack backtrace:\n"
     + TRACE.replace(" pfd_f", " lockdep_rcu_suspicious+0x1/0x2\n pfd_f", 1),
     "WARNING: suspicious RCU usage in {f}", "LOCKDEP", Kind.LOCKDEP),
    ("[ INFO: suspicious RCU usage. ]\n4.9.0 #1 Not tainted\n-----\ndrivers/pfd.c:42"
     " suspicious rcu_dereference_check() usage!\n\nstack backtrace:\n" + TRACE,
     "INFO: suspicious RCU usage in {f}", None, Kind.LOCKDEP),
    ("INFO: trying to register non-static key.\nthe code is fine but needs lockdep annotation.\n"
     + TRACE.replace(" pfd_f", " register_lock_class+0x1/0x2\n __lock_acquire+0x1/0x2\n"
                     " lock_acquire+0x1/0x2\n _raw_spin_lock_irqsave+0x1/0x2\n pfd_f", 1),
     "INFO: trying to register non-static key in {f}", None, Kind.LOCKDEP),
    *(
        (f"BUG: spinlock {what} on CPU#1, demo/812\n lock: 0xffff88800a1b2c40, .magic: 6b6b6b6b,"
         f" .owner: <none>/-1, .owner_cpu: -1\n"
         + TRACE.replace(" pfd_f", " spin_dump+0x1/0x2\n do_raw_spin_lock+0x1/0x2\n pfd_f", 1),
         f"BUG: spinlock {what} in {{f}}", "LOCKDEP", Kind.LOCKDEP)
        for what in ("bad magic", "lockup suspected", "already unlocked", "recursion",
                     "wrong owner", "wrong CPU")
    ),
    ("BUG: rwlock bad magic on CPU#1, demo/812, ffff88800a1b2c40\n" + TRACE,
     "BUG: rwlock bad magic in {f}", "LOCKDEP", Kind.LOCKDEP),
    ("BUG: scheduling while atomic: demo/812/0x00000002\n"
     + TRACE.replace(" pfd_f", " __schedule_bug+0x1/0x2\n __schedule+0x1/0x2\n schedule+0x1/0x2\n"
                     " schedule_timeout+0x1/0x2\n pfd_f", 1),
     "BUG: scheduling while atomic in {f}", "ATOMIC_SLEEP", Kind.ATOMIC_SLEEP),
    ("BUG: sleeping function called from invalid context at kernel/locking/mutex.c:580\n"
     "in_atomic(): 1, irqs_disabled(): 0, non_block: 0, pid: 812, name: demo\n"
     + TRACE.replace(" pfd_f", " __might_resched+0x1/0x2\n mutex_lock+0x1/0x2\n pfd_f", 1),
     "BUG: sleeping function called from invalid context in {f}", "ATOMIC_SLEEP",
     Kind.ATOMIC_SLEEP),
    ("BUG: using smp_processor_id() in preemptible [00000000] code: demo/812\ncaller is "
     "debug_smp_processor_id+0x1/0x2\n"
     + TRACE.replace(" pfd_f", " check_preemption_disabled+0x1/0x2\n pfd_f", 1),
     "BUG: using smp_processor_id() in preemptible code in {f}", "LOCKDEP", Kind.ATOMIC_SLEEP),
    ("BUG: using __this_cpu_add() in preemptible [00000000] code: demo/812\n"
     + TRACE.replace(" pfd_f", " check_preemption_disabled+0x1/0x2\n"
                     " __this_cpu_preempt_check+0x1/0x2\n pfd_f", 1),
     "BUG: using __this_cpu_add() in preemptible code in {f}", "LOCKDEP", Kind.ATOMIC_SLEEP),
)  # fmt: skip

_LEAK = (
    'unreferenced object 0xffff88800a1b2c40 (size 64):\n  comm "demo", pid 812, jiffies'
    " 4294937296 (age 12.340s)\n  hex dump (first 32 bytes):\n    00 00 00 00 01 02 03 04  ....\n"
    "  backtrace:\n    [<00000000a1b2c3d4>] kmem_cache_alloc_trace+0x1/0x2\n"
    "    [<00000000a1b2c3d5>] pfd_f+0x12/0x40 [pfd]\n"
    "    [<00000000a1b2c3d6>] pfd_g+0x8/0x20 [pfd]\n"
    "    [<00000000a1b2c3d7>] do_syscall_64+0x3a/0x90\n"
)
_PAGE = (
    "page:ffffea0000285e00 refcount:1 mapcount:0 mapping:0000000000000000 index:0x0 pfn:0xa178\n"
    "page dumped because: nonzero _refcount\n"
    "page last allocated via order 0, migratetype Unmovable, gfp_mask 0x400dc0\n"
    " prep_new_page+0x1/0x2\n get_page_from_freelist+0x1/0x2\n __alloc_pages+0x1/0x2\n"
    " pfd_f+0x12/0x40 [pfd]\n pfd_g+0x8/0x20 [pfd]\npage last free stack trace:\n"
    " free_pcp_prepare+0x1/0x2\n free_unref_page+0x1/0x2\n"
)
_NOT_SYNCING = "Kernel panic - not syncing: "
MEMORY: tuple[Row, ...] = (
    ("BUG: memory leak\n" + _LEAK, "memory leak in {f}", "LEAK", Kind.LEAK),
    ("BUG: memory leak\n" + _LEAK.replace("backtrace:", "backtrace (crc 1a2b3c4d):"),
     "memory leak in {f}", "LEAK", Kind.LEAK),
    ("BUG: Bad page state in process demo  pfn:0a178\n" + _PAGE + TRACE,
     "BUG: Bad page state in {f}", None, Kind.BAD_PAGE),
    ("BUG: Bad page cache in process demo  pfn:0a178\n" + _PAGE + TRACE,
     "BUG: Bad page cache in {f}", None, Kind.BAD_PAGE),
    ("BUG: Bad page map in process demo  pte:8000000012345867 pmd:12345067\n" + TRACE,
     "BUG: Bad page map", None, Kind.BAD_PAGE),
    ("BUG: Bad rss-counter state mm:ffff88800a1b2c40 idx:1 val:1\n", "BUG: Bad rss-counter state",
     None, Kind.BAD_PAGE),
    ("BUG: Bad rss-counter state mm:00000000a1b2c3d4 type:MM_ANONPAGES val:1 Comm:demo Pid:812\n",
     "BUG: Bad rss-counter state", None, Kind.BAD_PAGE),
    ("BUG: non-zero nr_ptes on freeing mm: 1\n", "BUG: non-zero nr_ptes on freeing mm", None,
     Kind.BAD_PAGE),
    ("BUG: non-zero nr_pmds on freeing mm: 1\n", "BUG: non-zero nr_pmds on freeing mm", None,
     Kind.BAD_PAGE),
    ("BUG: non-zero pgtables_bytes on freeing mm: 4096\n",
     "BUG: non-zero pgtables_bytes on freeing mm", None, Kind.BAD_PAGE),
    ("BUG: Dentry 00000000a1b2c3d4{i=1,n=a}  still in use (1) [unmount of tmpfs tmpfs]\n" + TRACE,
     "BUG: Dentry still in use in unmount", None, Kind.KERNEL_BUG),
    ("VFS: Busy inodes after unmount of sda1. Self-destruct in 5 seconds.  Have a nice day...\n",
     "VFS: Busy inodes after unmount (use-after-free)", _DOS, Kind.KERNEL_BUG),
    ("VFS: Close: file count is 0\n", "VFS: Close: file count is zero (use-after-free)", _DOS,
     Kind.KERNEL_BUG),
    *(
        (f"{_NOT_SYNCING}{text}\n{TRACE}", f"kernel panic: {title}", _DOS, kind)
        for text, title, kind in (
            ("Attempted to kill init! exitcode=0x0000000b", "Attempted to kill init!", Kind.PANIC),
            ("Attempted to kill init!", "Attempted to kill init!", Kind.PANIC),
            ("Attempted to kill the idle task!", "Attempted to kill the idle task!", Kind.PANIC),
            ("No working init found.  Try passing init= option to kernel.",
             "No working init found. Try passing init= option to kernel.", Kind.PANIC),
            ("VFS: Unable to mount root fs on unknown-block(0,0)",
             "VFS: Unable to mount root fs on unknown-block(NUM,NUM)", Kind.PANIC),
            ("System is deadlocked on memory", "System is deadlocked on memory", Kind.PANIC),
            ("Out of memory: system-wide panic_on_oom is enabled",
             "Out of memory: system-wide panic_on_oom is enabled", Kind.PANIC),
            ("sysrq triggered crash", "sysrq triggered crash", Kind.PANIC),
            ("Fatal machine check", "Fatal machine check", Kind.HARDWARE),
            ("Asynchronous SError Interrupt", "Asynchronous SError Interrupt", Kind.HARDWARE),
            ("NMI: Not continuing", "NMI: Not continuing", Kind.HARDWARE),
            ("EXT4-fs (device sda1): panic forced after error",
             "EXT4-fs (device sda1): panic forced after error", Kind.PANIC),
            ("Couldn't open N_TTY ldisc for ttyS0 --- error -12.", "Couldn't open N_TTY ldisc",
             Kind.PANIC),
        )
    ),
)  # fmt: skip

ROWS = (*HANGS, *LOCKING, *MEMORY)


@pytest.mark.parametrize("row", ROWS, ids=headline)
def test_a_wording_is_told_by_title_type_and_kind(read: Read, row: Row) -> None:
    assert_told(read(row[0]), row)
    assert_told(read(stamped(row[0])), row)


LOST: tuple[tuple[str, str], ...] = (
    ("BUG: unable to handle kernel\n" + X86, "BUG: unable to handle kernel"),
    (_NOT_SYNCING + "Fatal exception in interrupt\n" + TRACE, "kernel panic: Fatal exception"),
    (_NOT_SYNCING + "panic_on_warn set ...\n" + TRACE, "kernel panic: panic_on_warn set"),
    (_NOT_SYNCING + "kernel: panic_on_warn set ...\n" + TRACE, "kernel panic: panic_on_warn set"),
    (_NOT_SYNCING + "hung_task: blocked tasks\n" + TRACE, "kernel panic: hung_task: blocked tasks"),
    ("BUG:\n" + TRACE, "BUG: corrupted"),
    ("general protection fault: 0000 [#1] SMP\nCPU: 1 PID: 812 Comm: demo Not tainted 6.1.0 #1\n",
     "general protection fault in corrupted"),
    (f"BUG: KASAN: use-after-free in {PLACE}\n", "KASAN: use-after-free in pfd_f [pfd]"),
    ("WARNING: CPU: 0 PID: 812 at drivers/pfd.c:42 pfd_f+0x12/0x40 [pfd]\n",
     "WARNING in corrupted"),
    ("INFO: task demo:812 blocked for more than 143 seconds.\n      Not tainted 6.1.0 #1\n",
     "INFO: task hung in corrupted"),
    ("general protection fault: 0000 [#1] SMP\nRIP: 0010:pfd_f+0x12/0x40\nCall Trace:\n"
     " pfd_g+0x1/0x2\n", "general protection fault in pfd_f"),
    ("kernel BUG at drivers/pfd.c:42!\nRIP: 0010:pfd_f+0x12/0x40\nCall Trace:\n"
     + "something else entirely\n" * 5, "kernel BUG in pfd_f"),
)  # fmt: skip


@pytest.mark.parametrize(("text", "title"), LOST, ids=[row[0].splitlines()[0][:40] for row in LOST])
def test_a_report_that_lost_lines_is_marked(read: Read, text: str, title: str) -> None:
    report = read(stamped(text)).reports[0]
    assert report.corrupted
    assert report.corrupted_reason
    assert report.title == title
