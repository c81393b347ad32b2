"""What one kernel log says that other logs did not."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from pagefault_doctor.model.log import KernelLog
from pagefault_doctor.model.report import Report


def unseen(log: KernelLog, known: Iterable[KernelLog]) -> KernelLog:
    """Return the log with only the reports and module events that no known log holds."""
    fresh = dict(enumerate(log.reports))
    events = set()
    for other in known:
        left = list(other.reports)
        for index, report in enumerate(log.reports):
            if (same := next((r for r in left if is_same(report, r)), None)) is not None:
                left.remove(same)
                fresh.pop(index, None)
        events |= {(e.what, e.module, e.timestamp) for e in other.module_events}
    return msgspec.structs.replace(
        log,
        reports=tuple(fresh.values()),
        module_events=tuple(
            e for e in log.module_events if (e.what, e.module, e.timestamp) not in events
        ),
    )


def is_same(one: Report, other: Report) -> bool:
    """Whether two logs tell of the same event.

    They do where title and time are the same. Where only one log prints the time, process,
    instruction and registers have to be the same; where neither does, the title decides.
    """
    if one.title != other.title:
        return False
    if (one.timestamp is None) == (other.timestamp is None):
        return one.timestamp == other.timestamp
    return _scene(one) == _scene(other)


def _scene(report: Report) -> object:
    return report.pid, report.comm, report.function, report.offset, report.registers


def without_repeats(log: KernelLog) -> KernelLog:
    """Return the log with each report once: overlapping dumps of one buffer repeat them."""
    first: dict[object, Report] = {}
    for index, report in enumerate(log.reports):
        key = index if report.timestamp is None else (report.timestamp, report.title)
        first.setdefault(key, report)
    return msgspec.structs.replace(log, reports=tuple(first.values()))
