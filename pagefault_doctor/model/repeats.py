"""Equal reports of a log: a warning that comes sixty times is one warning, sixty times."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import msgspec

from pagefault_doctor.model.report import Report


class Repeats(msgspec.Struct, frozen=True):
    """How often a report came in one boot, all in all, and from where to where.

    `indices` are those of the equal reports, the first one included. `count` is how often it came:
    dmesg and the journal may both tell of one time. `seconds` is the time from the first to the
    last, None where the log prints no time since boot.
    """

    indices: tuple[int, ...]
    count: int
    first_line: int
    last_line: int
    seconds: float | None

    @property
    def text(self) -> str:
        """How often, where and for how long, for a person; empty for a report that came once."""
        if self.count == 1:
            return ""
        over = f", over {self.seconds:.1f} s" if self.seconds else ""
        return f"{self.count} times, lines {self.first_line} to {self.last_line}{over}"


def repeats(reports: Sequence[Report]) -> tuple[Repeats, ...]:
    """Return the reports in groups of equal ones, in the order of the first of each.

    Equal are reports of the same boot with the same title, at the same place.
    """
    groups = defaultdict[tuple[object, ...], list[int]](list)
    for index, report in enumerate(reports):
        groups[_same(report)].append(index)
    return tuple(_repeats(reports, tuple(indices)) for indices in groups.values())


def _same(report: Report) -> tuple[object, ...]:
    place = (report.function, report.offset, report.module)
    return (report.boot, report.kind, report.title, *place)


def _repeats(reports: Sequence[Report], indices: tuple[int, ...]) -> Repeats:
    first, last = reports[indices[0]], reports[indices[-1]]
    known = first.timestamp is not None and last.timestamp is not None
    seconds = (last.timestamp or 0.0) - (first.timestamp or 0.0) if known else None
    times = {reports[index].timestamp for index in indices}
    count = len(indices) if None in times else len(times)
    return Repeats(indices, count, first.span.first_line, last.span.last_line, seconds)
