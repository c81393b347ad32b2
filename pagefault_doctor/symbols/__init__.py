"""ELF, DWARF and `Code:` bytes: from a report to its instruction and its source line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from pathlib import Path

    from pagefault_doctor.model.report import Report


def locate(report: Report, module_dir: Path) -> Report:
    """Return the report with its source line, where the module's file in the folder tells it."""
    from pagefault_doctor.symbols.module_file import find_module, source_line

    if not report.module or not report.function or report.offset is None:
        return report
    file = find_module(module_dir, report.module)
    line = source_line(file, report.function, report.offset, report.size) if file else None
    return msgspec.structs.replace(report, source_line=line) if line else report
