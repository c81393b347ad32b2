"""NULL, or a member or container of NULL, dereferenced."""

from __future__ import annotations

from collections.abc import Iterator

from pagefault_doctor.diagnosis.address import PAGE, AddressClass, error_of, is_common
from pagefault_doctor.diagnosis.context import Context
from pagefault_doctor.model.diagnosis import Evidence
from pagefault_doctor.model.report import Kind, Report


def _address(context: Context, value: int) -> Iterator[Evidence]:
    if value == 0 and context.is_jump:
        text = "the kernel called through a NULL function pointer"
        yield context.evidence("null.call", text, "fault")
    elif value < PAGE:
        where = f", a member at offset {value:#x} of NULL" if value else ""
        where += ", as KASAN's shadow tells" if context.is_shadow else ""
        yield context.evidence("null.small-address", f"fault address {value:#x}{where}", "fault")
        if value % 2 == 0 and value % 4 and context.base is None:
            text = f"{value:#x} is an unusual offset of a member: an error code may be behind it"
            yield context.evidence("null.odd-offset", text, "fault")
    elif context.base is None and _is_offset_before_null(context, value):
        text = f"fault address {value:#x} may be a structure around NULL (container_of)"
        yield context.evidence("null.base-unknown", text, "fault")
    elif context.address_class is AddressClass.NEAR_NULL:
        text = f"fault address {value:#x} is near NULL: a big structure or an array at NULL"
        yield context.evidence("null.near-address", text, "fault")


def _is_offset_before_null(context: Context, value: int) -> bool:
    """Whether an address just below the end of memory is one that a member's offset can give."""
    number = error_of(value, context.bits)
    return number is not None and number % (context.bits // 8) == 0


def _base(context: Context, name: str, value: int) -> Iterator[Evidence]:
    instruction = context.instruction
    shown = instruction.text if instruction else ""
    at = context.fault_address
    if value == 0 and at is not None and error_of(at, context.bits):
        text = f"{shown} with {name.upper()} = 0: container_of(NULL), not an error code"
        yield context.evidence("null.container-of", text, "code")
    elif value == 0:
        yield context.evidence("null.base-zero", f"{shown} with {name.upper()} = 0", "code")
    elif (number := error_of(value, context.bits)) and not is_common(number) and number % 8 == 0:
        text = f"{name.upper()} = {value:#x} may be container_of(NULL), {number:#x} before NULL"
        yield context.evidence("null.container-maybe", text, line=context.register_line(name))
    elif number:
        text = f"{name.upper()} holds an error code, not NULL"
        yield context.evidence("null.base-error", text, line=context.register_line(name))
    elif context.is_small_and_loaded:
        text = f"{name.upper()} = {value:#x} was read from memory: no offset was added to NULL"
        yield context.evidence("null.base-loaded", text, line=context.register_line(name))
    elif value >= PAGE or context.poison:
        text = f"{shown} with {name.upper()} = {value:#x}, which is not NULL"
        yield context.evidence("null.base-not-zero", text, "code")


def weigh(report: Report, context: Context) -> Iterator[Evidence]:
    """Weigh whether NULL was dereferenced."""
    if "null_ptr_deref" in report.details:
        text = "the sanitizer found a NULL dereference"
        yield context.evidence("null.sanitizer", text, "null_ptr_deref")
    if report.kind is Kind.NULL_POINTER:
        text = "the kernel calls it a NULL pointer dereference"
        yield context.evidence("null.headline", text, "headline")
    value = context.fault_address
    if value is not None:
        yield from _address(context, value)
    null_like = value is not None and (value < 0x10000 or error_of(value, context.bits))
    if context.base and null_like:
        yield from _base(context, *context.base)
    pointer = report.pointer
    if pointer and pointer.around:
        text = f"{pointer.name} = {pointer.value} puts {pointer.around} at NULL: container_of()"
        yield context.evidence("null.around", text, "registers")
    if pointer and pointer.member and int(pointer.value, 16) == 0:
        text = f"{pointer.name} was NULL, and offset {pointer.offset:#x} is {pointer.member}"
        yield context.evidence("null.member", text, "registers")
