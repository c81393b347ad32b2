"""The lines just before a report that tell of trouble, or of something that came or went.

A fault often follows from what the kernel said a moment before: a device that failed to resume, a
module that unregistered, a bad entry that was met. Which module spoke is of no matter here.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

from pagefault_doctor.klog.line import LogLine
from pagefault_doctor.klog.starts import is_of_other_program
from pagefault_doctor.klog.text import Lines
from pagefault_doctor.model.fence import fenced
from pagefault_doctor.model.pattern import regex
from pagefault_doctor.model.report import Line, Report

_SECONDS: Final = 2.0
_UNTIMED: Final = 5
"""Lines before a report that count where the log has no clock."""
_READ: Final = 10
"""Lines before a report that are looked at."""
_KEPT: Final = 2
_TROUBLE: Final = regex(
    r"\b(?:fail(?:ed|ure|s)?|errors?|unbalanced|unregister\w*|unload\w*|removed|disconnect\w*"
    r"|shutdown|shutting down|suspend(?:ed|ing)?|resum(?:ed|ing|e)|reset(?:ting)?|abort\w*"
    r"|time(?:d )?out|corrupt\w*|bad"
    r"|invalid|blocked|refus\w+|overflow\w*|lost|too (?:many|long)|unexpected|stuck|cannot|can't"
    r"|not (?:found|responding|ready|supported))\b",
    re.IGNORECASE,
)
_OF_OTHERS: Final = regex(
    r"^(?:[\w.@-]+\[\d+\]: |Call Trace|Code:|Modules linked|CPU: \d|RIP:|RSP:|---\[|R[A-D]X:"
    r"|Hardware name)"
)


def with_lines_before(report: Report, place: int, lines: Lines) -> Report:
    """Return the report, which begins at a place of the log, with the lines just before it."""
    return fenced(lambda _: report, _with_lines_before, report, place, lines)


def _with_lines_before(report: Report, place: int, lines: Lines) -> Report:
    if not report.is_kernel_fault or place == 0:
        return report
    before = lines.before(place, report.span.first_line, _READ)
    read = set(report.cited.values())
    near = (x for x in before if x.number not in read and _is_near(x, report) and _tells(x.text))
    found = {line.text: Line(line.number, line.text) for line in near}
    kept = tuple(found.values())[-_KEPT:]
    return msgspec.structs.replace(report, before=kept) if kept else report


def _tells(text: str) -> bool:
    found = _TROUBLE.search(text) is not None and _OF_OTHERS.match(text) is None
    return found and not is_of_other_program(text)


def _is_near(line: LogLine, report: Report) -> bool:
    if line.timestamp is None or report.timestamp is None:
        return report.span.first_line - line.number <= _UNTIMED
    return 0 <= report.timestamp - line.timestamp <= _SECONDS
