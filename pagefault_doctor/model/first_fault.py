"""The first fault of a boot: whether a log that shows a later one still has it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from pagefault_doctor.model.main_report import Rank, rank
from pagefault_doctor.model.report import Report

_FIND: Final = r"journalctl -k -b | grep -n 'Oops\|BUG'"


def missing_first_fault(report: Report, others: Iterable[Report]) -> str | None:
    """Return a sentence where the first fault of the report's boot is not in its log, else None.

    `others` are the other reports of that boot and log.
    """
    if not report.follows_fault or any(map(_is_first, others)):
        return None
    number = report.die_count or 0
    which = (
        f"this is fault #{number} of its boot"
        if number > 1
        else "the kernel had died before in this boot (taint D)"
    )
    return (
        f"{which}: the first one is not in this log. Look for that earlier fault, the likely "
        f"cause, in the part of the log before this, or with {_FIND} (-b -1: the boot before)"
    )


def _is_first(report: Report) -> bool:
    return rank(report) is Rank.CRASH and not report.follows_fault
