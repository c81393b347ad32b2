"""A user-space pointer used in the kernel without copy_from_user or copy_to_user."""

from __future__ import annotations

from collections.abc import Iterator

from pagefault_doctor.diagnosis import address
from pagefault_doctor.diagnosis.address import AddressClass
from pagefault_doctor.diagnosis.context import Context
from pagefault_doctor.model.diagnosis import Evidence
from pagefault_doctor.model.pattern import regex
from pagefault_doctor.model.report import Kind, Report

_PRESENT = 1
_RESERVED = 8
_PAGE = regex(r"\bpte *= ?([0-9a-f]{4,16})|\bPTE ([0-9a-f]{4,16})")
"""`arch/arm/mm/fault.c` (show_pte), `arch/x86/mm/fault.c` (dump_pagetable)."""


def _is_mapped(report: Report) -> bool:
    """Whether the walk through the page tables came to a page, and found it there."""
    entry = _PAGE.search(report.details.get("page_walk", ""))
    return entry is not None and bool((entry[1] or entry[2]).strip("0"))


def weigh(report: Report, context: Context) -> Iterator[Evidence]:
    """Weigh whether a user pointer was dereferenced."""
    if "user_memory_access" in report.details:
        text = "KASAN calls it a user memory access"
        yield context.evidence("user.sanitizer", text, "user_memory_access")
    is_user = context.address_class is AddressClass.USER
    at = context.fault_address
    told = at is None and "access_outside_uaccess" in report.details
    if context.is_jump or not (is_user or context.is_user_area or told):
        return
    bits = context.x86_fault_bits
    touched = "the kernel touched user memory directly"
    if "access_outside_uaccess" in report.details or "read_only_write" in report.details:
        yield context.evidence("user.headline", touched, "access_outside_uaccess")
    elif bits is not None and bits & (_PRESENT | _RESERVED) == _PRESENT:
        text = f"fault address {at:#x} is a present user page, refused to the kernel (SMAP)"
        yield context.evidence("user.protection", text, "fault")
    elif "access_without_uaccess" in report.details:
        # riscv and powerpc say so of every address below the kernel's, mapped or not.
        text = (
            f"the kernel says that {at:#x}, which it touched directly, is an address of user space"
        )
        yield context.evidence("user.refused", text, "access_without_uaccess")
    elif report.kind is Kind.USER_ACCESS:
        yield context.evidence("user.headline", touched, "headline")
    elif is_user and _is_mapped(report):
        text = f"fault address {at:#x} is a page of the program that runs: its tables have it"
        yield context.evidence("user.mapped", text, "page_walk")
    elif report.kind is Kind.PAGE_FAULT:
        text = "is in the half of the addresses that belongs to user space"
        text = text if is_user else "is far from all that the report shows of the kernel"
        yield context.evidence("user.unmapped", f"fault address {at:#x} {text}", "fault")
    base = context.base[1] if context.base and context.bits == address.WIDE else 0
    if base and (letters := address.end_of_text(base)):
        text = f"the pointer is the end of a text, {letters!r}, and no address of a program"
        yield context.evidence("user.text", text, "code", "registers")
    if context.is_user_area:
        text = f"{at:#x} is where programs have their memory, and few other values lie"
        yield context.evidence("user.area", text, "fault")
