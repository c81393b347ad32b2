"""Reports whose headline is not in the log, as people paste them from the instruction pointer on.

They count only in a boot that has nothing else; `headless` is a detail of theirs. What the kernel
prints of its processors on request has an instruction pointer, too, but no headline to lose.

`REMAINS` are for what is left where even that line is lost, or was never there: registers, a trace,
a debugger's backtrace (`klog/remains.py` finds it). The functions of a trace tell what stopped it.
"""

from __future__ import annotations

from functools import partial
from typing import Final

from msgspec import structs

from pagefault_doctor.klog.formats.format import FAULT, ONLY_RIP, Format
from pagefault_doctor.klog.guilty_function import CALL, TRACE, Choice
from pagefault_doctor.model.report import Kind

_RIP: Final = r"^\s*RIP: (?:0010|e030):(?:\[<[0-9a-f]+>\]\s*){0,2}[\w.]+\+0x"
"""In the kernel, by the selectors of its code, the second under Xen."""
_WARNED: Final = r"\b__warn(?:_printk|_thunk)?\+|warn_slowpath|<67> 48 0f b9"
_BUG: Final = "<0f> 0b"
_headless = partial(
    Format,
    start=_RIP,
    needles=("RIP: ",),
    fragment=True,
    follows=True,
    lost=True,
    details=(r"(?P<headless>RIP: )",),
    alike="headless",
    ways=ONLY_RIP,
    source="arch/x86/kernel/process_64.c (__show_regs); its headline is not in the log",
)

FORMATS: Final = (
    Format(
        start=r"^(?:NMI backtrace for cpu \d+|sysrq: (?:SysRq : )?Show )",
        needles=("NMI backtrace for cpu ", ": Show "),
        silent=True,
        alike="state",
        title="state of the processors",
        kind=Kind.INFO,
        plain=True,
        source="lib/nmi_backtrace.c (nmi_cpu_backtrace), drivers/tty/sysrq.c",
    ),
    _headless(
        pattern=rf"{_RIP}(?=[\s\S]*(?:{_WARNED}))", title="WARNING in {f}", kind=Kind.WARNING
    ),
    _headless(pattern=rf"{_RIP}(?=[\s\S]*{_BUG})", title="kernel BUG in {f}", kind=Kind.KERNEL_BUG),
    _headless(title="Oops in {f}", kind=Kind.PAGE_FAULT),
)


# What handles the trouble stands in its own trace, and never is its cause.
_HANDLERS: Final = (
    r"page_fault|bad_area|no_context|do_exit|crash_kexec|machine_kexec|kexec|_mem_abort|dabt_|pabt_"
    r"|el1[ht_]|fault_oops|mm_fault_error|fixup_or_oops|addr_fault|show_trace|show_stack"
    r"|do_DataAbort|do_PrefetchAbort|watchdog|_timer_interrupt|hrtimer|oom_kill|out_of_memory"
    r"|^__alloc_|nmi|perf_event|intel_pmu|check_timeout|rcu_check|rcu_sched|update_process_times"
    r"|tick_|io_schedule|^_*schedule$|schedule_timeout|bit_wait|wait_on_bit|stack_chk_fail"
    r"|^_raw_|native_queued|general_protection|invalid_op|error_entry|_exception$|_trap"
)


def _left(functions: str, title: str, kind: Kind, *, fragment: bool = False) -> Format:
    """Return the row of a trace in which one of the functions stands, or of any without one."""
    seen = rf"[\s\S]*\b(?:{functions})(?:[+.]| at | \()" if functions else ""
    return Format(
        start=rf"\A(?={seen})",
        lost=True,
        ways=(*FAULT, (TRACE,)),
        skip=_HANDLERS,
        take=Choice.HUNG if kind is Kind.HUNG_TASK else Choice.FIRST,
        title=title,
        kind=kind,
        source="what is left of a report; the functions are those that the kernel reports with",
        fragment=fragment,
    )


def _stopped(printed: str, *, fragment: bool = False) -> Format:
    """Return the row of what has an instruction pointer or registers, and no trace that tells."""
    row = _left("", "Oops in {f}", Kind.PAGE_FAULT, fragment=fragment)
    return structs.replace(row, start=rf"\A(?=[\s\S]*(?:{printed}))")


_OF_A_PROGRAM: Final = (
    r"RIP: 00[23]3:|[RE]SP: 00[27]b:|E?IP: +0073:|Mode USER_\d\d|psr: ?[0-9a-f]{6}[13]0\b"
    r"|pstate: ?[0-9a-f]{7}0\b|status: (?:[0-9a-f]{8})?[0-9a-f]{5}[02468ace][0-9a-f]{2} badaddr: "
    r"|Status: (?:[0-9a-f]{8}\s.*\bUSER\b|[0-9a-f]{6}[13579bdf][0-7]\b)"
    r"|\bMSR: +[0-9a-f]{8,16} <[A-Z0-9,]*\bPR\b|PRMD: [0-9a-f]{8} \(PPLV3\b|^User PSW :"
)
"""What registers show of code that ran as a program: the selectors of x86, the modes of ARM, arm64
(EL0t) and MIPS, riscv's status without SPP, powerpc's PR, LoongArch's privilege level 3
(`arch/*/include/asm/ptrace.h`, `csr.h`, and what `show_regs` prints of them)."""
_OF_THE_KERNEL: Final = r"RIP: (?:0010|e030):|\w\+0x[0-9a-f]+/0x|Mode SVC|CPU: \d+.*tainted: .*D"
REMAINS: Final = (
    Format(
        start=rf"\A(?![\s\S]*(?:{_OF_THE_KERNEL}))(?=[\s\S]*(?:{_OF_A_PROGRAM}))",
        lost=True,
        title="registers of a program that faulted",
        kind=Kind.USER_TRAP,
        plain=True,
        source="show_regs of a program, as arch/*/mm/fault.c prints it with user_debug",
    ),
    structs.replace(
        _left("__do_user_fault|arm64_show_signal|show_signal_msg|print_fatal_signal|show_signal",
              "a program faulted", Kind.USER_TRAP),
        plain=True,
    ),
    _left("sysrq_handle_crash", "kernel panic: sysrq triggered crash", Kind.PANIC),
    _left("mce_panic|do_machine_check|exc_machine_check|machine_check_exception",
          "machine check in {f}", Kind.HARDWARE),
    _left("arm64_serror_panic|do_serror", "SError in {f}", Kind.HARDWARE),
    _left("oom_kill_process|out_of_memory|mem_cgroup_out_of_memory|pagefault_out_of_memory",
          "out of memory: the trace of the oom-killer", Kind.OOM_KILL),
    _left("warn_alloc|warn_alloc_failed", "page allocation failure in {f}", Kind.INFO),
    _left("watchdog_overflow_callback|watchdog_hardlockup_check|hardlockup_detected",
          "hard LOCKUP in {f}", Kind.LOCKUP),
    _left("watchdog_timer_fn|softlockup_fn", "BUG: soft lockup in {f}", Kind.LOCKUP),
    _left(r"rcu_check_callbacks|rcu_sched_clock_irq|print_cpu_stall|print_other_cpu_stall",
          "INFO: rcu detected stall in {f}", Kind.STALL),
    _left(r"kasan_report\w*|kasan_report_invalid_free", "KASAN: in {f}", Kind.SANITIZER),
    _left(r"__ubsan_handle_\w+|ubsan_epilogue", "UBSAN: in {f}", Kind.SANITIZER),
    _left(r"_*fortify_(?:panic|report)", "WARNING: buffer overflow in {f}", Kind.WARNING),
    _left("usercopy_abort|__check_object_size", "BUG: bad usercopy in {f}", Kind.USERCOPY),
    _left("__stack_chk_fail", "kernel panic: stack is corrupted in {f}", Kind.STACK_CORRUPTED),
    _left("handle_stack_overflow|panic_bad_stack|handle_bad_stack",
          "BUG: stack guard page was hit in {f}", Kind.STACK_GUARD),
    _left("exc_double_fault|do_double_fault", "PANIC: double fault in {f}", Kind.DOUBLE_FAULT),
    _left(r"__might_resched|___might_sleep|__might_sleep|__schedule_bug",
          "BUG: sleeping function called from invalid context in {f}", Kind.ATOMIC_SLEEP),
    _left(r"print_circular_bug\w*|print_usage_bug|print_deadlock_bug",
          "possible deadlock in {f}", Kind.LOCKDEP),
    _left(r"refcount_warn_saturate", "WARNING: refcount bug in {f}", Kind.REFCOUNT),
    _left(r"__list_(?:add|del_entry)_valid\w*", "BUG: corrupted list in {f}",
          Kind.LIST_CORRUPTION),
    _left(r"__warn(?:_printk|_thunk)?|warn_slowpath_\w+", "WARNING in {f}", Kind.WARNING),
    _left(r"(?:asm_)?exc_general_protection|do_general_protection|general_protection",
          "general protection fault in {f}", Kind.GENERAL_PROTECTION, fragment=True),
    _left(r"(?:asm_)?exc_control_protection|do_kernel_cp_fault", "control protection fault in {f}",
          Kind.TRAP),
    _left(r"handle_bug|report_bug|(?:asm_)?exc_invalid_op|do_invalid_op|invalid_op|bug_handler"
          r"|do_error_trap|__bug|do_undefinstr|el1_undef|el1_dbg|brk_handler",
          "kernel BUG in {f}", Kind.KERNEL_BUG),
    _left(r"(?:asm_)?exc_page_fault|page_fault_oops|__?do_page_fault|async_page_fault|page_fault"
          r"|no_context|__?bad_area\w*|do_translation_fault|do_mem_abort|el1_abort|el1_da|__dabt_svc"
          r"|__do_kernel_fault|die_kernel_fault|do_DataAbort|data_access_common\w*|bad_page_fault"
          r"|handle_page_fault|do_user_addr_fault|tlb_do_page_fault_[01]", "Oops in {f}",
          Kind.PAGE_FAULT, fragment=True),
    _left(r"nmi_panic|panic|__?do_kernel_panic", "kernel panic: in {f}", Kind.PANIC),
    _left(r"oops_end|__?die(?:_body|_addr)?|arm_notify_die", "Oops in {f}", Kind.PAGE_FAULT,
          fragment=True),
    Format(
        start=rf"\A(?=[\s\S]*(?:{_BUG}|d4210000|<e7f[0-9a-f]{{2}}f\w+>|\(e7f[0-9a-f]{{2}}f))",
        title="kernel BUG in {f}",
        kind=Kind.KERNEL_BUG,
        lost=True,
        ways=(*FAULT, (TRACE,)),
        source="Code: of BUG(), on x86, arm64 and ARM; its headline is not in the log",
    ),
    Format(
        start=r"\A(?:(?!.*(?:\+0x| at )).*\n){0,4} *(?:#\d+ \[[0-9a-f]+\]|\[<[0-9a-f]+>\])? *"
        r"(?:__schedule|schedule|__switch_to|io_schedule\w*|\w+_wait_bit_\w+|rwsem_down_\w+"
        r"|__mutex_lock\S*|wait_on_\w+)(?:[+.]| at )",
        title="task waits in {f}",
        kind=Kind.HUNG_TASK,
        lost=True,
        ways=((TRACE,), (CALL, TRACE)),
        take=Choice.HUNG,
        source="the stack of a sleeping task, of sysrq, /proc/PID/stack or a debugger",
    ),
    _stopped(r"[RE]A[XL]:|EIP|RIP: |CR2:|\beax:|Code: ", fragment=True),
    _stopped(r"pc ?:|P?C is at|pc is at|epc +:|NIP|Krnl |TPC|IAOQ|\bE?RA:|ESR = |x29:|PC:|ERET"),
    _left("", "stack trace of {f}", Kind.INFO),
)  # fmt: skip
UNTOLD: Final = 3
"""Rows at the end of those which do not tell what reported the trouble."""
