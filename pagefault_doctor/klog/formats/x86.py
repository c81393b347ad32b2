"""Faults and traps as x86 reports them: `arch/x86/mm/fault.c`, `arch/x86/kernel/traps.c`.

Details: `stack` the range of the stack and `stack_kind`, of a guard page; `hint` what
the kernel guesses; `kasan` and `range`, the real address behind a KASAN shadow address.
"""

from __future__ import annotations

from functools import partial
from typing import Final

from pagefault_doctor.klog.formats.format import (
    FAULT,
    ONLY_RIP,
    Continuation,
    Format,
    Lead,
    fault,
    null_pointer,
    paging_request,
)
from pagefault_doctor.klog.guilty_function import CALL, TRACE, Choice
from pagefault_doctor.model.report import Kind

DETAILS: Final = (
    r"guard page was hit at \S+ \(stack is (?P<stack>[0-9a-fx]+\.\.[0-9a-fx]+)\)",
    r"BUG: (?P<stack_kind>[A-Z#\d]+) stack guard page was hit",
    r"KASAN: (?P<kasan>[a-z -]+) in range \[(?P<range>0x[0-9a-f]+-0x[0-9a-f]+)\]",
    r"(?P<hint>(?:kernel tried to execute NX-protected page|unable to execute userspace code"
    r"|Thread overran stack, or stack corrupted).*)",
    r"(?:non-canonical|maybe for) address (?P<hint_address>0x[0-9a-f]+)",
    r"Task stack: +\[(?P<stack>0x[0-9a-f]+\.\.0x[0-9a-f]+)\]",
)

_DIED = (
    r"(simd exception|alignment check|segment not present|invalid TSS|coprocessor segment overrun"
    r"|coprocessor error|device not available)"
)
"""What rarer exceptions are called (`arch/x86/kernel/traps.c`)."""
_trap = partial(Format, kind=Kind.TRAP, ways=FAULT)
_overflow = partial(
    Format,
    title="BUG: stack guard page was hit in {f}",
    kind=Kind.STACK_GUARD,
    ways=((CALL, TRACE),),
    take=Choice.STALL,
    alts=("stack-overflow in {f}",),
)

FORMATS: Final = (
    # Each with its words since 5.1 and before.
    null_pointer(
        header="BUG:",
        pattern=r"BUG: (?:unable to handle )?kernel NULL pointer dereference",
        source="arch/x86/mm/fault.c (show_fault_oops)",
    ),
    paging_request(
        header="BUG:",
        pattern=r"BUG: unable to handle (?:page fault for address:|kernel paging request)",
        source="arch/x86/mm/fault.c (show_fault_oops)",
    ),
    Format(
        header="BUG:",
        pattern=r"BUG: unable to handle kernel",
        title="BUG: unable to handle kernel",
        kind=Kind.PAGE_FAULT,
        lost=True,
        source="arch/x86/mm/fault.c (show_fault_oops), cut off",
    ),
    _overflow(
        header="BUG:",
        pattern=r"BUG: (?:[A-Z#]+ )?stack guard page was hit at",
        source="arch/x86/kernel/traps.c (handle_stack_overflow)",
    ),
    fault(
        header="general protection fault",
        pattern=r"general protection fault.*:",
        title="general protection fault in {f}",
        kind=Kind.GENERAL_PROTECTION,
        source="arch/x86/kernel/traps.c (exc_general_protection)",
    ),
    _trap(
        header="stack segment: ",
        title="stack segment fault in {f}",
        ways=ONLY_RIP,
        source="arch/x86/kernel/traps.c (exc_stack_segment)",
    ),
    Format(
        start=rf"^{_DIED}: [0-9a-f]{{4}} \[#",
        needles=(
            *("simd exception: ", "alignment check: ", "segment not present: ", "invalid TSS: "),
            *("coprocessor segment overrun: ", "coprocessor error: ", "device not available: "),
        ),
        pattern=rf"{_DIED}: [0-9a-f]{{4}} \[#",
        title="{1} in {f}",
        kind=Kind.TRAP,
        ways=ONLY_RIP,
        source="arch/x86/kernel/traps.c (do_error_trap, math_error, exc_bounds)",
    ),
    Format(
        header="PANIC: double fault",
        follows=True,
        title="PANIC: double fault in {f}",
        kind=Kind.DOUBLE_FAULT,
        ways=ONLY_RIP,
        source="arch/x86/kernel/traps.c (exc_double_fault)",
    ),
    _trap(
        header=("divide error:", "divide_error:"),
        pattern=r"divide[ _]error:",
        title="divide error in {f}",
        ways=ONLY_RIP,
        source="arch/x86/kernel/traps.c (exc_divide_error)",
    ),
    _trap(
        header="invalid opcode:",
        follows=True,
        title="invalid opcode in {f}",
        ways=ONLY_RIP,
        source="arch/x86/kernel/traps.c (exc_invalid_op)",
    ),
    _trap(header="int3:", title="int3 in {f}", source="arch/x86/kernel/traps.c (do_int3)"),
    Format(
        start=r"Oops: (?:[0-9a-f]{4,16} \[#\d+\]|[0-9a-f]{4} ilc:\d|Oops: |[Kk]ernel access"
        r"|Bad kernel stack)|^Oops ?\[#\d+\]",
        needles=("Oops",),
        alike="oops",
        pattern=r"Oops: (?:Oops: )?[0-9a-f]{4,16} (?:ilc:\d )?\[#|Oops: [Kk]ernel access|Oops: Bad"
        r" kernel|Oops - [\w ()/-]*(?:access|page) fault \[#|^Oops ?\[#|\nOops ?\[#",
        title="Oops in {f}",
        kind=Kind.PAGE_FAULT,
        ways=FAULT,
        source="arch/x86/kernel/dumpstack.c (__die_header); its headline is not in the log",
    ),
    _trap(
        start=r"Oops: (?:Exception|Unrecoverable|Weird page fault)"
        r"|^Oops - [\w ()/-]+ ?\[#\d+\]",
        needles=("Oops",),
        alike="oops",
        pattern=r"Oops: Exception in kernel mode|Oops: Unrecoverable|Oops: Weird"
        r"|Oops - [\w ()/-]+ \[#",
        title="Oops in {f}",
        source="arch/powerpc/kernel/traps.c (__die), arch/riscv/kernel/traps.c (do_trap_error)",
    ),
    paging_request(
        start=r"kernel tried to execute (?:NX-protected|exec-protected|user) page"
        r"|unable to execute userspace code \(SMEP\?\)",
        needles=(" to execute ",),
        lead=Lead.KEPT,
        pattern=r"ed to execute (?:NX-protected|exec-protected|user) page"
        r"|unable to execute userspace",
        source="arch/x86/mm/fault.c (show_fault_oops); its headline is not in the log",
    ),
    _trap(
        start=r"Missing ENDBR: ",
        lead=Lead.KEPT,
        title="Missing ENDBR in {f}",
        ways=((r"Missing ENDBR: (?P<f>[A-Za-z0-9_]+)[+.]",), *FAULT),
        source="arch/x86/kernel/cet.c (do_kernel_cp_fault)",
    ),
    _trap(
        start=r"CFI failure (?:at|\(target: )",
        lead=Lead.KEPT,
        title="CFI failure in {f}",
        ways=((r"CFI failure at (?P<f>[A-Za-z0-9_]+)[+.]",), *FAULT),
        source="kernel/cfi.c (report_cfi_failure)",
    ),
    _overflow(
        start=r"kernel stack overflow \((?:double-fault|page fault)\): ",
        lead=Lead.DROPPED,
        source="arch/x86/kernel/traps.c (handle_stack_overflow); its headline is not in the log",
    ),
    Format(
        start=r"Corrupted page table at address [0-9a-f]+",
        lead=Lead.KEPT,
        title="corrupted page table in {f}",
        kind=Kind.BAD_PAGE,
        ways=FAULT,
        source="arch/x86/mm/fault.c (pgtable_bad)",
    ),
    _trap(
        start=r"control protection fault",
        lead=Lead.DROPPED,
        title="control protection fault in {f}",
        source="arch/x86/kernel/cet.c (do_unexpected_cp)",
    ),
    Continuation(
        lead=r"Oops: ", follows=r"^\s*Oops: ", source="arch/x86/kernel/dumpstack.c (__die_header)"
    ),
    Continuation(lead=r"#PF", source="arch/x86/mm/fault.c (show_fault_oops)"),
    # No `follows` of its row: it may be the only headline of an oops, and then names it.
    Continuation(
        follows=r"general protection fault",
        source="arch/x86/kernel/traps.c (exc_general_protection)",
    ),
)
