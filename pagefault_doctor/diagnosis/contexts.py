"""The contexts of the reports of logs: which other reports each is looked at with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Final

from pagefault_doctor.diagnosis.context import Context
from pagefault_doctor.diagnosis.provenance import with_outside
from pagefault_doctor.klog.input.text_forms import JOINED
from pagefault_doctor.model.fact import Fact
from pagefault_doctor.model.log import KernelLog
from pagefault_doctor.model.report import Report

_OTHERS: Final = 32
"""Other reports of a boot that are looked at: the first, for the rest are consequences."""
_FIRST: Final = 3
"""Reports of another boot that are looked at; most of the rest follow from them."""
_TWINS: Final = 4
"""Reports of the same fault in other logs that are looked at."""


def contexts(logs: tuple[KernelLog, ...], facts: Mapping[str, Fact]) -> Iterator[Context]:
    """Yield the context of each report, in the order of the logs and their reports."""
    return (context_of(report, log, facts, logs) for log in logs for report in log.reports)


def context_of(
    report: Report, log: KernelLog, facts: Mapping[str, Fact], logs: tuple[KernelLog, ...] = ()
) -> Context:
    """Return the context of a report of a log; `logs` are all that were read."""
    others = (r for r in log.reports if r.boot == report.boot and r is not report)
    twins = (r for other in logs if other is not log for r in other.reports if _same(r, report))
    return Context(
        with_outside(report, log.module_events),
        facts,
        log.module_events,
        others=tuple(islice(others, _OTHERS)),
        twins=tuple(islice(twins, _TWINS)),
        history=_history(report, log) if log.boots > 1 else (),
        boots_after=max(log.boots - 1 - report.boot, 0),
        booted=log.booted,
        rejoined=JOINED in (log.note or ""),
    )


def _same(one: Report, other: Report) -> bool:
    """Whether two reports are of the same fault: the same words at the same place."""
    place = (other.title, other.function, other.offset, other.module)
    return other.function is not None and place == (one.title, one.function, one.offset, one.module)


def _history(report: Report, log: KernelLog) -> tuple[Report, ...]:
    """Return the first reports of each other boot, of the last boots where there are many."""
    found = [r for r in log.reports if r.boot != report.boot and r.number <= _FIRST]
    return tuple(found[-_OTHERS:])
