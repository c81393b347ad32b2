"""A kernel log that a command printed: its reports, with one finding each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pagefault_doctor import klog
from pagefault_doctor.model.case import Case, ToolReading
from pagefault_doctor.model.command import Result
from pagefault_doctor.model.fact import Finding, Mark, Source
from pagefault_doctor.model.log import KernelLog
from pagefault_doctor.model.main_report import main_report, missing_first_fault
from pagefault_doctor.model.report import Report
from pagefault_doctor.tools.logs.log_delta import new_reports, without_repeats
from pagefault_doctor.tools.tool import fact

_MAX_REPORT_FINDINGS: Final = 12
"""Reports beyond this number are only counted."""


def parse(text: str, source: str) -> KernelLog:
    """Return the kernel log in a text."""
    return klog.read(text.encode("utf-8", "replace"), source)


def log_reading(
    result: Result, case: Case, *, source: str, boot: str, text: str | None = None
) -> ToolReading:
    """Return what is new in a kernel log, with a finding for each report.

    `source` names the log, `boot` describes the boot it is from. `text` is the log if it is not
    simply the command's output; line numbers then count in that text.
    """
    full_log = without_repeats(parse(result.output if text is None else text, source))
    log = new_reports(full_log, case.logs)
    origin = result.command.text if text is None else source
    lines = (fact("log.lines", case.get("log.lines", 0) + full_log.lines, result),)
    return ToolReading(facts=lines, findings=tuple(_findings(full_log, log, origin, boot)), log=log)


def findings_of(log: KernelLog, origin: str, boot: str) -> tuple[Finding, ...]:
    """Return the findings for a log that was not read by a command."""
    return tuple(_findings(log, log, origin, boot))


def _findings(full_log: KernelLog, log: KernelLog, origin: str, boot: str) -> list[Finding]:
    has_kernel_fault = any(report.is_kernel_fault for report in log.reports)
    findings = [
        report_finding(report, log, origin, boot, has_kernel_fault)
        for report in log.reports[:_MAX_REPORT_FINDINGS]
    ]
    if len(log.reports) > _MAX_REPORT_FINDINGS:
        text = f"{len(log.reports) - _MAX_REPORT_FINDINGS} more reports in the same log ({boot})"
        findings.append(Finding(text, Mark.NEUTRAL, Source(origin)))
    if not log.reports:
        findings.append(_nothing_new(full_log, origin, boot))
    findings.extend(_missing_first(log, full_log, origin))
    if full_log.note:
        findings.append(Finding(full_log.note, Mark.NEUTRAL, Source(origin)))
    return findings


def _missing_first(log: KernelLog, full_log: KernelLog, origin: str) -> Iterator[Finding]:
    """Yield a finding if the main report of a new log follows a fault that is not in the log."""
    index = main_report((log,))
    if index is None:
        return
    main = log.reports[index]
    others = (r for r in full_log.reports if r.boot == main.boot)
    if text := missing_first_fault(main, others):
        text = text[0].upper() + text[1:]
        yield Finding(text, Mark.NEUTRAL, Source(origin, main.line_of("process")))


def _nothing_new(full_log: KernelLog, origin: str, boot: str) -> Finding:
    if full_log.reports:
        count = _report_count(len(full_log.reports))
        text = f"Nothing new in {full_log.source} ({boot}): {count}, all seen before"
        return Finding(text, Mark.NEUTRAL, Source(origin))
    text = f"No fault report in {full_log.source} ({boot}), {full_log.lines} lines read"
    return Finding(text, Mark.GOOD if full_log.lines else Mark.NEUTRAL, Source(origin))


def _report_count(count: int) -> str:
    return "1 report" if count == 1 else f"{count} reports"


def report_finding(
    report: Report, log: KernelLog, origin: str, boot: str, beside_kernel_faults: bool = False
) -> Finding:
    """Return the finding for one report.

    A fault of a program is neutral if the kernel faulted as well: then it is rarely the cause.
    """
    mark = Mark.BAD if report.is_kernel_fault or not beside_kernel_faults else Mark.NEUTRAL
    when = boot if report.boot >= log.boots - 1 else f"an earlier boot in {log.source}"
    return Finding(f"{report_line(report)}, {when}", mark, Source(origin, report.line_of()))


def report_line(report: Report) -> str:
    """Return a report in one line: title, module, source line, process and time."""
    details = [f"module {report.module}"] if report.module else []
    if report.source_line:
        details.append(f"{report.source_line.file}:{report.source_line.line}")
    if report.comm:
        details.append(report.comm if report.pid is None else f"{report.comm}[{report.pid}]")
    if report.timestamp is not None:
        details.append(f"{report.timestamp:.2f} s after boot")
    return ": ".join([report.headline, ", ".join(details)]) if details else report.headline
