"""Page tables damaged or wrongly handled."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from pagefault_doctor.diagnosis.context import Context
from pagefault_doctor.model.diagnosis import Evidence
from pagefault_doctor.model.pattern import regex
from pagefault_doctor.model.report import Kind, Report

_MESSAGES = (
    ("bad_page_map", "table.bad-map", "a page-table entry holds what it must not"),
    ("corrupted_page_table", "table.corrupted", "the processor found a damaged page table"),
    ("rss_counter", "table.counter", "the count of mapped pages does not add up"),
    ("page_tables_left", "table.counter", "page tables were left over at exit"),
    ("bad_page_table_entry", "table.corrupted", "a page-table entry holds what it must not"),
    ("bad_page_cache", "table.bad-page", "a page leaves the page cache that is still mapped"),
    ("bad_page_state", "table.bad-page", "the state of a page contradicts its use"),
)
_RESERVED = 8
_SWAP_ENTRY = regex(r"\b(?:get_swap_device|swap_info_get|swap_free|swap_dup): Bad swap ")
"""What `mm/swapfile.c` says of an entry that no swap device has (_swap_info_get)."""
_FAULTS = (Kind.PAGE_FAULT, Kind.GENERAL_PROTECTION, Kind.KERNEL_BUG, Kind.BAD_PAGE)


def weigh(report: Report, context: Context) -> Iterator[Evidence]:
    """Weigh whether page tables were damaged."""
    if found := context.first_evidence(_MESSAGES):
        yield found
    if "page_flags_at_free" in report.details:
        text = "a page was freed that is marked in use"
        yield context.evidence("table.freed-in-use", text, "page_flags_at_free")
    if context.is_named_code:
        text = f"{report.function} is code of the kernel, and its page does not allow to run it"
        yield context.evidence("table.code", text, "fault")
    swap = next((line for line in report.before if _SWAP_ENTRY.search(line.text)), None)
    if swap and report.kind in _FAULTS:
        text = "just before, a page table held a swap entry that no swap device has"
        found = context.evidence("table.swap-entry", text, "headline")
        yield msgspec.structs.replace(found, line=swap.number)
    bits = context.x86_fault_bits
    if bits is not None and bits & _RESERVED:
        text = "a reserved bit is set in a page-table entry"
        yield context.evidence("table.reserved", text, "fault")
