"""A diagnosis as text: a few lines for each report of a log."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping

from pagefault_doctor.diagnosis.describe_pointer import place_words, pointer_words
from pagefault_doctor.model.diagnosis import Candidate, Diagnosis, Evidence, Opinion, RootCause
from pagefault_doctor.model.playbook import Cause
from pagefault_doctor.model.repeats import repeats
from pagefault_doctor.model.report import Report
from pagefault_doctor.report.analysis import analysis, step_text, tried
from pagefault_doctor.report.block import Block, Heading, Items, Paragraph, describe, one_line

_LABEL = 8
_SHOWN_EVIDENCE = 6
"""Most lines for, and most against; `--markdown` and `--json` have all."""
_SHOWN_TEXT = 80
"""Characters of a damaged line that are shown."""
_SURE = 0.9
"""From this confidence on, what the report lacks would change nothing."""
_PLACES = ("often", "where", "source", "value", "note")


def diagnosis_text(
    source: str, reports: tuple[Report, ...], opinion: Opinion, width: int = 100
) -> str:
    """Return the diagnosis of one input as text, `width` columns wide where words allow it."""
    if not reports:
        return one_line(f"{source}: {opinion.verdict.summary}") + "\n"
    parts = [
        "\n".join(_report_lines(source, reports[first], opinion.by_report[first], often, width))
        for first, often in _groups(reports, opinion)
    ]
    if len(parts) > 1:
        parts.append(one_line(f"In all: {opinion.verdict.summary}"))
    return "\n\n".join(parts) + "\n"


def diagnosis_outline(
    source: str, reports: tuple[Report, ...], opinion: Opinion, causes: Mapping[str, Cause]
) -> Iterator[Block]:
    """Yield the blocks of a diagnosis, for Markdown. `causes` explains each root cause."""
    yield Heading(f"Diagnosis of {source}", 1)
    yield Paragraph(opinion.verdict.summary)
    for first, often in _groups(reports, opinion):
        report, diagnosis = reports[first], opinion.by_report[first]
        yield Heading(f"Line {report.span.first_line}: {report.title}")
        rows = _rows(report, diagnosis, often)
        yield Items(tuple(f"{label}: {text}" for label, text in rows if label in _PLACES))
        yield from analysis(diagnosis, causes)


def _groups(reports: tuple[Report, ...], opinion: Opinion) -> Iterator[tuple[int, str]]:
    """Yield the index of one report of each group of equal ones, and how often it came.

    Of the group that the verdict is about, that is the report of the verdict.
    """
    for group in repeats(reports):
        leads = opinion.report is not None and opinion.report in group.indices
        yield (opinion.report or 0) if leads else group.indices[0], group.text


def _report_lines(
    source: str, report: Report, diagnosis: Diagnosis, often: str, width: int
) -> Iterator[str]:
    yield one_line(f"{source}:{report.line_of('headline')}  {report.title}")
    for label, text in _rows(report, diagnosis, often):
        yield textwrap.fill(
            one_line(text),
            width,
            initial_indent=f"  {label:{_LABEL}}",
            subsequent_indent=" " * (_LABEL + 2),
            # Paths and commands stay whole, to be copied.
            break_long_words=False,
            break_on_hyphens=False,
        )


def _rows(report: Report, diagnosis: Diagnosis, often: str) -> Iterator[tuple[str, str]]:
    if often:
        yield "often", often
    if where := ", ".join(_where(report, diagnosis)):
        yield "where", where
    if source := place_words(report):
        yield "source", source
    if report.pointer:
        yield "value", pointer_words(report.pointer)
    unknown = diagnosis.root_cause is RootCause.UNKNOWN
    yield "cause", ("" if unknown else f"{diagnosis.confidence:.0%}  ") + diagnosis.summary
    if diagnosis.account:
        yield "what", _cited(diagnosis.account.crux)
    if diagnosis.candidates:
        yield from _evidence_rows(diagnosis.candidates[0])
    if diagnosis.missing and diagnosis.confidence < _SURE:
        yield "missing", ", ".join(part.name for part in diagnosis.missing)
    for other in diagnosis.candidates[1:3]:
        yield "or", describe(other)
    if diagnosis.owner:
        yield "whose", diagnosis.owner.text
    if diagnosis.next_step:
        yield "next", step_text(diagnosis.next_step)
    if diagnosis.experiment:
        first, *more = tried(diagnosis.experiment)
        yield "or try", "; ".join((first, *more))
    for note in notes(report, diagnosis):
        yield "note", note


def notes(report: Report, diagnosis: Diagnosis) -> Iterator[str]:
    """Yield what could not be read of a report, or not be worked out, a sentence each."""
    if report.corrupted_reason:
        yield f"the report is incomplete: {report.corrupted_reason}"
    if report.file_note:
        yield report.file_note
    yield from diagnosis.notes
    for line in report.unread:
        text = line.text.strip()[:_SHOWN_TEXT]
        yield f"line {line.number} is damaged and was not read: {text}"


def opinion_notes(reports: tuple[Report, ...], opinion: Opinion) -> tuple[str, ...]:
    """Return what could not be read of the report that the verdict is about, or not worked out."""
    verdict = opinion.verdict
    about = () if opinion.report is None else notes(reports[opinion.report], verdict)
    return tuple(dict.fromkeys((*about, *verdict.notes)))


def _evidence_rows(candidate: Candidate) -> Iterator[tuple[str, str]]:
    for evidence in candidate.supporting[:_SHOWN_EVIDENCE]:
        yield "for", _cited(evidence)
    for evidence in candidate.opposing[:_SHOWN_EVIDENCE]:
        yield "against", _cited(evidence)
    if candidate.supporting and not candidate.opposing:
        yield "against", "nothing found"


def _cited(evidence: Evidence) -> str:
    place = evidence.place if evidence.origin else evidence.line or ""
    return f"{place:>5}  {evidence.text}"


def _where(report: Report, diagnosis: Diagnosis) -> Iterator[str]:
    if report.module:
        flags = next((m.flags for m in report.modules if m.name == report.module), "")
        traits = [name for letter, name in _TRAITS if letter in flags]
        if diagnosis.module_directory and diagnosis.module == report.module:
            traits.insert(0, diagnosis.module_directory)
        yield f"module {report.module}" + (f" ({', '.join(traits)})" if traits else "")
    elif report.function:
        yield f"function {report.function}"
    if report.comm:
        process = f"{report.comm}[{report.pid}]" if report.pid is not None else report.comm
        yield process + (f" on CPU {report.cpu}" if report.cpu is not None else "")
    if report.timestamp is not None:
        yield f"{report.timestamp:.2f} s after boot"
    elif report.wall_clock:
        yield report.wall_clock
    if report.kernel_release:
        yield report.kernel_release
    if report.boot:
        yield f"boot {report.boot + 1} of the log"


_TRAITS = (("O", "out-of-tree"), ("E", "unsigned"), ("P", "proprietary"), ("F", "forced"))
