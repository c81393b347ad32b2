"""A kernel log that a command printed: its reports, told in a line each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pagefault_doctor import klog
from pagefault_doctor.model.case import Case, ToolReading
from pagefault_doctor.model.command import Result
from pagefault_doctor.model.fact import Finding, Mark, Source
from pagefault_doctor.model.first_fault import missing_first_fault
from pagefault_doctor.model.log import KernelLog
from pagefault_doctor.model.main_report import main_report
from pagefault_doctor.model.report import Report
from pagefault_doctor.tools.logs.log_delta import unseen, without_repeats
from pagefault_doctor.tools.tool import fact

_TOLD: Final = 12
"""How many reports are told one by one before the rest is only counted."""


def parse(text: str, source: str) -> KernelLog:
    """Return the log that a text is."""
    return klog.read(text.encode("utf-8", "replace"), source)


def log_reading(
    result: Result, case: Case, *, source: str, boot: str, text: str | None = None
) -> ToolReading:
    """Return what is new in a kernel log, with a finding for each report.

    `source` names the log, `boot` says in words which boot it is of. `text` is the log where it is
    not the command's output as it stands; lines are then lines of that text.
    """
    whole = without_repeats(parse(result.output if text is None else text, source))
    log = unseen(whole, case.logs)
    origin = result.command.text if text is None else source
    lines = (fact("log.lines", case.get("log.lines", 0) + whole.lines, result),)
    return ToolReading(facts=lines, findings=tuple(_findings(whole, log, origin, boot)), log=log)


def findings_of(log: KernelLog, origin: str, boot: str) -> tuple[Finding, ...]:
    """Return what a log says that was read by other means than a command, in sentences."""
    return tuple(_findings(log, log, origin, boot))


def _findings(whole: KernelLog, log: KernelLog, origin: str, boot: str) -> list[Finding]:
    kernel = any(report.is_kernel_fault for report in log.reports)
    told = [report_finding(report, log, origin, boot, kernel) for report in log.reports[:_TOLD]]
    if len(log.reports) > _TOLD:
        text = f"{len(log.reports) - _TOLD} more reports in the same log ({boot})"
        told.append(Finding(text, Mark.NEUTRAL, Source(origin)))
    if not log.reports:
        told.append(_nothing_new(whole, origin, boot))
    told.extend(_missing_first(log, whole, origin))
    if whole.note:
        told.append(Finding(whole.note, Mark.NEUTRAL, Source(origin)))
    return told


def _missing_first(log: KernelLog, whole: KernelLog, origin: str) -> Iterator[Finding]:
    """Yield a finding where the main report of a new log follows a fault that is not there."""
    index = main_report((log,))
    if index is None:
        return
    main = log.reports[index]
    others = (r for r in whole.reports if r.boot == main.boot)
    if text := missing_first_fault(main, others):
        text = text[0].upper() + text[1:]
        yield Finding(text, Mark.NEUTRAL, Source(origin, main.line_of("process")))


def _nothing_new(whole: KernelLog, origin: str, boot: str) -> Finding:
    if whole.reports:
        count = _reports(len(whole.reports))
        text = f"Nothing new in {whole.source} ({boot}): {count}, all seen before"
        return Finding(text, Mark.NEUTRAL, Source(origin))
    text = f"No fault report in {whole.source} ({boot}), {whole.lines} lines read"
    return Finding(text, Mark.GOOD if whole.lines else Mark.NEUTRAL, Source(origin))


def _reports(count: int) -> str:
    return "1 report" if count == 1 else f"{count} reports"


def report_finding(
    report: Report, log: KernelLog, origin: str, boot: str, beside_kernel_faults: bool = False
) -> Finding:
    """Return a finding for one report. A program's fault is no alarm beside one of the kernel's."""
    mark = Mark.BAD if report.is_kernel_fault or not beside_kernel_faults else Mark.NEUTRAL
    when = boot if report.boot >= log.boots - 1 else f"an earlier boot in {log.source}"
    return Finding(f"{in_words(report)}, {when}", mark, Source(origin, report.line_of()))


def in_words(report: Report) -> str:
    """Return a report in one line: its title, the module, the process and the time."""
    where = [f"module {report.module}"] if report.module else []
    if report.source_line:
        where.append(f"{report.source_line.file}:{report.source_line.line}")
    if report.comm:
        where.append(report.comm if report.pid is None else f"{report.comm}[{report.pid}]")
    if report.timestamp is not None:
        where.append(f"{report.timestamp:.2f} s after boot")
    return ": ".join([report.title, ", ".join(where)]) if where else report.title
