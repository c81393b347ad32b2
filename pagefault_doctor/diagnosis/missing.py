"""What of a report is not in the text, and the command that would bring it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pagefault_doctor.diagnosis.history import CRASHES
from pagefault_doctor.model.diagnosis import Missing
from pagefault_doctor.model.report import Kind, Report

_TRACED: Final = frozenset(Kind) - {
    *(Kind.HARDWARE, Kind.REBOOT, Kind.INFO, Kind.LEAK),
    *(Kind.USER_SEGFAULT, Kind.USER_TRAP, Kind.OOM_KILL),
}
"""Kinds that the kernel prints a call trace with."""


HEADLINE: Final = Missing(
    "headline",
    "the line that says what happened (BUG:, Oops:, Unable to handle, WARNING:) is missing: it "
    "stands above the first line here",
)
ADDRESS: Final = Missing(
    "address", "the address that could not be used is missing: it stands in the headline"
)
REGISTERS: Final = Missing(
    "registers", "the registers and the Code: line are missing: they stand below the headline"
)
TRACE: Final = Missing("trace", "the call trace is missing: it stands below the registers")
VERSION: Final = Missing("version", "the version of the kernel is not in the text", ("uname", "-a"))
REPORT: Final = Missing(
    "report", "the report that led to the panic is missing: it stands above the panic"
)


def missing(report: Report) -> Iterator[Missing]:
    """Yield what a report of its kind has and this one lacks, what would help most first."""
    if "headless" in report.details:
        yield HEADLINE
    elif report.kind is Kind.PAGE_FAULT and not (report.fault and report.fault.address):
        yield ADDRESS
    if report.kind is Kind.PANIC and "trace" not in report.cited:
        yield REPORT
    if report.kind in CRASHES and not report.registers:
        yield REGISTERS
    if report.kind in _TRACED and "trace" not in report.cited:
        yield TRACE
    if not report.kernel_release and report.is_kernel_fault:
        yield VERSION
