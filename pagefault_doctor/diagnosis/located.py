"""A report with what the debug information says of its place and of its bad pointer."""

from __future__ import annotations

from pathlib import Path

from pagefault_doctor.diagnosis.scene import Scene
from pagefault_doctor.model.report import Report
from pagefault_doctor.symbols import locate
from pagefault_doctor.symbols.access import Access


def located(report: Report, folder: Path) -> Report:
    """Return the report with its source line and its pointer, where a file in the folder tells it.

    See `symbols.locate`.
    """
    return locate(report, folder, access_of(report))


def access_of(report: Report) -> Access | None:
    """Return the access that faulted, where registers and instruction together explain it."""
    scene = Scene(report)
    instruction, base = scene.instruction, scene.base
    if instruction is None or base is None or scene.arch is None:
        return None
    register, value = base
    address = instruction.address(scene.registers, scene.bits)
    if register != instruction.base:
        address = value
    if address is None:
        return None
    return Access(
        arch=scene.arch,
        register=register,
        value=value,
        address=address,
        size=instruction.size,
        code=instruction.code,
        registers=scene.registers,
    )
