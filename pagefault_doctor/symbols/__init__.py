"""ELF, DWARF and `Code:` bytes: from a report to its instruction and its source line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from pagefault_doctor.model.report import Kind, Report, SourceLine

_MOST_PROBLEMS = 8

if TYPE_CHECKING:
    from pagefault_doctor.symbols.access import FaultingAccess
    from pagefault_doctor.symbols.compressed_module import Unpack
    from pagefault_doctor.symbols.file_search import Tell


def locate(
    report: Report, folder: Path, access: FaultingAccess | None = None, unpack: Unpack | None = None
) -> Report:
    """Return the report with its source line, if a file in the folder has debug information for it.

    A kernel fault is looked up in the module's file, a fault in user space in the program or
    library. `folder` may also be the program itself. With the faulting access, a module's file
    also names the bad pointer. `unpack` unpacks a module that Python cannot unpack. What could not
    be read is in `file_note`.
    """
    problems: list[str] = []
    found = _located(report, folder, access, unpack, problems.append)
    if not problems:
        return found
    note = "; ".join(list(dict.fromkeys(problems))[:_MOST_PROBLEMS])
    return msgspec.structs.replace(found, file_note=note)


def _located(
    report: Report, folder: Path, access: FaultingAccess | None, unpack: Unpack | None, tell: Tell
) -> Report:
    if report.kind in (Kind.USER_SEGFAULT, Kind.USER_TRAP):
        return _locate_in_program(report, folder, tell)
    if not report.module:
        return report
    from pagefault_doctor.symbols.fault_location import add_fault_location
    from pagefault_doctor.symbols.module_file import find_module

    file = find_module(folder, report.module, tell)
    return add_fault_location(file, report, access, unpack, tell) if file else report


def _locate_in_program(report: Report, folder: Path, tell: Tell) -> Report:
    from pagefault_doctor.symbols.program_file import find_object, locate_crash

    name = report.details.get("object", "")
    direct = folder if folder.is_file() and folder.name == name else None
    file = direct or (find_object(folder, name, tell) if name else None)
    found = locate_crash(file, report.details, tell) if file else None
    if found is None:
        return report
    line = SourceLine(found.file, found.line) if found.file and found.line else None
    return msgspec.structs.replace(
        report, source_line=line, function=report.function or found.function
    )
