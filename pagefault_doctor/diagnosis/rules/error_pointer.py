"""An error code (`ERR_PTR`, `include/linux/err.h`) used as a pointer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pagefault_doctor.diagnosis.address import PAGE, errno_name, error_of, is_common
from pagefault_doctor.diagnosis.context import Scene
from pagefault_doctor.model.diagnosis import Evidence
from pagefault_doctor.model.report import Report

_ALIGNED: Final = 4
"""Members that a crash is likely to go through lie at multiples of this."""


def _plus_offset(scene: Scene, at: int) -> tuple[str, int] | None:
    """Return the register with an error code that explains a small, odd address, or None.

    The offset of a member is added to the error code and wraps: then the address is odd, and the
    offset, which is the address less the error code, is not.
    """
    if at % _ALIGNED == 0:
        return None
    for name, value in scene.general():
        number = error_of(value, scene.bits)
        if number and is_common(number) and (at + number) % _ALIGNED == 0:
            return name, number
    return None


def weigh(report: Report, scene: Scene) -> Iterator[Evidence]:
    """Weigh whether an error code was dereferenced.

    The base register decides: a fault address in the range of the error codes may as well come
    from container_of(NULL).
    """
    at = scene.fault_address
    if at is None or scene.is_jump:
        return
    if scene.base:
        name, value = scene.base
        number = error_of(value, scene.bits)
        if number:
            key = "error.base" if is_common(number) else "error.base-rare"
            text = f"{name.upper()} = {value:#x} is the error code {errno_name(number)}"
            yield scene.says(key, text, "registers", line=scene.register_line(name))
        elif value == 0 and error_of(at, scene.bits):
            text = f"{name.upper()} is 0, so the address is an offset from NULL"
            yield scene.says("error.base-zero", text, "registers", line=scene.register_line(name))
    elif 0 < at < PAGE and (found := _plus_offset(scene, at)):
        name, number = found
        text = f"{name.upper()} holds {errno_name(number)}: with a member's offset that is {at:#x}"
        yield scene.says("error.register", text, line=scene.register_line(name))
    pointer = report.pointer
    if pointer and pointer.returned_by and error_of(int(pointer.value, 16), scene.bits):
        text = f"{pointer.name} is what {pointer.returned_by}() had returned"
        yield scene.says("error.returned", text, "registers")
    number = error_of(at, scene.bits)
    if number:
        key = "error.address" if is_common(number) else "error.address-rare"
        text = f"fault address {at:#x} is the error code {errno_name(number)} as a pointer"
        yield scene.says(key, text, "fault")
