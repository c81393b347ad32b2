"""A program's own fault."""

from __future__ import annotations

from collections.abc import Iterator

from pagefault_doctor.diagnosis.context import Context
from pagefault_doctor.model.diagnosis import Evidence
from pagefault_doctor.model.report import Kind, Report

_MESSAGES = (
    ("init_killed", "space.init", "the first process ended, which the kernel cannot survive"),
    ("no_root", "space.boot", "the kernel found no root file system where it was told to look"),
    ("no_init", "space.boot", "the kernel found no first process that it can run"),
)


def weigh(report: Report, context: Context) -> Iterator[Evidence]:
    """Weigh whether a program, not the kernel, is at fault."""
    if report.kind in (Kind.USER_SEGFAULT, Kind.USER_TRAP):
        who = report.comm or "a program"
        yield context.evidence("space.segfault", f"the fault happened in {who}, outside the kernel")
    elif found := context.first_evidence(_MESSAGES):
        yield found
