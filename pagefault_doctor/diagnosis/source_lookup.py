"""A report with what the debug information says of its place and of its bad pointer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pagefault_doctor.diagnosis.context import Scene
from pagefault_doctor.model.report import Report
from pagefault_doctor.symbols import locate
from pagefault_doctor.symbols.access import Access

if TYPE_CHECKING:
    from pagefault_doctor.symbols.compressed_module import Unpack


def located(report: Report, folder: Path, unpack: Unpack | None = None) -> Report:
    """Return the report with its source line and its pointer, where a file in the folder tells it.

    See `symbols.locate`.
    """
    return locate(report, folder, access_of(report), unpack)


def access_of(report: Report) -> Access | None:
    """Return the access that faulted, where registers and instruction together explain it.

    Where the report has no bytes of the instruction, the module's file has them.
    """
    scene = Scene(report)
    if not scene.registers or scene.arch is None:
        return None
    if scene.instruction is not None:
        return _by_instruction(scene, scene.arch)
    if scene.printed_address is None or scene.is_shadow:
        return None
    return Access(
        arch=scene.arch,
        address=scene.printed_address,
        registers=scene.registers,
        is_jump=scene.is_jump,
    )


def _by_instruction(scene: Scene, arch: str) -> Access | None:
    instruction, base = scene.instruction, scene.base
    if instruction is None or base is None:
        return None
    register, value = base
    # Of a string instruction it may be the other operand, which has no displacement.
    is_first = register == instruction.base
    address = instruction.address(scene.registers, scene.bits) if is_first else value
    if address is None:
        return None
    return Access(
        arch=arch,
        register=register,
        value=value,
        address=address,
        size=instruction.size,
        code=instruction.code,
        registers=scene.registers,
    )
