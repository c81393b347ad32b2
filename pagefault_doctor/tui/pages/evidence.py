"""The reports as in the logs, line by line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from pagefault_doctor.model.report import Report
from pagefault_doctor.session.view import View
from pagefault_doctor.tui.row import Row, Tone


class EvidenceLine(msgspec.Struct, frozen=True):
    """A line of the report with that index in `Case.reports`."""

    report: int
    number: int


def rows(view: View) -> Iterator[Row]:
    """Yield the main report, then the others. Cited lines are marked `!`."""
    reports = view.case.reports
    if not reports:
        yield Row("There is no report: no fault was found in what was read so far.")
        yield Row()
        yield Row("p pastes a log. The output of the commands is under o.", tone=Tone.DIM)
        return
    for index in _order(view):
        report = reports[index]
        cited = _cited(view, index)
        yield Row(
            f"report {index + 1} of {len(reports)}: {report.headline}", tone=Tone.TITLE, hang=4
        )
        yield Row(f"  {_where(view, report)}", tone=Tone.DIM, hang=2)
        width = len(str(report.span.last_line))
        for line in report.excerpt:
            mark = "!" if line.number in cited else " "
            tone = Tone.BAD if line.number in cited else Tone.PLAIN
            text = f"{mark} {line.number:{width}}  {line.text}"
            yield Row(text, "", tone, width + 4, True, EvidenceLine(index, line.number))
        yield Row()


def _order(view: View) -> Sequence[int]:
    first = main_index(view)
    return sorted(range(len(view.case.reports)), key=lambda index: index != first)


def main_index(view: View) -> int:
    """Return the index in `Case.reports` of the report that the verdict is based on, else 0."""
    return view.opinion.report or 0


def _cited(view: View, index: int) -> frozenset[int]:
    opinions = view.opinion.by_report
    if index >= len(opinions) or not opinions[index].candidates:
        return frozenset()
    return frozenset(e.line for e in opinions[index].candidates[0].evidence if e.line)


def _where(view: View, report: Report) -> str:
    source = next((log.source for log in view.case.logs if report in log.reports), "log")
    return f"{source}, lines {report.span.first_line} to {report.span.last_line}"


def find(shown: Sequence[Row], line: int | None, report: int) -> int | None:
    """Return the index of the row with a line of a report, else with that line in any report."""
    wanted = EvidenceLine(report, line or 0)
    exact = next((n for n, row in enumerate(shown) if row.ref == wanted), None)
    if exact is not None:
        return exact
    return next(
        (n for n, row in enumerate(shown) if isinstance(row.ref, EvidenceLine)
         and row.ref.number == line),
        None,
    )  # fmt: skip
