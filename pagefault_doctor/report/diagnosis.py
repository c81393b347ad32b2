"""A diagnosis as text: the report that leads a log, and a line for each of the others."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import msgspec

from pagefault_doctor.diagnosis.describe_pointer import place_words, pointer_words
from pagefault_doctor.diagnosis.suspect import suspect_frame
from pagefault_doctor.model.consequence import follows_from
from pagefault_doctor.model.diagnosis import Candidate, Diagnosis, Evidence, Opinion, RootCause
from pagefault_doctor.model.playbook import Cause
from pagefault_doctor.model.repeats import repeats
from pagefault_doctor.model.report import Report
from pagefault_doctor.report.analysis import analysis, likely_others, step_text, tried
from pagefault_doctor.report.block import Block, Heading, Items, Paragraph, describe, one_line
from pagefault_doctor.report.known import (
    harmless_rows,
    known_line_blocks,
    known_lines_text,
    known_rows,
)
from pagefault_doctor.report.repetition import adds, asks_for_the_same

SCREEN: Final = 24
"""Lines that the answer to a log of several faults takes at most."""
_LABEL: Final = 8
_SHOWN_EVIDENCE: Final = 6
"""Most lines for, and most against; `--markdown` and `--json` have all."""
_SHOWN_FACTS: Final = 6
_HEADLINE: Final = 200
_SHOWN_TEXT: Final = 80
"""Characters of a damaged line that are shown."""
_SURE: Final = 0.9
"""From this confidence on, what the report lacks would change nothing."""
_WORTH: Final = 0.15
"""Confidence of another cause that the answer on a screen names; `--all` and `--json` have more."""
_NOT_FIRST: Final = "the first one is not in this log"
"""What the summary says of a report that follows another: its own cause matters less then."""
_PLACES: Final = ("often", "where", "source", "value", "note")
_LEFT_OUT: Final = (
    *("or try", "note", "or", "value", "source"),
    *("doing", "what", "for", "fact", "missing"),
)
"""Rows that a screen without room for them leaves out, what is missed least first."""
_OTHERS: Final = 6
"""Lines of other reports that there is always room for."""
_CONVENTION: Final = (
    "no function in the stack trace",
    "the naming convention has no title for this kind of report",
)
"""Why a report has no title by the naming convention: of no concern to who reads the log."""
_UNTRACED: Final = ("no call trace", "the call trace has no frames")

Row = tuple[str, str]


class _Group(msgspec.Struct, frozen=True):
    """A report, its diagnosis, and how often an equal one came.

    `told` are the headlines, as lines of the log, that have a line of their own elsewhere.
    """

    report: Report
    diagnosis: Diagnosis
    often: str
    told: frozenset[int] = frozenset()


def diagnosis_text(
    source: str,
    reports: tuple[Report, ...],
    opinion: Opinion,
    width: int = 100,
    *,
    whole: bool = False,
) -> str:
    """Return the diagnosis of one input as text, `width` columns wide where words allow it.

    Of a log with several faults it fits one screen, unless the `whole` is asked for: the report
    that leads, what followed from it, and a line for each of the others.
    """
    if not reports:
        summary = one_line(f"{source}: {opinion.verdict.summary}")
        quoted = frozenset(quote.line for quote in opinion.verdict.facts)
        known = tuple(known_lines_text(opinion, width, quoted))
        failed = [
            line
            for quote in opinion.verdict.facts
            for line in _filled("fact", f"{quote.line:>5}  {quote.words}", width)
        ]
        # What is known of the lines says already what to do about them.
        step = _next(opinion.verdict, width) if failed or not known else []
        lines = (summary, *step, *failed, *known)
        return "\n".join(lines) + "\n"
    first, *others = _groups(reports, opinion)
    if whole or not others:
        stanzas = (_stanza(source, group, width, whole=whole) for group in (first, *others))
        return "\n\n".join("\n".join(stanza) for stanza in stanzas) + "\n"
    return "\n".join(_screen(source, first, others, width)) + "\n"


def diagnosis_outline(
    source: str, reports: tuple[Report, ...], opinion: Opinion, causes: Mapping[str, Cause]
) -> Iterator[Block]:
    """Yield the blocks of a diagnosis, for Markdown. `causes` explains each root cause."""
    yield Heading(f"Diagnosis of {source}", 1)
    yield Paragraph(opinion.verdict.summary)
    yield from known_line_blocks(opinion)
    if not reports:
        return
    first, *others = _groups(reports, opinion)
    followed = [other for other in others if follows_from(other.report, first.report)]
    for group in (first, *(other for other in others if other not in followed)):
        report, diagnosis = group.report, group.diagnosis
        yield Heading(f"Line {report.line_of()}: {report.message}")
        yield Items(tuple(f"{label}: {text}" for label, text in _rows(group) if label in _PLACES))
        yield from analysis(diagnosis, causes)
        if followed and group is first:
            yield Heading("What followed from it", 3)
            yield Items(tuple(f"{_headline(g)} (line {g.report.line_of()})" for g in followed))


def _next(verdict: Diagnosis, width: int) -> list[str]:
    return _filled("next", step_text(verdict.next_step), width) if verdict.next_step else []


def _groups(reports: tuple[Report, ...], opinion: Opinion) -> list[_Group]:
    """Return one report of each group of equal ones, that of the verdict before the others."""
    groups: list[_Group] = []
    leads = 0
    for group in repeats(reports):
        is_leading = opinion.report is not None and opinion.report in group.indices
        index = (opinion.report or 0) if is_leading else group.indices[0]
        leads = len(groups) if is_leading else leads
        groups.append(_Group(reports[index], opinion.by_report[index], group.text))
    return [*groups[leads : leads + 1], *groups[:leads], *groups[leads + 1 :]]


def _stanza(
    source: str, group: _Group, width: int, most: int | None = None, *, whole: bool = False
) -> list[str]:
    """Return the lines on one report, `most` at most where they can be cut so short."""
    report = group.report
    head = [one_line(f"{source}:{report.line_of()}  {_cut(report.message, _HEADLINE)}")]
    rows = [(label, _filled(label, text, width)) for label, text in _rows(group, whole=whole)]
    for label in _LEFT_OUT if most else ():
        for place in [i for i, row in enumerate(rows) if row[0] == label][:0:-1]:
            if _length(head, rows) > (most or 0):
                del rows[place]
    for label in _LEFT_OUT if most else ():
        if _length(head, rows) > (most or 0):
            rows = [row for row in rows if row[0] != label]
    return [*head, *(line for _, lines in rows for line in lines)]


def _length(head: Sequence[str], rows: Sequence[tuple[str, Sequence[str]]]) -> int:
    return len(head) + sum(len(lines) for _, lines in rows)


def _screen(source: str, first: _Group, others: Sequence[_Group], width: int) -> Iterator[str]:
    """Yield the lines on the report that leads, and one for each of the others that fits."""
    told = {other.report.line_of() for other in others}
    alone = msgspec.structs.replace(first, told=frozenset(told))
    stanza = _stanza(source, alone, width, SCREEN - min(len(others), _OTHERS))
    yield from stanza
    followed = [other for other in others if follows_from(other.report, first.report)]
    rows = [("then", other) for other in followed]
    rows += [("also", other) for other in others if other not in followed]
    room = SCREEN - len(stanza)
    shown = rows if len(rows) <= room else rows[: room - 1]
    for label, other in shown:
        line = f"{other.report.line_of():>5}  {_headline(other)}"
        yield _cut(one_line(f"  {label:{_LABEL}}{line}"), width)
    if left := len(rows) - len(shown):
        yield f"  {'more':{_LABEL}}{left} more reports: pfdoctor diagnose --all"


def _headline(group: _Group) -> str:
    # First, for the line may be cut.
    times = group.often.partition(",")[0]
    return f"{times}: {group.report.message}" if times else group.report.message


def _cut(line: str, width: int) -> str:
    return line if len(line) <= width else f"{line[: width - 3]}..."


def _filled(label: str, text: str, width: int) -> list[str]:
    return _wrapped(text, width, f"  {label:{_LABEL}}", " " * (_LABEL + 2))


def _wrapped(text: str, width: int, first: str, later: str) -> list[str]:
    return textwrap.wrap(
        one_line(text),
        width,
        initial_indent=first,
        subsequent_indent=later,
        # Paths and commands stay whole, to be copied.
        break_long_words=False,
        break_on_hyphens=False,
    )


def _rows(group: _Group, *, whole: bool = True) -> Iterator[Row]:
    """Yield what it is, what to do and who takes reports; then what shows it, each thing once."""
    report, diagnosis = group.report, group.diagnosis
    if group.often:
        yield "often", group.often
    untold = diagnosis.root_cause is RootCause.UNKNOWN or _NOT_FIRST in diagnosis.summary
    harmless = next((case for case in diagnosis.known if case.harmless), None)
    # What the book calls harmless is no fault of that likelihood, and the book says what to do.
    if harmless:
        yield from harmless_rows(harmless, diagnosis)
    else:
        yield "cause", ("" if untold else f"{diagnosis.confidence:.0%}  ") + diagnosis.summary
        yield from known_rows(diagnosis)
        if diagnosis.next_step:
            yield "next", step_text(diagnosis.next_step)
    if diagnosis.owner:
        yield "whose", diagnosis.owner.text
    yield from _shown_by(group)
    if diagnosis.missing and diagnosis.confidence < _SURE:
        yield from _missing_rows(diagnosis)
    others = [o for o in likely_others(diagnosis) if whole or o.confidence >= _WORTH]
    for other in others:
        yield "or", describe(other)
    if diagnosis.experiment and (whole or _is_worth_a_try(diagnosis, others)):
        first, *more = tried(diagnosis.experiment)
        yield "or try", "; ".join((first, *more))
    for note in notes(report, diagnosis):
        yield "note", note


def _shown_by(group: _Group) -> Iterator[Row]:
    """Yield where it is, and the lines that decide; a sentence that only says them again is not."""
    report, diagnosis = group.report, group.diagnosis
    if where := ", ".join(_where(report, diagnosis)):
        yield "where", where
    if diagnosis.account and diagnosis.account.story:
        yield "doing", diagnosis.account.story.text
    if source := place_words(report):
        yield "source", source
    if report.pointer:
        yield "value", pointer_words(report.pointer)
    facts = tuple(_fact_rows(diagnosis, group.told))
    yield from facts
    said = [report.message, *(text for _, text in facts)]
    account = diagnosis.account
    if account and report.message not in account.crux.text:
        said.append(account.crux.text)
        instructions = {quote.means.partition(", with ")[0] for quote in diagnosis.facts} - {""}
        is_told = any(text in account.crux.text for text in instructions)
        if not is_told and adds(account.crux.text, (*said[:-1], report.function or "")):
            yield "what", _cited(account.crux)
    for label, evidence in _evidence_rows(diagnosis.candidates):
        if _NOT_FIRST not in evidence.text and (label == "against" or adds(evidence.text, said)):
            yield label, _cited(evidence)


def _is_worth_a_try(diagnosis: Diagnosis, others: Sequence[Candidate]) -> bool:
    """Whether an experiment tells apart what is shown, and is not what the next step asks for."""
    step, experiment = diagnosis.next_step, diagnosis.experiment
    if experiment is None or diagnosis.confidence >= _SURE:
        return False
    shown = {diagnosis.root_cause, *(other.root_cause for other in others)}
    tells = {cause for cause, _ in experiment.tells}
    return tells <= shown and not (step and asks_for_the_same(experiment, step_text(step)))


def _missing_rows(diagnosis: Diagnosis) -> Iterator[Row]:
    """Yield what would help most, with what brings it, and the names of the rest."""
    first, *rest = diagnosis.missing
    yield "missing", f"{first.what} ({first.why}); to bring it: {first.how}"
    if rest:
        yield "missing", "besides: " + ", ".join(part.name for part in rest)


def _fact_rows(diagnosis: Diagnosis, told: frozenset[int]) -> Iterator[Row]:
    """Yield the facts besides the headline, and what that means; none of lines that are told."""
    for headline in diagnosis.facts[:1]:
        if headline.means:
            yield "fact", f"{headline.line:>5}  {headline.means}"
    others = [quote for quote in diagnosis.facts[1:] if quote.line not in told]
    for quote in others[:_SHOWN_FACTS]:
        yield "fact", f"{quote.line:>5}  {quote.words}"


def notes(report: Report, diagnosis: Diagnosis) -> Iterator[str]:
    """Yield what could not be read of a report, or not be worked out, a sentence each."""
    if reason := _lost(report):
        yield f"the report is incomplete: {reason}"
    if report.file_note:
        yield report.file_note
    yield from diagnosis.notes
    for line in report.unread:
        text = line.text.strip()[:_SHOWN_TEXT]
        yield f"line {line.number} is damaged and was not read: {text}"


def _lost(report: Report) -> str | None:
    """Return why a report is not whole, where that is true of the text and not of its title."""
    reason = report.corrupted_reason
    if reason in _CONVENTION or (reason in _UNTRACED and "trace" in report.cited):
        return None
    return reason


def opinion_notes(reports: tuple[Report, ...], opinion: Opinion) -> tuple[str, ...]:
    """Return what could not be read of the report that the verdict is about, or not worked out."""
    verdict = opinion.verdict
    about = () if opinion.report is None else notes(reports[opinion.report], verdict)
    return tuple(dict.fromkeys((*about, *verdict.notes)))


def _evidence_rows(candidates: Sequence[Candidate]) -> Iterator[tuple[str, Evidence]]:
    """Yield what speaks for the likeliest cause and against it."""
    for candidate in candidates[:1]:
        for evidence in candidate.supporting[:_SHOWN_EVIDENCE]:
            yield "for", evidence
        for evidence in candidate.opposing[:_SHOWN_EVIDENCE]:
            yield "against", evidence


def _cited(evidence: Evidence) -> str:
    place = evidence.place if evidence.origin else evidence.line or ""
    return f"{place:>5}  {evidence.text}"


def _where(report: Report, diagnosis: Diagnosis) -> Iterator[str]:
    yield from _code_place(report, diagnosis)
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


def _code_place(report: Report, diagnosis: Diagnosis) -> Iterator[str]:
    """Yield the module and the function: the suspect's own where a check found its damage."""
    frame = suspect_frame(report, diagnosis.module)
    module, function = frame.module, frame.function
    if module:
        flags = next((m.flags for m in report.modules if m.name == module), "")
        traits = [name for letter, name in _TRAITS if letter in flags]
        if diagnosis.module_directory and diagnosis.module == module:
            traits.insert(0, diagnosis.module_directory)
        yield f"module {module}" + (f" ({', '.join(traits)})" if traits else "")
    if function:
        yield f"function {function}"


_TRAITS: Final = (("O", "out-of-tree"), ("E", "unsigned"), ("P", "proprietary"), ("F", "forced"))
