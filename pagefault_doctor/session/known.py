"""An opinion with what the book of known cases and earlier sessions tell of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

import msgspec

from pagefault_doctor.model.diagnosis import Opinion
from pagefault_doctor.model.known_case import MOST_LINES, KnownLine
from pagefault_doctor.model.log import KernelLog

if TYPE_CHECKING:
    from pagefault_doctor.diagnosis.known import KnownIndex
    from pagefault_doctor.model.known_entry import Entry


def with_known(
    opinion: Opinion, logs: tuple[KernelLog, ...], *, bundled_only: bool = False
) -> Opinion:
    """Return the opinion on these logs with the known cases, and known lines where nothing faulted.

    With `bundled_only`, neither the files of the user and the machine nor earlier sessions count.
    """
    reports = [report for log in logs for report in log.reports]
    if not reports and not any(log.scary for log in logs):
        return opinion
    # The book is YAML, which many a run has no need of.
    from pagefault_doctor.playbook.known_book import read_book

    book = read_book(bundled_only=bundled_only, of_reports=bool(reports))
    index = _index(book.entries)
    opinion = msgspec.structs.replace(opinion, known_problems=book.problems)
    if not reports:
        return msgspec.structs.replace(opinion, known_lines=tuple(_lines(index, logs)))
    from pagefault_doctor.session.sightings import earlier

    seen = [None] * len(reports) if bundled_only else list(earlier(reports))
    by_report = tuple(
        msgspec.structs.replace(each, known=index.cases(report, each), seen=before)
        for each, report, before in zip(opinion.by_report, reports, seen, strict=False)
    )
    verdict = opinion.verdict if opinion.report is None else by_report[opinion.report]
    return msgspec.structs.replace(opinion, by_report=by_report, verdict=verdict)


@lru_cache(maxsize=4)
def _index(entries: tuple[Entry, ...]) -> KnownIndex:
    from pagefault_doctor.diagnosis.known import KnownIndex

    return KnownIndex(entries)


def _lines(index: KnownIndex, logs: Iterable[KernelLog]) -> Iterator[KnownLine]:
    """Yield the known lines of all logs, those of one entry once: dmesg is in the journal too."""
    told: set[str] = set()
    for log in logs:
        for known in index.lines(log):
            if known.case.id not in told and len(told) < MOST_LINES:
                told.add(known.case.id)
                yield known
