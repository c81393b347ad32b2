"""Known cases in words: the same sentences in text, Markdown, HTML and on the screen."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from pagefault_doctor.diagnosis.error_numbers import errors_in
from pagefault_doctor.model.diagnosis import Diagnosis, Opinion
from pagefault_doctor.model.known_case import KnownCase, KnownLine, Seen
from pagefault_doctor.report.block import Block, Heading, Items, one_line
from pagefault_doctor.report.local_time import local_time
from pagefault_doctor.report.repetition import adds

LABEL: Final = "known"
_TITLE: Final = "Known or not"
_LINES: Final = "Lines that are known"
NOTHING_TO_DO: Final = "Nothing has to be done."
_SHOWN: Final = 120
"""Characters of a known line that are shown."""


def known_sentences(diagnosis: Diagnosis) -> Iterator[str]:
    """Yield what is known of a report: each case of the book, and how often it was met before."""
    seen = _before(diagnosis.seen) if diagnosis.seen else ""
    for case in diagnosis.known:
        yield f"{case.id}: {case.text}" + (f" {seen}" if seen else "")
        seen = ""
    if seen:
        yield seen


def known_rows(diagnosis: Diagnosis) -> Iterator[tuple[str, str]]:
    """Yield a row of label and text for each of these sentences."""
    step = diagnosis.next_step.why if diagnosis.next_step else ""
    once = tuple(_without_said(case, step) for case in diagnosis.known)
    for sentence in known_sentences(msgspec.structs.replace(diagnosis, known=once)):
        yield LABEL, sentence


def _without_said(case: KnownCase, step: str) -> KnownCase:
    """Return the case without the advice that the next step gives as well."""
    said = bool(case.do) and bool(step) and not adds(case.do, (step,))
    return msgspec.structs.replace(case, do="", command="") if said else case


def harmless_rows(case: KnownCase, diagnosis: Diagnosis) -> Iterator[tuple[str, str]]:
    """Yield what a harmless report is and what to do about it, both of the book, and the rest."""
    yield "cause", f"most likely harmless ({case.id}): {case.says}"
    rest = tuple(other for other in diagnosis.known if other is not case)
    yield from known_rows(msgspec.structs.replace(diagnosis, known=rest))
    command = f" Run: {case.command}" if case.command else ""
    yield "next", (case.do or NOTHING_TO_DO) + command


def known_blocks(diagnosis: Diagnosis) -> Iterator[Block]:
    """Yield the same as a section of a document, nothing where nothing is known."""
    if items := tuple(known_sentences(diagnosis)):
        yield Heading(_TITLE, 3)
        yield Items(items)


def known_line_sentences(opinion: Opinion) -> Iterator[str]:
    """Yield each known line of a log without a report, with what it means."""
    return map(_line, opinion.known_lines)


def known_line_blocks(opinion: Opinion) -> Iterator[Block]:
    """Yield the same as a section of a document."""
    if items := tuple(known_line_sentences(opinion)):
        yield Heading(_LINES)
        yield Items(items)


def known_lines_text(
    opinion: Opinion, width: int, quoted: frozenset[int] = frozenset()
) -> Iterator[str]:
    """Yield the same as lines of text, `width` columns wide where words allow it.

    Lines that are `quoted` elsewhere are left out.
    """
    for sentence in (_line(known) for known in opinion.known_lines if known.line not in quoted):
        yield textwrap.fill(
            one_line(sentence),
            width,
            initial_indent=f"  {LABEL:8}",
            subsequent_indent=" " * 10,
            break_long_words=False,
            break_on_hyphens=False,
        )


def known_document(diagnosis: Diagnosis) -> dict[str, Any]:
    """Return the fields that a report has in JSON for what is known of it, if anything."""
    document: dict[str, Any] = {}
    if diagnosis.known:
        document["known"] = [_case(case) for case in diagnosis.known]
    if diagnosis.seen:
        document["seen"] = {"count": diagnosis.seen.count, "last": diagnosis.seen.last}
    return document


def known_lines_document(opinion: Opinion) -> dict[str, Any]:
    """Return the fields that the verdict has in JSON for known lines: harmless ones, and others."""
    harmless = [_line_document(line) for line in opinion.known_lines if line.case.harmless]
    asking = [_line_document(line) for line in opinion.known_lines if not line.case.harmless]
    named = {"harmless": harmless, "asking": asking}
    return {name: lines for name, lines in named.items() if lines}


def _before(seen: Seen) -> str:
    times = "once" if seen.count == 1 else f"{seen.count} times"
    return f"Seen {times} before, last on {local_time(seen.last, '%Y-%m-%d')}."


def _line(known: KnownLine) -> str:
    often = f", {known.count} times" if known.count > 1 else ""
    text = known.text.strip()
    text = f"{text[:_SHOWN]}..." if len(text) > _SHOWN else text
    errors = "" if known.case.harmless else errors_in(known.text)
    means = f" ({errors})" if errors else ""
    return f'line {known.line}{often}: "{text}"{means}: {known.case.text}'


def _case(case: KnownCase) -> dict[str, Any]:
    others = ("do", "command", "harmless", "fixed_in", "source", "ticket", "ignored")
    rest = {name: getattr(case, name) for name in others}
    return {"id": case.id, "note": case.says, **rest}


def _line_document(known: KnownLine) -> dict[str, Any]:
    case = {"id": known.case.id, "do": known.case.do, "command": known.case.command}
    lines = {"line": known.line, "text": known.text, "count": known.count}
    return {**lines, "what": known.case.says, **case}
