"""Faults as ARM and arm64 report them: `arch/arm64/mm/fault.c`, `arch/arm/mm/fault.c`."""

from __future__ import annotations

from typing import Final

from pagefault_doctor.klog.form import BAD_ACCESS, FAULT, Form
from pagefault_doctor.model.report import Kind

_HEADER: Final = "Unable to handle kernel"

FORMS: Final = (
    Form(
        header=_HEADER,
        says=r"Unable to handle kernel NULL pointer dereference",
        title="BUG: unable to handle kernel NULL pointer dereference in {f}",
        kind=Kind.NULL_POINTER,
        ways=FAULT,
        alts=(BAD_ACCESS,),
        source="die_kernel_fault",
    ),
    Form(
        header=_HEADER,
        says=r"Unable to handle kernel access to user memory",
        title="BUG: unable to handle kernel access to user memory in {f}",
        kind=Kind.USER_ACCESS,
        ways=FAULT,
        alts=(BAD_ACCESS,),
        source="do_page_fault (arm64), riscv no_context",
    ),
    Form(
        header=_HEADER,
        says=r"Unable to handle kernel (?:paging request|pointer dereference|write to read-only"
        r"|execute from|read from|access to hyp|[\w ]+? at virtual)",
        title="BUG: unable to handle kernel paging request in {f}",
        kind=Kind.PAGE_FAULT,
        ways=FAULT,
        alts=(BAD_ACCESS,),
        source="die_kernel_fault",
    ),
    Form(
        header="Internal error:",
        says=r"Internal error:",
        title="Internal error in {f}",
        kind=Kind.TRAP,
        ways=FAULT,
        alts=(BAD_ACCESS,),
        source="die (arch/arm64/kernel/traps.c)",
    ),
    Form(
        header="Unhandled fault:",
        says=r"Unhandled fault:",
        title="Unhandled fault in {f}",
        kind=Kind.PAGE_FAULT,
        ways=FAULT,
        alts=(BAD_ACCESS,),
        source="do_DataAbort (arch/arm/mm/fault.c)",
    ),
    Form(
        header="Alignment trap:",
        says=r"Alignment trap:",
        title="Alignment trap in {f}",
        kind=Kind.TRAP,
        ways=FAULT,
        source="do_alignment (arch/arm/mm/alignment.c)",
    ),
)
