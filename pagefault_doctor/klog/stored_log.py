"""Logs as sessions keep them: read once, perhaps by an older version that knew fewer details."""

from __future__ import annotations

import msgspec

from pagefault_doctor.klog.line import LogLine, parts_of_frame
from pagefault_doctor.klog.messages import messages_of
from pagefault_doctor.klog.registers import registers_of
from pagefault_doctor.klog.text import ReportText
from pagefault_doctor.model.log import KernelLog
from pagefault_doctor.model.report import Report


def with_details(log: KernelLog) -> KernelLog:
    """Return the log with all that its reports' own lines show; one just read stays the same."""
    return msgspec.structs.replace(log, reports=tuple(map(_with_details, log.reports)))


def _with_details(report: Report) -> Report:
    lines = [
        LogLine(line.number, line.text, frame=parts_of_frame(line.text)) for line in report.excerpt
    ]
    details, cited = messages_of(ReportText(lines), report.span.last_line)
    _, printed = registers_of(lines) if report.registers else ({}, {})
    cited |= {f"registers.{name}": line for name, line in printed.items()}
    return msgspec.structs.replace(
        report, details=details | report.details, cited=cited | report.cited
    )
