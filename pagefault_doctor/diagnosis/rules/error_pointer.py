"""An error code (`ERR_PTR`, `include/linux/err.h`) used as a pointer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pagefault_doctor.diagnosis import function_roles
from pagefault_doctor.diagnosis.address import PAGE, errno_name, error_of, is_common, is_errno
from pagefault_doctor.diagnosis.context import Context
from pagefault_doctor.diagnosis.register_names import FIRST_ARGUMENT
from pagefault_doctor.model.diagnosis import Evidence
from pagefault_doctor.model.report import Report
from pagefault_doctor.symbols.value_origin import OriginKind

_ALIGNED: Final = 4
"""Members that a crash is likely to go through lie at multiples of this."""
_EPERM: Final = 1
_ENOENT: Final = 2
_TRACED: Final = ("x86_64", "i386")
"""Architectures whose code before the fault is printed at length and traced back."""
_CALLERS: Final = 3
"""Frames among which is the function that frees, where another one faults for it: the faulting one
may be there twice."""


def _is_telling(number: int) -> bool:
    """Whether a register that holds this errno hints at an error code, whatever it is used for.

    All bits set, -EPERM, is also a mask, a counter that went below zero, or "none".
    """
    return is_common(number) and number != _EPERM


def _plus_offset(context: Context, at: int) -> tuple[str, int] | None:
    """Return the register with an error code that explains a small, odd address, or None.

    The offset of a member is added to the error code and wraps: then the address is odd, and the
    offset, which is the address less the error code, is not.
    """
    if at % _ALIGNED == 0:
        return None
    for name, value in context.general():
        number = error_of(value, context.bits)
        if number and _is_telling(number) and (at + number) % _ALIGNED == 0:
            return name, number
    return None


def _freed(report: Report, context: Context) -> Evidence | None:
    """Return that an error code was freed, or None.

    kfree turns its argument into the address of a page, so that the fault address tells nothing.
    Where it calls a function for that, the argument may be in any register.
    """
    names = [report.function or "", *(frame.function or "" for frame in report.frames[:_CALLERS])]
    freeing = next((name for name in names if name.startswith(function_roles.FREEING)), None)
    if freeing is None:
        return None
    values = dict(context.general())
    if freeing == report.function:
        first = FIRST_ARGUMENT.get(report.arch or "", "")
        values = {first: values.get(first, 0)}
    for name, value in values.items():
        number = error_of(value, context.bits)
        if number and _is_telling(number):
            text = f"{freeing} was given {name.upper()}, the error code {errno_name(number)}"
            return context.evidence("error.freed", text, line=context.register_line(name))
    return None


def _is_in_no_register(context: Context) -> bool:
    """Whether the registers are known, and none of them holds an error code."""
    values = [value for _, value in context.general()]
    return bool(values) and not any(error_of(value, context.bits) for value in values)


def is_filling(number: int, context: Context) -> bool:
    """Whether a value may come from memory full of ff as well as from an error code.

    -EPERM is all bits set, and so an error code only where a function had just returned it;
    -ENOENT is one unless the code shows that it was read from memory, or could be traced and shows
    no call that returned it. With the offset of a member that wraps round it is a structure's.
    """
    how = context.origin.how if context.origin else None
    if number == _EPERM:
        return how is not OriginKind.RETURNED
    at = context.fault_address
    wraps = at is not None and error_of(at, context.bits) is None
    is_traced = context.base is not None and context.arch in _TRACED and not wraps
    return number == _ENOENT and (how is OriginKind.LOADED or (how is None and is_traced))


def weigh(report: Report, context: Context) -> Iterator[Evidence]:
    """Weigh whether an error code was dereferenced.

    The base register decides: a fault address in the range of the error codes may as well come
    from container_of(NULL).
    """
    at = context.fault_address
    if at is None or context.is_jump:
        return
    if freed := _freed(report, context):
        yield freed
        return
    if context.base:
        name, value = context.base
        number = error_of(value, context.bits)
        if number and not is_errno(number, context.arch):
            return
        if number:
            # container_of(NULL) is a multiple of a pointer's size before NULL.
            is_error = is_common(number) or number % (context.bits // 8)
            key = "error.base" if is_error else "error.base-rare"
            key = "error.filling" if is_filling(number, context) else key
            text = f"{name.upper()} = {value:#x} is the error code {errno_name(number)}"
            yield context.evidence(key, text, "registers", line=context.register_line(name))
        elif value == 0 and error_of(at, context.bits):
            text = f"{name.upper()} is 0, so the address is an offset from NULL"
            line = context.register_line(name)
            yield context.evidence("error.base-zero", text, "registers", line=line)
    elif 0 < at < PAGE and (found := _plus_offset(context, at)):
        name, number = found
        text = f"{name.upper()} holds {errno_name(number)}: with a member's offset that is {at:#x}"
        yield context.evidence("error.register", text, line=context.register_line(name))
    pointer = report.pointer
    if pointer and pointer.returned_by and error_of(int(pointer.value, 16), context.bits):
        text = f"{pointer.name} is what {pointer.returned_by}() had returned"
        yield context.evidence("error.returned", text, "registers")
    number = error_of(at, context.bits)
    if number and (context.base or is_errno(number, context.arch)):
        key = "error.address" if is_common(number) else "error.address-rare"
        key = "error.filling" if is_filling(number, context) else key
        text = f"fault address {at:#x} is the error code {errno_name(number)} as a pointer"
        yield context.evidence(key, text, "fault")
        if not context.base and _is_in_no_register(context):
            text = "no register holds that error code: it was worked out, as by container_of(NULL)"
            yield context.evidence("error.in-no-register", text, "registers")
