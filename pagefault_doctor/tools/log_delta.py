"""What one kernel log says that other logs did not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import msgspec

from pagefault_doctor.model.log import KernelLog
from pagefault_doctor.model.report import Report

_Key = tuple[float | None, str]


def _key(report: Report) -> _Key:
    return report.timestamp, report.title


def unseen(log: KernelLog, known: Iterable[KernelLog]) -> KernelLog:
    """Return the log with only the reports and module events that no known log holds.

    Reports are the same when time and title are; where the log prints no times, they are counted.
    """
    before: Counter[_Key] = Counter()
    events = set()
    for other in known:
        before |= Counter(map(_key, other.reports))
        events |= {(e.what, e.module, e.timestamp) for e in other.module_events}
    fresh = []
    for report in log.reports:
        before[_key(report)] -= 1
        if before[_key(report)] < 0:
            fresh.append(report)
    return msgspec.structs.replace(
        log,
        reports=tuple(fresh),
        module_events=tuple(
            e for e in log.module_events if (e.what, e.module, e.timestamp) not in events
        ),
    )


def without_repeats(log: KernelLog) -> KernelLog:
    """Return the log with each report once: overlapping dumps of one buffer repeat them."""
    first: dict[object, Report] = {}
    for index, report in enumerate(log.reports):
        first.setdefault(index if report.timestamp is None else _key(report), report)
    return msgspec.structs.replace(log, reports=tuple(first.values()))
