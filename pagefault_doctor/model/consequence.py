"""What follows from a fault: reports that would not be there without the first one."""

from __future__ import annotations

from typing import Final

from pagefault_doctor.model.main_report import Rank, rank
from pagefault_doctor.model.report import Kind, Report

_AFTER: Final = frozenset(
    {
        *(Kind.PANIC, Kind.STALL, Kind.LOCKUP, Kind.HUNG_TASK, Kind.ATOMIC_SLEEP),
        *(Kind.LOCKDEP, Kind.REBOOT),
    }
)
"""Kinds that a task leaves behind that the kernel killed: with its locks, in the middle of work
(`kernel/exit.c`, make_task_dead)."""


def follows_from(report: Report, first: Report) -> bool:
    """Return whether a report is a consequence of an earlier one of the same boot.

    It says so itself (`[#2]`, taint D), or is of a kind that a killed task or a panic brings about.
    """
    if report.boot != first.boot or report.span.first_line <= first.span.first_line:
        return False
    if not report.is_kernel_fault or rank(first) < Rank.CHECK:
        return False
    return report.follows_fault or (report.kind in _AFTER and rank(first) is Rank.CRASH)
