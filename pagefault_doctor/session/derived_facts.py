"""Facts that follow from the reports and the diagnosis, for conditions and tools to use."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from pagefault_doctor.model.case import Case
from pagefault_doctor.model.diagnosis import Attribution, Opinion, RootCause
from pagefault_doctor.model.fact import Fact, Source, Value
from pagefault_doctor.model.given_input import THIS_BOX
from pagefault_doctor.model.report import Report
from pagefault_doctor.tools.log_boot import log_boot
from pagefault_doctor.tools.log_machine import log_machine
from pagefault_doctor.tools.tool import Tool

GIVEN: Final = (
    *("log", "vmcore", "vmlinux", "module_dir", "source_dir", "fixed_module"),
    *("trigger", "kernel_args", "suspect"),
    *("program", "core", "log_of"),
)
"""What a person can give at the start; each becomes a fact `given.NAME`."""

OF_HOST: Final = (
    *("host.", "taint.", "module.", "kernel.", "kdump.", "pstore.", "dump."),
    *("perf.", "memtest.", "stress.", "log.of", "log.host", "log.boot", "given.log_of"),
)
"""How the names of facts begin that are about the machine commands run on."""

DERIVED: Final = (
    "log.lines",
    "log.of",
    "log.of_sure",
    "log.of_why",
    "log.host",
    "log.boot",
    "log.boot_why",
    "report.count",
    "report.kind",
    "report.title",
    "report.headline",
    "report.module",
    "report.function",
    "report.offset",
    "report.comm",
    "report.pid",
    "report.boot",
    "report.release",
    "report.is_kernel_fault",
    "report.file",
    "report.line",
    "report.address",
    "report.access",
    "verdict.root_cause",
    "verdict.attribution",
    "verdict.confidence",
    "suspect.module",
    "experiment.name",
    "experiment.step",
    "experiment.do",
    "experiment.between",
)
"""The names of all facts that `derived_facts` may give."""


def known_facts(tools: Iterable[Tool]) -> frozenset[str]:
    """Return the name of every fact that a walk with these tools can have.

    The engine's own `step.ID.status` are not among them.
    """
    given = {f"given.{name}" for name in GIVEN}
    return frozenset({name for tool in tools for name in tool.facts} | given | {*DERIVED})


def derived_facts(case: Case, opinion: Opinion) -> tuple[Fact, ...]:
    """Return the facts `report.*`, `suspect.*`, `verdict.*`, `experiment.*` of the case as it is.

    `report.*` is about the report of the verdict.
    """
    report = case.main_report
    source = Source("the logs", report.span.first_line if report else None)
    pairs = [("report.count", len(case.reports)), *_of_report(report), *_of_verdict(opinion)]
    pairs += _of_machine(case)
    return tuple(Fact(name, value, source) for name, value in pairs if value is not None)


def _of_machine(case: Case) -> Iterator[tuple[str, Value | None]]:
    if found := log_machine(case):
        yield "log.of", found.of
        yield "log.of_sure", found.sure
        yield "log.of_why", found.why
        yield "log.host", found.host
        boot = log_boot(case) if found.of == THIS_BOX else None
        yield "log.boot", boot.of if boot else ""
        yield "log.boot_why", boot.why if boot else ""


def _of_report(report: Report | None) -> Iterator[tuple[str, Value | None]]:
    if report is None:
        return
    yield "report.kind", report.kind.value
    yield "report.title", report.title
    yield "report.headline", report.headline
    yield "report.module", report.module
    yield "report.function", report.function
    yield "report.offset", report.offset
    yield "report.comm", report.comm
    yield "report.pid", report.pid
    yield "report.boot", report.boot
    yield "report.release", report.kernel_release
    yield "report.is_kernel_fault", report.is_kernel_fault
    if report.source_line:
        yield "report.file", report.source_line.file
        yield "report.line", report.source_line.line
    if report.fault:
        yield "report.address", report.fault.address
        yield "report.access", report.fault.access.value if report.fault.access else None


def _of_verdict(opinion: Opinion) -> Iterator[tuple[str, Value | None]]:
    verdict = opinion.verdict
    yield "verdict.root_cause", verdict.root_cause.value
    # Without a fault, conditions on the rest must be false.
    if verdict.root_cause is RootCause.NONE:
        return
    yield "verdict.attribution", verdict.attribution.value
    yield "verdict.confidence", verdict.confidence
    if verdict.attribution is Attribution.MODULE:
        yield "suspect.module", verdict.module
    if experiment := verdict.experiment:
        yield "experiment.name", experiment.name
        yield "experiment.step", experiment.step
        yield "experiment.do", experiment.do
        yield "experiment.between", " or ".join(cause.value for cause, _ in experiment.tells)
