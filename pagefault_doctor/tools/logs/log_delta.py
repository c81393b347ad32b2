"""The difference between kernel logs: what one has and others do not."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from pagefault_doctor.model.log import KernelLog
from pagefault_doctor.model.report import Report


def new_reports(log: KernelLog, known: Iterable[KernelLog]) -> KernelLog:
    """Return the log with only the reports and module events that no known log contains."""
    remaining = dict(enumerate(log.reports))
    events = set()
    for other in known:
        unmatched = list(other.reports)
        for index, report in enumerate(log.reports):
            match = next((r for r in unmatched if is_same_event(report, r)), None)
            if match is not None:
                unmatched.remove(match)
                remaining.pop(index, None)
        events |= {(e.what, e.module, e.timestamp) for e in other.module_events}
    return msgspec.structs.replace(
        log,
        reports=tuple(remaining.values()),
        module_events=tuple(
            e for e in log.module_events if (e.what, e.module, e.timestamp) not in events
        ),
    )


def is_same_event(one: Report, other: Report) -> bool:
    """Return whether two reports are about the same event.

    They are if title and time are equal. If only one has a time, process, instruction and registers
    must be equal too; if neither has one, the title decides.
    """
    if one.title != other.title:
        return False
    if (one.timestamp is None) == (other.timestamp is None):
        return one.timestamp == other.timestamp
    return _circumstances(one) == _circumstances(other)


def _circumstances(report: Report) -> object:
    return report.pid, report.comm, report.function, report.offset, report.registers


def without_repeats(log: KernelLog) -> KernelLog:
    """Return the log with each report once; overlapping dumps of one buffer repeat them."""
    first: dict[object, Report] = {}
    for index, report in enumerate(log.reports):
        key = index if report.timestamp is None else (report.timestamp, report.title)
        first.setdefault(key, report)
    return msgspec.structs.replace(log, reports=tuple(first.values()))
