"""Faults as powerpc reports them: `arch/powerpc/mm/fault.c` (bad_page_fault)."""

from __future__ import annotations

from typing import Final

from pagefault_doctor.klog.formats.format import Lead, null_pointer, paging_request, user_access

FORMATS: Final = (
    null_pointer(
        header="BUG:",
        pattern=r"BUG: Kernel NULL pointer dereference",
        source="arch/powerpc/mm/fault.c (__bad_page_fault)",
    ),
    paging_request(
        header="BUG:",
        pattern=r"BUG: Unable to handle kernel (?:data access|instruction fetch|paging request"
        r"|unaligned|stack)",
        source="arch/powerpc/mm/fault.c (__bad_page_fault)",
    ),
    user_access(
        start=r"Kernel attempted to (?:read|write|execute|access) user page \(",
        lead=Lead.DROPPED,
        source="arch/powerpc/mm/fault.c (bad_kernel_fault)",
    ),
)
