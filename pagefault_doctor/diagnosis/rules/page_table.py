"""Page tables damaged or wrongly handled."""

from __future__ import annotations

from collections.abc import Iterator

from pagefault_doctor.diagnosis.context import Context
from pagefault_doctor.model.diagnosis import Evidence
from pagefault_doctor.model.report import Report

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
    bits = context.x86_fault_bits
    if bits is not None and bits & _RESERVED:
        text = "a reserved bit is set in a page-table entry"
        yield context.evidence("table.reserved", text, "fault")
