"""A report with what debug information adds about its place and its bad pointer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pagefault_doctor.diagnosis.context import Context
from pagefault_doctor.model.report import Report
from pagefault_doctor.symbols import locate
from pagefault_doctor.symbols.access import FaultingAccess

if TYPE_CHECKING:
    from pagefault_doctor.symbols.compressed_module import Unpack


def with_source(report: Report, folder: Path, unpack: Unpack | None = None) -> Report:
    """Return the report with its source line and its pointer, where a file in the folder has them.

    See `symbols.locate`.
    """
    return locate(report, folder, access_of(report), unpack)


def access_of(report: Report) -> FaultingAccess | None:
    """Return the access that faulted, where registers and instruction together explain it.

    Where the report has no bytes of the instruction, the module's file has them.
    """
    context = Context(report)
    if not context.registers or context.arch is None:
        return None
    if context.instruction is not None:
        return _by_instruction(context, context.arch)
    if context.printed_address is None or context.is_shadow:
        return None
    return FaultingAccess(
        arch=context.arch,
        address=context.printed_address,
        registers=context.registers,
        is_jump=context.is_jump,
    )


def _by_instruction(context: Context, arch: str) -> FaultingAccess | None:
    instruction, base = context.instruction, context.base
    if instruction is None or base is None:
        return None
    register, value = base
    # Of a string instruction it may be the other operand, which has no displacement.
    is_first = register == instruction.base
    address = instruction.address(context.registers, context.bits) if is_first else value
    if address is None:
        return None
    return FaultingAccess(
        arch=arch,
        register=register,
        value=value,
        address=address,
        size=instruction.size,
        code=instruction.code,
        registers=context.registers,
    )
