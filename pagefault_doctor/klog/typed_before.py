"""The module that a person was loading or removing, where a terminal's own lines show it.

People paste what they see: the command, and the fault that came of it. The lines of a fault name
the command alone (`comm`), a fragment of them not the module.
"""

from __future__ import annotations

from typing import Final

import msgspec

from pagefault_doctor.klog.text import Lines
from pagefault_doctor.model.fence import fenced
from pagefault_doctor.model.pattern import regex
from pagefault_doctor.model.report import LOADERS, Report

_LINES: Final = 16
"""Lines before a report in which the command is looked for."""
_COMMAND: Final = regex(
    r"(?:^|[#$%>] ?|\bsudo )(?:[\w/]*/)?(?P<command>insmod|modprobe|rmmod)(?: -\S+)* "
    r"(?:\S*/)?(?P<module>[A-Za-z0-9][\w-]*)(?:\.ko\S*)?(?: |$)"
)
"""A command and its first argument, behind a prompt."""


def with_typed(report: Report, place: int, lines: Lines) -> Report:
    """Return the report, at a place of the log, with the module of the command as a detail."""
    return fenced(lambda _: report, _with_typed, report, place, lines)


def _with_typed(report: Report, place: int, lines: Lines) -> Report:
    if report.comm not in LOADERS or not report.is_kernel_fault:
        return report
    for line in reversed(lines.before(place, report.span.first_line, _LINES)):
        match = _COMMAND.search(line.text) if line.timestamp is None else None
        if match and match["command"] == report.comm:
            details = {"typed_module": match["module"].replace("-", "_")}
            return msgspec.structs.replace(
                report,
                details=report.details | details,
                cited=report.cited | dict.fromkeys(details, line.number),
            )
    return report
