"""Faults as ARM and arm64 report them: `arch/arm64/mm/fault.c`, `arch/arm/mm/fault.c`."""

from __future__ import annotations

from typing import Final

from pagefault_doctor.klog.formats.format import (
    FAULT,
    Format,
    Lead,
    fault,
    null_pointer,
    paging_request,
    user_access,
)
from pagefault_doctor.model.report import Kind

_HEADER: Final = "Unable to handle kernel"


_USER_32: Final = "(?:[0-9a][0-9a-f]{7}|b[0-9a-e][0-9a-f]{6})"
"""Addresses below ARM's modules (MODULES_VADDR, `arch/arm/include/asm/memory.h`)."""
_OF_A_PROGRAM: Final = (
    rf"Unhandled fault: (?!.*(?:external abort|parity|ECC|imprecise)).* at 0x(?:{_USER_32}"
    r"|0000[0-9a-f]{12})\b(?![\s\S]*(?:Internal error|Mode SVC|\bPC is at [A-Za-z_]|"
    r"\+0x[0-9a-f]+/0x))"
)
"""Of the kernel's own faults, `Internal error` follows (`arch/arm/kernel/traps.c`, arm_notify_die;
`arch/arm64/kernel/traps.c`, arm64_notify_die)."""


def _internal(what: str, kind: Kind) -> Format:
    return fault(
        header="Internal error:",
        follows=True,
        pattern=rf"Internal error: ?(?:{what})",
        title="Internal error in {f}",
        kind=kind,
        source="arch/arm64/kernel/traps.c (__die), arch/arm/kernel/traps.c (__die)",
    )


FORMATS: Final = (
    null_pointer(
        header=_HEADER,
        pattern=r"Unable to handle kernel NULL pointer dereference",
        source="arch/arm64/mm/fault.c (die_kernel_fault), arch/arm/mm/fault.c (die_kernel_fault)",
    ),
    user_access(
        header=_HEADER,
        pattern=r"Unable to handle kernel access to user memory",
        source="arch/arm64/mm/fault.c (do_page_fault), arch/riscv/mm/fault.c (handle_page_fault)",
    ),
    paging_request(
        header=_HEADER,
        pattern=r"Unable to handle kernel (?:paging request|pointer dereference|write to read-only"
        r"|execute from|read from|access to hyp|[\w ]+? at virtual)",
        source="arch/arm64/mm/fault.c (__do_kernel_fault), arch/s390/mm/fault.c",
    ),
    _internal(r"Oops - BUG|BRK handler|Oops - UBSAN", Kind.KERNEL_BUG),
    _internal(
        r"synchronous (?:external abort|parity|ECC)|.*(?:external abort|parity|ECC) ?\(?",
        Kind.HARDWARE,
    ),
    _internal(
        r"Oops: |Accessing user space|Unhandled fault|: [0-9a-f]+ \[|.*abort: ", Kind.PAGE_FAULT
    ),
    _internal(r"", Kind.TRAP),
    Format(
        header="Unhandled fault:",
        pattern=_OF_A_PROGRAM,
        title="unhandled fault of a program",
        kind=Kind.USER_SEGFAULT,
        plain=True,
        source="arch/arm/mm/fault.c (do_DataAbort), of a program: arm_notify_die prints no more",
    ),
    fault(
        header="Unhandled fault:",
        title="Unhandled fault in {f}",
        kind=Kind.PAGE_FAULT,
        source="arch/arm/mm/fault.c (do_DataAbort)",
    ),
    Format(
        header="Alignment trap:",
        pattern=r"Alignment trap: (?:\S.{0,40} \(\d+\) PC=0x"
        rf"|not handling instruction [0-9a-f]+ at \[<{_USER_32}>\])(?![\s\S]*Internal error)",
        title="Alignment trap in {f}",
        kind=Kind.USER_TRAP,
        ways=FAULT,
        source="arch/arm/mm/alignment.c (do_alignment), of a program",
    ),
    Format(
        header="Alignment trap:",
        title="Alignment trap in {f}",
        kind=Kind.TRAP,
        ways=FAULT,
        source="arch/arm/mm/alignment.c (do_alignment)",
    ),
    fault(
        start=r"Unhandled prefetch abort: ",
        lead=Lead.DROPPED,
        title="Unhandled prefetch abort in {f}",
        kind=Kind.PAGE_FAULT,
        source="arch/arm/mm/fault.c (do_PrefetchAbort)",
    ),
    Format(
        start=r"Insufficient stack space to handle exception!",
        lead=Lead.FAR,
        follows=True,
        title="kernel stack overflow in {f}",
        kind=Kind.STACK_GUARD,
        ways=FAULT,
        alts=("stack-overflow in {f}",),
        source="arch/arm64/kernel/traps.c (panic_bad_stack)",
    ),
)
