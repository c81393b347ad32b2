"""What kernels print below the headline of a report, for the tests of its wordings.

The faulting function is `pfd_f` of the module `pfd`, called by `pfd_g`, wherever the kernel of that
age and machine prints it: `arch/*/kernel/process*.c` (show_regs) and `traps.c`, `lib/dump_stack.c`.
"""

from __future__ import annotations

from pagefault_doctor.model.log import KernelLog
from pagefault_doctor.model.report import Kind

Row = tuple[str, str, str | None, Kind]
"""The lines, the title with `{f}` for the function, the type and the kind."""

PLACE = "pfd_f+0x12/0x40 [pfd]"
TRACE = (
    "CPU: 1 PID: 812 Comm: insmod Not tainted 6.1.0 #1\nHardware name: demo board\nCall Trace:\n"
    " <TASK>\n dump_stack_lvl+0x34/0x44\n pfd_f+0x12/0x40 [pfd]\n pfd_g+0x8/0x20 [pfd]\n"
    " do_one_initcall+0x40/0x2a0\n do_syscall_64+0x3a/0x90\n"
    " entry_SYSCALL_64_after_hwframe+0x63/0xcd\n </TASK>\n"
)
X86 = (
    "CPU: 1 PID: 812 Comm: insmod Not tainted 6.1.0 #1\nHardware name: demo board\n"
    "RIP: 0010:pfd_f+0x12/0x40 [pfd]\nCode: 00 01 02 03 <04> 05\n"
    "RSP: 0018:ffffc90000a3fd10 EFLAGS: 00010246\nRAX: 0000000000000000 RBX: 0000000000000001\n"
    "Call Trace:\n <TASK>\n pfd_g+0x8/0x20 [pfd]\n do_one_initcall+0x40/0x2a0\n"
    " do_syscall_64+0x3a/0x90\n entry_SYSCALL_64_after_hwframe+0x63/0xcd\n </TASK>\n"
)
X86_OLD = (
    "CPU: 1 PID: 812 Comm: insmod Not tainted 3.16.0 #1\n"
    "task: ffff88003d3a2000 ti: ffff88003d3a4000 task.ti: ffff88003d3a4000\n"
    "RIP: 0010:[<ffffffffa0123012>]  [<ffffffffa0123012>] pfd_f+0x12/0x40 [pfd]\n"
    "RSP: 0018:ffff88003d3a7d10  EFLAGS: 00010246\nStack:\n ffff88003d3a7d40 ffffffffa0125000\n"
    "Call Trace:\n [<ffffffffa0123108>] pfd_g+0x8/0x20 [pfd]\n"
    " [<ffffffff810020e0>] do_one_initcall+0x40/0x2a0\n"
    " [<ffffffff8100a0e0>] system_call_fastpath+0x16/0x1b\n"
)
I386 = (
    "Modules linked in: pfd(O+)\nCPU: 0 PID: 812 Comm: insmod Not tainted 4.4.0 #1\n"
    "EIP: 0060:[<f8a01012>] EFLAGS: 00010246 CPU: 0\nEIP is at pfd_f+0x12/0x40 [pfd]\n"
    "EAX: 00000000 EBX: f8a01000 ECX: 00000001 EDX: 00000000\nCall Trace:\n"
    " [<f8a01108>] pfd_g+0x8/0x20 [pfd]\n [<c10020e0>] do_one_initcall+0x40/0x2a0\n"
    " [<c100a0e0>] sysenter_do_call+0x12/0x28\n"
)
ARM64 = (
    "Modules linked in: pfd(O+)\nCPU: 1 UID: 0 PID: 812 Comm: insmod Not tainted 6.14.0 #1\n"
    "pstate: 60000005 (nZCv daif -PAN -UAO -TCO -DIT -SSBS BTYPE=--)\n"
    "pc : pfd_f+0x12/0x40 [pfd]\nlr : pfd_g+0x8/0x20 [pfd]\nsp : ffff80008213bb60\n"
    "x2 : dead000000000122 x1 : 0000000000000001 x0 : 0000000000000000\nCall trace:\n"
    " pfd_f+0x12/0x40 [pfd] (P)\n pfd_g+0x8/0x20 [pfd]\n do_one_initcall+0x40/0x2a0\n"
    " el0_svc+0x2c/0xa0\nCode: d503201f d503233f (b9400000)\n"
)
ARM = (
    "Modules linked in: pfd(O+)\nCPU: 0 PID: 812 Comm: insmod Not tainted 6.1.0 #1\n"
    "Hardware name: demo board\nPC is at pfd_f+0x12/0x40 [pfd]\nLR is at pfd_g+0x8/0x20 [pfd]\n"
    "pc : [<bf000012>]    lr : [<bf000108>]    psr: 60000013\nsp : c2a01e50  ip : 00000000\n"
    "Process insmod (pid: 812, stack limit = 0x1a2b3c4d)\n"
    " pfd_f [pfd] from pfd_g+0x8/0x20 [pfd]\n pfd_g [pfd] from do_one_initcall+0x40/0x2a0\n"
    " do_one_initcall from ret_fast_syscall+0x0/0x1c\nCode: e92d4800 e28db004 (e5900000)\n"
    "Call trace:\n pfd_f [pfd] from pfd_g+0x8/0x20 [pfd]\n"
    " pfd_g [pfd] from do_one_initcall+0x40/0x2a0\n do_one_initcall from sys_init_module+0x1/0x2\n"
)
RISCV = (
    "Modules linked in: pfd(O+)\nCPU: 0 PID: 812 Comm: insmod Not tainted 6.8.0 #1\n"
    "Hardware name: demo board\nepc : pfd_f+0x12/0x40 [pfd]\n ra : pfd_g+0x8/0x20 [pfd]\n"
    "epc : ffffffff01a2b012 ra : ffffffff01a2b108 sp : ff20000000b23b50\n"
    "status: 0000000200000120 badaddr: 0000000000000010 cause: 000000000000000d\n"
    "[<ffffffff01a2b012>] pfd_f+0x12/0x40 [pfd]\n[<ffffffff01a2b108>] pfd_g+0x8/0x20 [pfd]\n"
    "[<ffffffff800020e0>] do_one_initcall+0x40/0x2a0\n"
    "[<ffffffff8000a0e0>] do_trap_ecall_u+0x1/0x2\n"
)
PPC = (
    "LE PAGE_SIZE=64K MMU=Radix SMP NR_CPUS=2048 NUMA pSeries\nModules linked in: pfd(O+)\n"
    "CPU: 1 PID: 812 Comm: insmod Not tainted 6.1.0 #1\n"
    "NIP:  c008000000a10012 LR: c008000000a10108 CTR: c000000000001234\n"
    "REGS: c00000000a1b36b0 TRAP: 0300   Not tainted  (6.1.0)\n"
    "MSR:  8000000000009033 <SF,EE,ME,IR,DR,RI,LE>  CR: 24002888  XER: 00000000\n"
    "CFAR: c000000000001234 DAR: 0000000000000018 DSISR: 40000000 IRQMASK: 0\n"
    "GPR00: c008000000a10108 c00000000a1b3950 c000000001a2b300 000000000000001d\n"
    "NIP [c008000000a10012] pfd_f+0x12/0x40 [pfd]\nLR [c008000000a10108] pfd_g+0x8/0x20 [pfd]\n"
    "Call Trace:\n[c00000000a1b3950] [c008000000a10108] pfd_g+0x8/0x20 [pfd] (unreliable)\n"
    "[c00000000a1b39c0] [c0000000000120e0] do_one_initcall+0x40/0x2a0\n"
    "[c00000000a1b3a90] [c00000000001a0e0] system_call_exception+0x130/0x280\n"
    "[c00000000a1b3b00] [c00000000001b0e0] system_call_common+0xf4/0x258\n"
)
S390 = (
    "Modules linked in: pfd(O+)\nCPU: 1 PID: 812 Comm: insmod Not tainted 6.1.0 #1\n"
    "Hardware name: IBM 3906 M04 704 (LPAR)\n"
    "Krnl PSW : 0704c00180000000 000003ff80a10012 (pfd_f+0x12/0x40 [pfd])\n"
    "           R:0 T:1 IO:1 EX:1 Key:0 M:1 W:0 P:0 AS:3 CC:0 PM:0 RI:0 EA:3\n"
    "Krnl GPRS: 0000000000000001 0000000000000000 000000000000002a 0000000000000000\n"
    "Krnl Code: 000003ff80a1000a: b9040032 lgr %r3,%r2\nCall Trace:\n"
    " [<000003ff80a10012>] pfd_f+0x12/0x40 [pfd] \n [<000003ff80a10108>] pfd_g+0x8/0x20 [pfd] \n"
    " [<00000000001020e0>] do_one_initcall+0x40/0x2a0 \n"
    " [<0000000000a0a0e0>] __do_syscall+0x1c0/0x1f0\n"
    "Last Breaking-Event-Address:\n [<000003ff80a10100>] pfd_g+0x0/0x20 [pfd]\n"
)
STALLED = (
    "Modules linked in: pfd(O)\nCPU: 1 PID: 812 Comm: demo Not tainted 6.1.0 #1\n"
    "RIP: 0010:pfd_spin+0x12/0x40 [pfd]\nCode: 00 01 02 03 <04> 05\nCall Trace:\n <TASK>\n"
    " pfd_loop+0x8/0x20 [pfd]\n pfd_f+0x12/0x40 [pfd]\n vfs_ioctl+0x20/0x40\n"
    " __x64_sys_ioctl+0x90/0xd0\n do_syscall_64+0x3a/0x90\n"
    " entry_SYSCALL_64_after_hwframe+0x63/0xcd\n </TASK>\n"
)
RCU = (
    "rcu: \t1-...!: (20999 ticks this GP) idle=0a2/1/0x4000000000000000 softirq=1/1 fqs=5\n"
    "\t(t=21000 jiffies g=1 q=1)\nNMI backtrace for cpu 1\n"
    "CPU: 1 PID: 812 Comm: demo Not tainted 6.1.0 #1\nCall Trace:\n <IRQ>\n"
    " dump_stack_lvl+0x34/0x44\n nmi_cpu_backtrace+0x1/0x2\n rcu_dump_cpu_stacks+0x1/0x2\n"
    " rcu_sched_clock_irq+0x1/0x2\n update_process_times+0x1/0x2\n hrtimer_interrupt+0x1/0x2\n"
    " __sysvec_apic_timer_interrupt+0x1/0x2\n sysvec_apic_timer_interrupt+0x1/0x2\n </IRQ>\n"
    " <TASK>\n asm_sysvec_apic_timer_interrupt+0x1/0x2\nRIP: 0010:pfd_spin+0x12/0x40 [pfd]\n"
    "RSP: 0018:ffffc90000a3fd10 EFLAGS: 00010246\n pfd_loop+0x8/0x20 [pfd]\n"
    " pfd_f+0x12/0x40 [pfd]\n vfs_ioctl+0x20/0x40\n do_syscall_64+0x3a/0x90\n </TASK>\n"
)
HUNG = (
    "      Not tainted 6.1.0 #1\n"
    '"echo 0 > /proc/sys/kernel/hung_task_timeout_secs" disables this message.\n'
    "task:demo            state:D stack:0     pid:812   ppid:1      flags:0x00000002\n"
    "Call Trace:\n <TASK>\n __schedule+0x2eb/0x8d0\n schedule+0x5e/0xd0\n"
    " schedule_preempt_disabled+0x15/0x30\n __mutex_lock.constprop.0+0x2f0/0x6c0\n"
    " pfd_f+0x12/0x40 [pfd]\n vfs_read+0xa0/0x310\n do_syscall_64+0x3a/0x90\n </TASK>\n"
)
KASAN = (
    "{access} at addr ffff88800a1b2c40 by task demo/812\n\n" + TRACE + "\nAllocated by task 812:\n"
    " kasan_save_stack+0x1e/0x40\n __kasan_kmalloc+0x81/0xa0\n pfd_open+0x12/0x40 [pfd]\n"
    " do_dentry_open+0x1/0x2\n\nThe buggy address belongs to the object at ffff88800a1b2c40\n"
)
READ = KASAN.format(access="Read of size 4")
WRITE = KASAN.format(access="Write of size 8")
LOCKS = (
    "6.1.0 #1 Not tainted\n------------------------------------------------------\n"
    "demo/812 is trying to acquire lock:\n"
    f"ffff88800a1b2c40 (&pfd_a){{+.+.}}-{{3:3}}, at: {PLACE}\n\nbut task is already holding lock:\n"
    "ffff88800a1b2c80 (&pfd_b){+.+.}-{3:3}, at: pfd_g+0x8/0x20 [pfd]\n\n"
    "which lock already depends on the new lock.\n\nstack backtrace:\n"
) + TRACE
HELD = (
    "6.1.0 #1 Not tainted\n--------------------------------\n"
    "inconsistent {HARDIRQ-ON-W} -> {IN-HARDIRQ-W} usage.\n"
    "demo/812 [HC1[1]:SC0[0]:HE0:SE1] takes:\n"
    f"ffff88800a1b2c40 (&pfd_a){{?.+.}}-{{2:2}}, at: {PLACE}\n"
    "{HARDIRQ-ON-W} state was registered at:\n  lock_acquire+0xd0/0x2f0\n"
    "  _raw_spin_lock+0x30/0x40\n  pfd_g+0x8/0x20 [pfd]\n\nstack backtrace:\n"
) + TRACE
RULE = "=============================\n"


def headline(row: Row) -> str:
    """Return what a row is called."""
    return row[0].splitlines()[0][:60]


def stamped(text: str) -> str:
    """Return the lines with the kernel's clock before each."""
    return "".join(f"[   12.345678] {line}\n" for line in text.splitlines())


def assert_told(log: KernelLog, row: Row) -> None:
    """Fail unless the log is exactly one complete report of that title, type and kind."""
    _, title, type_, kind = row
    assert [r.title for r in log.reports] == [title.replace("{f}", "pfd_f")]
    assert (log.reports[0].type, log.reports[0].kind) == (type_, kind)
    assert log.reports[0].corrupted_reason is None
