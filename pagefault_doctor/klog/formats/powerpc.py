"""Faults as powerpc reports them: `arch/powerpc/mm/fault.c` (bad_page_fault)."""

from __future__ import annotations

from typing import Final

from pagefault_doctor.klog.formats.format import BAD_ACCESS, FAULT, OWN, Format
from pagefault_doctor.model.report import Kind

FORMS: Final = (
    Format(
        header="BUG:",
        says=r"BUG: Kernel NULL pointer dereference",
        title="BUG: unable to handle kernel NULL pointer dereference in {f}",
        kind=Kind.NULL_POINTER,
        ways=FAULT,
        alts=(BAD_ACCESS,),
        source="bad_page_fault",
    ),
    Format(
        header="BUG:",
        says=r"BUG: Unable to handle kernel (?:data access|instruction fetch|paging request"
        r"|unaligned|stack)",
        title="BUG: unable to handle kernel paging request in {f}",
        kind=Kind.PAGE_FAULT,
        ways=FAULT,
        alts=(BAD_ACCESS,),
        source="bad_page_fault",
    ),
    Format(
        header=OWN,
        says=r"Kernel attempted to (?:read|write|execute|access) user page",
        title="BUG: unable to handle kernel access to user memory in {f}",
        kind=Kind.USER_ACCESS,
        ways=FAULT,
        alts=(BAD_ACCESS,),
        source="bad_kernel_fault",
    ),
)
