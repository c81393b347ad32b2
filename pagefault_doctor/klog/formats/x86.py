"""Faults and traps as x86 reports them: `arch/x86/mm/fault.c`, `arch/x86/kernel/traps.c`.

Details: `stack` the range of the stack and `stack_kind`, of a guard page; `hint` what
the kernel guesses; `kasan` and `range`, the real address behind a KASAN shadow address.
"""

from __future__ import annotations

from typing import Final

from pagefault_doctor.klog.formats.format import BAD_ACCESS, FAULT, ONLY_RIP, OWN, Format
from pagefault_doctor.klog.guilty_function import CALL, TRACE, Choice
from pagefault_doctor.model.report import Kind

_NULL: Final = "BUG: unable to handle kernel NULL pointer dereference in {f}"
_PAGING: Final = "BUG: unable to handle kernel paging request in {f}"

FORMS: Final = (
    Format(
        header="BUG:",
        says=r"BUG: kernel NULL pointer dereference, address:",
        title=_NULL,
        kind=Kind.NULL_POINTER,
        ways=FAULT,
        alts=(BAD_ACCESS,),
        source="show_fault_oops since 5.1",
    ),
    Format(
        header="BUG:",
        says=r"BUG: unable to handle page fault for address:",
        title=_PAGING,
        kind=Kind.PAGE_FAULT,
        ways=FAULT,
        alts=(BAD_ACCESS,),
        source="show_fault_oops since 5.1",
    ),
    Format(
        header="BUG:",
        says=r"BUG: unable to handle kernel NULL pointer dereference",
        title=_NULL,
        kind=Kind.NULL_POINTER,
        ways=FAULT,
        alts=(BAD_ACCESS,),
        source="show_fault_oops before 5.1",
    ),
    Format(
        header="BUG:",
        says=r"BUG: unable to handle kernel paging request",
        title=_PAGING,
        kind=Kind.PAGE_FAULT,
        ways=FAULT,
        alts=(BAD_ACCESS,),
        source="show_fault_oops before 5.1",
    ),
    Format(
        header="BUG:",
        says=r"BUG: unable to handle kernel",
        title="BUG: unable to handle kernel",
        kind=Kind.PAGE_FAULT,
        lost=True,
    ),
    Format(
        header="BUG:",
        says=r"BUG: (?:[A-Z#]+ )?stack guard page was hit at",
        title="BUG: stack guard page was hit in {f}",
        kind=Kind.STACK_GUARD,
        ways=((CALL, TRACE),),
        take=Choice.STALL,
        alts=("stack-overflow in {f}",),
        source="handle_stack_overflow",
    ),
    Format(
        header="general protection fault",
        says=r"general protection fault.*:",
        title="general protection fault in {f}",
        kind=Kind.GENERAL_PROTECTION,
        ways=FAULT,
        alts=(BAD_ACCESS,),
        source="exc_general_protection",
    ),
    Format(
        header="stack segment: ",
        says=r"stack segment: ",
        title="stack segment fault in {f}",
        kind=Kind.TRAP,
        ways=ONLY_RIP,
        source="exc_stack_segment",
    ),
    Format(
        header="PANIC: double fault",
        says=r"PANIC: double fault",
        title="PANIC: double fault in {f}",
        kind=Kind.DOUBLE_FAULT,
        ways=ONLY_RIP,
        source="exc_double_fault",
    ),
    Format(
        header=("divide error:", "divide_error:"),
        says=r"divide[ _]error:",
        title="divide error in {f}",
        kind=Kind.TRAP,
        ways=ONLY_RIP,
        source="exc_divide_error",
    ),
    Format(
        header="invalid opcode:",
        says=r"invalid opcode:",
        title="invalid opcode in {f}",
        kind=Kind.TRAP,
        ways=ONLY_RIP,
        source="exc_invalid_op",
    ),
    Format(
        header="int3:",
        says=r"int3:",
        title="int3 in {f}",
        kind=Kind.TRAP,
        ways=FAULT,
        source="do_int3",
    ),
    Format(
        header=OWN,
        says=r"Oops: (?:Oops: )?[0-9a-f]{4,16} (?:ilc:\d )?\[#|Oops: Kernel access|Oops: Bad kernel"
        r"|Oops - [\w ()/-]*(?:access|page) fault \[#|^Oops ?\[#|\nOops ?\[#",
        title="Oops in {f}",
        kind=Kind.PAGE_FAULT,
        ways=FAULT,
        source="__die; its headline is not in the log",
    ),
    Format(
        header=OWN,
        says=r"Oops: Exception in kernel mode|Oops: Unrecoverable|Oops: Weird"
        r"|Oops - [\w ()/-]+ \[#",
        title="Oops in {f}",
        kind=Kind.TRAP,
        ways=FAULT,
        source="arch/powerpc/kernel/traps.c, arch/riscv/kernel/traps.c (do_trap_error)",
    ),
    Format(
        header=OWN,
        says=r"ed to execute (?:NX-protected|exec-protected|user) page|unable to execute userspace",
        title="BUG: unable to handle kernel paging request in {f}",
        kind=Kind.PAGE_FAULT,
        ways=FAULT,
        alts=(BAD_ACCESS,),
        source="show_fault_oops; its headline is not in the log",
    ),
    Format(
        header=OWN,
        says=r"Missing ENDBR: ",
        title="Missing ENDBR in {f}",
        kind=Kind.TRAP,
        ways=((r"Missing ENDBR: (?P<f>[A-Za-z0-9_]+)[+.]",), *FAULT),
        source="arch/x86/kernel/cet.c (do_kernel_cp_fault)",
    ),
    Format(
        header=OWN,
        says=r"CFI failure ",
        title="CFI failure in {f}",
        kind=Kind.TRAP,
        ways=((r"CFI failure at (?P<f>[A-Za-z0-9_]+)[+.]",), *FAULT),
        source="kernel/cfi.c (report_cfi_failure)",
    ),
    Format(
        header=OWN,
        says=r"detected hard LOCKUP",
        title="hard LOCKUP in {f}",
        kind=Kind.LOCKUP,
        ways=FAULT,
        source="kernel/watchdog_perf.c",
    ),
    Format(
        header=OWN,
        says=r"Insufficient stack space to handle exception!",
        title="kernel stack overflow in {f}",
        kind=Kind.STACK_GUARD,
        ways=FAULT,
        alts=("stack-overflow in {f}",),
        source="handle_bad_stack",
    ),
    Format(
        header=OWN,
        says=r"list_(?:add|del) (?:corruption|double add)",
        title="BUG: corrupted list in {f}",
        kind=Kind.LIST_CORRUPTION,
        ways=FAULT,
        alts=(BAD_ACCESS,),
        source="lib/list_debug.c without CONFIG_BUG_ON_DATA_CORRUPTION",
    ),
    Format(
        header=OWN,
        says=r"refcount_t: ",
        title="WARNING: refcount bug in {f}",
        kind=Kind.REFCOUNT,
        ways=FAULT,
        source="lib/refcount.c",
    ),
    Format(
        header=OWN,
        says=r"rcu_\w+ kthread starved",
        title="rcu kthread starved",
        kind=Kind.STALL,
        plain=True,
        source="kernel/rcu/tree_stall.h (rcu_check_gp_kthread_starvation)",
    ),
    Format(
        header=OWN,
        says=r"kernel stack overflow \((?:double-fault|page fault)\)",
        title="BUG: stack guard page was hit in {f}",
        kind=Kind.STACK_GUARD,
        ways=((CALL, TRACE),),
        alts=("stack-overflow in {f}",),
        take=Choice.STALL,
        source="handle_stack_overflow; its headline is not in the log",
    ),
    Format(
        header=OWN,
        says=r"Corrupted page table at address",
        title="corrupted page table in {f}",
        kind=Kind.BAD_PAGE,
        ways=FAULT,
        source="pgtable_bad",
    ),
    Format(
        header=OWN,
        says=r"control protection fault",
        title="control protection fault in {f}",
        kind=Kind.TRAP,
        ways=FAULT,
        source="arch/x86/kernel/cet.c",
    ),
)

DETAILS: Final = (
    r"guard page was hit at \S+ \(stack is (?P<stack>[0-9a-fx]+\.\.[0-9a-fx]+)\)",
    r"BUG: (?P<stack_kind>[A-Z#\d]+) stack guard page was hit",
    r"KASAN: (?P<kasan>[a-z -]+) in range \[(?P<range>0x[0-9a-f]+-0x[0-9a-f]+)\]",
    r"(?P<hint>(?:kernel tried to execute NX-protected page|unable to execute userspace code"
    r"|Thread overran stack, or stack corrupted).*)",
    r"(?:non-canonical|maybe for) address (?P<hint_address>0x[0-9a-f]+)",
    r"Task stack: +\[(?P<stack>0x[0-9a-f]+\.\.0x[0-9a-f]+)\]",
)
