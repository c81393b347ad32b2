"""An access past the end of a buffer, array, object or allocation."""

from __future__ import annotations

from collections.abc import Iterator

from pagefault_doctor.diagnosis import dump_memory, freelist
from pagefault_doctor.diagnosis.address import PAGE, AddressClass, printable
from pagefault_doctor.diagnosis.context import Context
from pagefault_doctor.model.diagnosis import Evidence
from pagefault_doctor.model.report import Access, Kind, Report

_WORDS = (
    ("KASAN: invalid-access", "bounds.tag", "a memory tag does not match: out of bounds or freed"),
    ("out-of-bounds in", "bounds.sanitizer", "the sanitizer saw an access out of bounds"),
    ("out-of-bounds read in", "bounds.sanitizer", "KFENCE saw a read out of bounds"),
    ("out-of-bounds write in", "bounds.sanitizer", "KFENCE saw a write out of bounds"),
    (
        "KFENCE: memory corruption",
        "bounds.sanitizer",
        "KFENCE found bytes beside an object changed",
    ),
    ("edzone overwritten", "bounds.redzone", "the bytes beside a slab object were overwritten"),
    ("padding overwritten", "bounds.redzone", "the padding of a slab object was overwritten"),
    ("kernel memory exposure attempt", "bounds.usercopy", "a copy to user space was too long"),
    ("kernel memory overwrite attempt", "bounds.usercopy", "a copy from user space was too long"),
    ("Kernel memory exposure attempt", "bounds.usercopy", "a copy to user space was too long"),
    ("Kernel memory overwrite attempt", "bounds.usercopy", "a copy from user space was too long"),
    ("etected buffer overflow", "bounds.fortify", "a string function was asked to overflow"),
    ("buffer overflow detected", "bounds.fortify", "a string function was asked to overflow"),
    ("Buffer overflow detected (", "bounds.fortify", "a copy was longer than its buffer"),
    ("skb_over_panic", "bounds.fortify", "a packet was made longer than its buffer"),
    ("skb_under_panic", "bounds.fortify", "a packet was made to begin before its buffer"),
    ("field-spanning write", "bounds.field-spanning", "a copy was larger than its field"),
    ("stack is corrupted in", "bounds.canary", "a buffer on the stack was overrun"),
)
_EDGE = 16
"""A buffer that ends with its page is overrun within its next few bytes."""
_BUFFER = 0x10000
"""Bytes that a buffer may well have."""
_BUFFERS = (AddressClass.DIRECT_MAP, AddressClass.VMALLOC, AddressClass.KERNEL)


def _index(context: Context) -> Iterator[Evidence]:
    found = context.line_with("array-index-out-of-bounds", "is out of range for type")
    if not found:
        return
    yield context.says("bounds.index", "an array index was out of range", line=found)
    flexible = context.line_with("[1]'", "[0]'")
    if flexible:
        text = "the array may be an old style flexible one, larger than declared"
        yield context.says("bounds.flexible-array", text, line=flexible)


def _edge(context: Context) -> Iterator[Evidence]:
    """Weigh whether a walk left the last page of a buffer: then a register is still close to it."""
    at = context.fault_address
    if at is None or context.report.kind is not Kind.PAGE_FAULT or context.is_jump:
        return
    if at % PAGE >= _EDGE or context.address_class not in _BUFFERS:
        return
    walking = [n for n, value in context.general() if 0 < at - value < _BUFFER]
    if walking:
        text = f"fault address {at:#x} is the start of a page, and {walking[0].upper()} lies before"
        yield context.says("bounds.walk", text, "fault", "registers")
    elif not context.registers:
        text = f"fault address {at:#x} is the start of a page: a walk off the end of a buffer"
        yield context.says("bounds.page-edge", text, "fault")


def _text_as_pointer(context: Context) -> Iterator[Evidence]:
    value = context.pointer
    text = printable(value, context.bits) if value is not None else None
    if text and context.access is not Access.EXECUTE:
        said = f'the bad pointer consists of text, "{text}": a string overran it'
        yield context.says("bounds.text-pointer", said, "registers", "fault")


def _dump(context: Context) -> Iterator[Evidence]:
    if over := dump_memory.trampled(context):
        text = f"the bytes behind {over.text} were overwritten"
        yield dump_memory.says(context, "bounds.dump-redzone", text)
    target = dump_memory.target(context)
    if target and target.is_past_end:
        text = f"{target.address} lies {target.offset - target.size} bytes behind {target.text}"
        yield dump_memory.says(context, "bounds.dump-past", text)


def weigh(report: Report, context: Context) -> Iterator[Evidence]:
    """Weigh whether something was accessed past its end."""
    for phrase, key, text in context.told(_WORDS):
        found = context.line_with(phrase)
        if found and "shift-out-of-bounds" not in found.text and "array-index" not in found.text:
            yield context.says(key, text, line=found)
            break
    yield from _index(context)
    yield from _edge(context)
    if freelist.is_broken(context):
        text = "the allocator's list of free objects is damaged, as by an overrun"
        yield context.says("bounds.freelist-crash", text, "function", "headline")
    yield from _dump(context)
    hit = context.poison
    if hit and hit.poison.state == "redzone":
        text = f"the bad pointer is {hit.poison.name}: {hit.poison.means}"
        yield context.says("bounds.redzone-pointer", text, "fault", "registers")
    elif not hit:
        yield from _text_as_pointer(context)
