"""Page tables damaged or wrongly handled."""

from __future__ import annotations

from collections.abc import Iterator

from pagefault_doctor.diagnosis.context import Context
from pagefault_doctor.model.diagnosis import Evidence
from pagefault_doctor.model.report import Report

_WORDS = (
    ("Bad page map", "table.bad-map", "a page-table entry holds what it must not"),
    ("orrupted page table", "table.corrupted", "the processor found a damaged page table"),
    ("Bad pagetable", "table.corrupted", "the processor found a damaged page table"),
    ("Bad rss-counter", "table.counter", "the count of mapped pages does not add up"),
    ("non-zero pgtables_bytes", "table.counter", "page tables were left over at exit"),
    ("non-zero nr_p", "table.counter", "page tables were left over at exit"),
    ("bad pmd", "table.corrupted", "a page-table entry holds what it must not"),
    ("bad pud", "table.corrupted", "a page-table entry holds what it must not"),
    ("Bad page cache", "table.bad-page", "a page leaves the page cache that is still mapped"),
    ("Bad page state", "table.bad-page", "the state of a page contradicts its use"),
)
_RESERVED = 8


def weigh(report: Report, context: Context) -> Iterator[Evidence]:
    """Weigh whether page tables were damaged."""
    for phrase, key, text in context.told(_WORDS):
        found = context.line_with(phrase)
        if found:
            yield context.says(key, text, line=found)
            break
    if found := context.line_with("CHECK_AT_FREE flag(s) set"):
        yield context.says(
            "table.freed-in-use", "a page was freed that is marked in use", line=found
        )
    bits = context.x86_fault_bits
    if bits is not None and bits & _RESERVED:
        text = "a reserved bit is set in a page-table entry"
        yield context.says("table.reserved", text, "fault")
