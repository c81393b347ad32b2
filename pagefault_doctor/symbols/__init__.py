"""ELF, DWARF and `Code:` bytes: from a report to its instruction and its source line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from pagefault_doctor.model.report import Kind, Report, SourceLine

if TYPE_CHECKING:
    from pagefault_doctor.symbols.access import FaultingAccess
    from pagefault_doctor.symbols.compressed_module import Unpack


def locate(
    report: Report, folder: Path, access: FaultingAccess | None = None, unpack: Unpack | None = None
) -> Report:
    """Return the report with its source line, where a file in the folder tells it.

    That is the module's own file for a fault of the kernel, the program or library for one of a
    program. `folder` may also be the program itself. With the faulting access, a module's file
    also tells the pointer that was bad. `unpack` helps with a module that Python cannot unpack.
    """
    if report.kind in (Kind.USER_SEGFAULT, Kind.USER_TRAP):
        return _located_program(report, folder)
    if not report.module:
        return report
    from pagefault_doctor.symbols.fault_location import told
    from pagefault_doctor.symbols.module_file import find_module

    file = find_module(folder, report.module)
    return told(file, report, access, unpack) if file else report


def _located_program(report: Report, folder: Path) -> Report:
    from pagefault_doctor.symbols.program_file import find_object, spot

    name = report.details.get("object", "")
    named = folder if folder.is_file() and folder.name == name else None
    file = named or (find_object(folder, name) if name else None)
    found = spot(file, report.details) if file else None
    if found is None:
        return report
    line = SourceLine(found.file, found.line) if found.file and found.line else None
    return msgspec.structs.replace(
        report, source_line=line, function=report.function or found.function
    )
