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
_BYTES: Final = 1 << 11
_PROMPT: Final = b"crash> "
"""What the crash utility asks for a command with."""
_COMMAND: Final = regex(
    r"(?:^|[#$%>] ?|\bsudo )(?:[\w/]*/)?(?P<command>insmod|modprobe|rmmod)(?: -\S+)* "
    r"(?:\S*/)?(?P<module>[A-Za-z0-9][\w-]*)(?:\.ko\S*)?(?: |$)"
)
"""A command and its first argument, behind a prompt."""


def with_typed(report: Report, place: int, lines: Lines) -> Report:
    """Return the report, at a place of the log, with what was typed as details.

    `typed_module` is the module of a command, `typed_crash` the command of the crash utility.
    """
    return fenced(lambda _: report, _with_typed, report, place, lines)


def _with_typed(report: Report, place: int, lines: Lines) -> Report:
    if not report.is_kernel_fault:
        return report
    if _PROMPT in lines.data[max(0, place - _BYTES) : place]:
        before = lines.before(place, report.span.first_line, _LINES)
        typed = next((line for line in before if line.text.lstrip().startswith("crash> ")), None)
        report = (
            _with_detail(report, "typed_crash", typed.text.strip(), typed.number)
            if typed
            else report
        )
    if report.comm not in LOADERS:
        return report
    for line in reversed(lines.before(place, report.span.first_line, _LINES)):
        match = _COMMAND.search(line.text) if line.timestamp is None else None
        if match and match["command"] == report.comm:
            module = match["module"].replace("-", "_")
            return _with_detail(report, "typed_module", module, line.number)
    return report


def _with_detail(report: Report, name: str, value: str, number: int) -> Report:
    details, cited = report.details | {name: value}, report.cited | {name: number}
    return msgspec.structs.replace(report, details=details, cited=cited)
