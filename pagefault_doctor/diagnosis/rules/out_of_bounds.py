"""An access past the end of a buffer, array, object or allocation."""

from __future__ import annotations

from collections.abc import Iterator

from pagefault_doctor.diagnosis import dump_memory, freelist, function_roles
from pagefault_doctor.diagnosis.address import PAGE, AddressClass, printable
from pagefault_doctor.diagnosis.context import Context
from pagefault_doctor.diagnosis.register_names import FIRST_ARGUMENT
from pagefault_doctor.model.diagnosis import Evidence
from pagefault_doctor.model.report import Kind, Report

_MESSAGES = (
    ("kasan_tag_mismatch", "bounds.tag", "a memory tag does not match: out of bounds or freed"),
    ("out_of_bounds", "bounds.sanitizer", "the sanitizer saw an access out of bounds"),
    ("beside_object", "bounds.sanitizer", "the address that KASAN reports lies beside the object"),
    ("kfence_out_of_bounds_read", "bounds.sanitizer", "KFENCE saw a read out of bounds"),
    ("kfence_out_of_bounds_write", "bounds.sanitizer", "KFENCE saw a write out of bounds"),
    ("kfence_memory_corruption", "bounds.sanitizer", "KFENCE found bytes beside an object changed"),
    ("redzone_overwritten", "bounds.redzone", "the bytes beside a slab object were overwritten"),
    ("padding_overwritten", "bounds.redzone", "the padding of a slab object was overwritten"),
    ("usercopy_exposure", "bounds.usercopy", "a copy to user space was too long"),
    ("usercopy_overwrite", "bounds.usercopy", "a copy from user space was too long"),
    ("fortify_overflow", "bounds.fortify", "a string function was asked to overflow"),
    ("copy_overflow", "bounds.fortify", "a copy was longer than its buffer"),
    ("skb_over_panic", "bounds.fortify", "a packet was made longer than its buffer"),
    ("skb_under_panic", "bounds.fortify", "a packet was made to begin before its buffer"),
    ("field_spanning_write", "bounds.field-spanning", "a copy was larger than its field"),
    ("stack_protector", "bounds.canary", "a buffer on the stack was overrun"),
)
_FORTIFIED = "WARNING: buffer overflow in "
_EDGE = 16
"""A buffer that ends with its page is overrun within its next few bytes."""
_BUFFER = 0x10000
"""Bytes that a buffer may well have."""
_ELEMENT = 64
"""Bytes of an element of an array, at most, that is taken for the one before the first."""
_WIDE = 64
_BUFFERS = (AddressClass.DIRECT_MAP, AddressClass.VMALLOC, AddressClass.KERNEL)


def _index(context: Context) -> Iterator[Evidence]:
    details = context.report.details
    name = "array_index_out_of_bounds"
    if name not in details:
        return
    yield context.evidence("bounds.index", "an array index was out of range", name)
    if "flexible_array" in details:
        text = "the array may be an old style flexible one, larger than declared"
        yield context.evidence("bounds.flexible-array", text, "flexible_array")


def _edge(context: Context) -> Iterator[Evidence]:
    """Weigh whether a walk left the last page of a buffer: then a register is still close to it."""
    at = context.fault_address
    if at is None or context.report.kind is not Kind.PAGE_FAULT or context.is_jump:
        return
    if context.is_page_alone:
        return
    if at % PAGE >= _EDGE or context.address_class not in _BUFFERS:
        return
    # One on the same page is where the access began, not where the walk did.
    walking = [n for n, value in context.general() if at % PAGE < at - value < _BUFFER]
    if walking:
        text = f"fault address {at:#x} is the start of a page, and {walking[0].upper()} lies before"
        yield context.evidence("bounds.walk", text, "fault", "registers")
    elif not context.registers:
        text = f"fault address {at:#x} is the start of a page: a walk off the end of a buffer"
        yield context.evidence("bounds.page-edge", text, "fault")


def _before(context: Context) -> Iterator[Evidence]:
    """Weigh whether what lies before a vmalloc area was used, as by an index of -1.

    There is always a page without memory between two such areas (`mm/vmalloc.c`,
    __get_vm_area_node).
    """
    at, is_vmalloc = context.fault_address, context.address_class is AddressClass.VMALLOC
    if (
        at is None
        or not is_vmalloc
        or context.report.kind is not Kind.PAGE_FAULT
        or context.is_jump
    ):
        return
    for name, value in context.general():
        below = value - at
        if value % PAGE or not 0 < below <= _ELEMENT:
            continue
        text = f"fault address {at:#x} is {below} byte{'s' * (below > 1)} before {value:#x}, where "
        text += f"{name.upper()} points: an area begins there, and what lies before it was used"
        yield context.evidence("bounds.walk", text, "fault", "registers")
        return


def _text_as_pointer(context: Context) -> Iterator[Evidence]:
    """Weigh whether a pointer, or one that was given to kfree, consists of text."""
    name = FIRST_ARGUMENT.get(context.arch or "", "")
    is_free = (context.report.function or "").startswith(function_roles.FREEING)
    for value in (context.pointer, context.registers.get(name) if is_free else None):
        if letters := printable(value, context.bits) if value is not None else None:
            text = f'the bad pointer consists of text, "{letters}": a string overran it'
            yield context.evidence("bounds.text-pointer", text, "registers", "fault")
            return


def _text_as_code(context: Context) -> Iterator[Evidence]:
    """Weigh whether what the processor jumped to is text, with more of it in other registers.

    A string that overran a buffer on the stack replaced the saved registers and the way back.
    """
    at = context.fault_address
    if at is None or not context.is_jump or not _is_text(at, context):
        return
    held = [name for name, value in context.general() if value and _is_text(value, context)]
    if context.bits == _WIDE or held:
        where = f", as {held[0].upper()} does" if held else ""
        text = f"the address that was jumped to consists of text{where}: a string overran the stack"
        yield context.evidence("bounds.text-jump", text, "fault", "registers")


def _is_text(value: int, context: Context) -> bool:
    """Whether a value is text, and not one letter again and again, as what fills memory is."""
    return len(set(printable(value, context.bits) or "")) > 1


def _dump(context: Context) -> Iterator[Evidence]:
    if over := dump_memory.overrun(context):
        text = f"the bytes behind {over.text} were overwritten"
        yield dump_memory.evidence(context, "bounds.dump-redzone", text)
    target = dump_memory.target(context)
    if target and target.is_past_end:
        text = f"{target.address} lies {target.offset - target.size} bytes behind {target.text}"
        yield dump_memory.evidence(context, "bounds.dump-past", text)


def weigh(report: Report, context: Context) -> Iterator[Evidence]:
    """Weigh whether something was accessed past its end."""
    if found := context.first_evidence(_MESSAGES):
        yield found
    elif report.title.startswith(_FORTIFIED):
        text = "the trace is that of a string function that was asked to overflow"
        yield context.evidence("bounds.fortify", text, "headline")
    yield from _index(context)
    yield from _edge(context)
    yield from _before(context)
    if freelist.is_broken(context):
        text = "the allocator's list of free objects is damaged, as by an overrun"
        yield context.evidence("bounds.freelist-crash", text, "function", "headline")
    yield from _dump(context)
    hit = context.poison
    if hit and hit.poison.state == "redzone":
        text = f"the bad pointer is {hit.poison.name}: {hit.poison.means}"
        yield context.evidence("bounds.redzone-pointer", text, "fault", "registers")
    elif not hit:
        yield from _text_as_pointer(context)
        yield from _text_as_code(context)
