"""A program's own fault."""

from __future__ import annotations

from collections.abc import Iterator

from pagefault_doctor.diagnosis.context import Context
from pagefault_doctor.model.diagnosis import Evidence
from pagefault_doctor.model.report import Kind, Report


def weigh(report: Report, context: Context) -> Iterator[Evidence]:
    """Weigh whether a program, not the kernel, is at fault."""
    if report.kind in (Kind.USER_SEGFAULT, Kind.USER_TRAP):
        who = report.comm or "a program"
        yield context.evidence("space.segfault", f"the fault happened in {who}, outside the kernel")
    elif "init_killed" in report.details:
        text = "the first process ended, which the kernel cannot survive"
        yield context.evidence("space.init", text, "init_killed")
