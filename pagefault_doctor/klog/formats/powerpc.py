"""Faults as powerpc reports them: `arch/powerpc/mm/fault.c` (bad_page_fault)."""

from __future__ import annotations

from functools import partial
from typing import Final

from pagefault_doctor.klog.formats.format import BAD_ACCESS, FAULT, Format, Lead
from pagefault_doctor.model.report import Kind

_fault = partial(Format, ways=FAULT, alts=(BAD_ACCESS,))

FORMATS: Final = (
    _fault(
        header="BUG:",
        pattern=r"BUG: Kernel NULL pointer dereference",
        title="BUG: unable to handle kernel NULL pointer dereference in {f}",
        kind=Kind.NULL_POINTER,
        source="arch/powerpc/mm/fault.c (__bad_page_fault)",
    ),
    _fault(
        header="BUG:",
        pattern=r"BUG: Unable to handle kernel (?:data access|instruction fetch|paging request"
        r"|unaligned|stack)",
        title="BUG: unable to handle kernel paging request in {f}",
        kind=Kind.PAGE_FAULT,
        source="arch/powerpc/mm/fault.c (__bad_page_fault)",
    ),
    _fault(
        start=r"Kernel attempted to (?:read|write|execute|access) user page \(",
        lead=Lead.DROPPED,
        title="BUG: unable to handle kernel access to user memory in {f}",
        kind=Kind.USER_ACCESS,
        source="arch/powerpc/mm/fault.c (bad_kernel_fault)",
    ),
)
