"""Addresses and instructions that MIPS refuses: `arch/mips/kernel/unaligned.c` and `traps.c`.

An address error is what a misaligned address raises, and one outside the kernel's segments. The
kernel says "unaligned" of both. It says "bug" of a trap where BUG_ON has one.
"""

from __future__ import annotations

from typing import Final

from pagefault_doctor.klog.formats.format import Continuation, fault, paging_request
from pagefault_doctor.model.report import Kind

FORMATS: Final = (
    paging_request(
        start=r"Unhandled kernel unaligned access|Kernel unaligned instruction access",
        title="kernel unaligned access in {f}",
        source="arch/mips/kernel/unaligned.c (emulate_load_store_insn, do_ade)",
    ),
    Continuation(
        lead=r"^(?:Data|Instruction) bus error, epc == ",
        source="arch/mips/kernel/traps.c (do_be)",
    ),
    fault(
        start=r"Kernel bug detected\[#",
        follows=True,
        title="kernel BUG in {f}",
        kind=Kind.KERNEL_BUG,
        source="arch/mips/kernel/traps.c (do_trap_or_bp)",
    ),
    fault(
        start=r"(?:Break|Trap|Reserved) instruction in kernel code",
        title="invalid opcode in {f}",
        kind=Kind.TRAP,
        source="arch/mips/kernel/traps.c (do_trap_or_bp, do_ri)",
    ),
)
