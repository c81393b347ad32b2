"""The ranked causes with their evidence, the distinguishing experiment, and the explanation."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet

from pagefault_doctor.model.diagnosis import (
    Candidate,
    Diagnosis,
    Evidence,
    Experiment,
    Explanation,
    RegisterNote,
    RootCause,
)
from pagefault_doctor.model.playbook import Cause
from pagefault_doctor.report.analysis import LEAST, whose
from pagefault_doctor.report.diagnosis import opinion_notes
from pagefault_doctor.report.known import known_line_sentences, known_sentences
from pagefault_doctor.session.view import View
from pagefault_doctor.tui.pages import phrases
from pagefault_doctor.tui.row import Row, Tone


def rows(view: View, causes: Mapping[str, Cause], opened: AbstractSet[int]) -> Iterator[Row]:
    """Yield the diagnosis; `opened` are the ranks, from 0, whose evidence is shown."""
    verdict = view.explained.verdict
    yield Row(verdict.summary, tone=Tone.TITLE)
    yield Row()
    if verdict.root_cause is RootCause.NONE or not verdict.candidates:
        yield Row("Nothing that was read so far looks like a fault.", tone=Tone.DIM)
        yield from _next_step(verdict)
        yield from _known(known_line_sentences(view.explained))
        yield from _notes(view)
        return
    if verdict.account:
        crux = verdict.account.crux
        yield Row(f"{crux.text}.", crux.place, hang=4, ref=crux)
        yield Row()
    yield from _next_step(verdict)
    yield from _known(known_sentences(verdict))
    for rank, candidate in enumerate(verdict.candidates):
        if rank and candidate.confidence < LEAST:
            break
        yield from _candidate(candidate, rank, causes, rank in opened)
    if verdict.experiment:
        yield from experiment_rows(verdict.experiment, causes)
    yield from _facts(verdict)
    if verdict.account:
        yield from _account(verdict.account, tuple(whose(verdict)))
    yield from _registers(verdict.registers)
    yield from _notes(view)


def _next_step(verdict: Diagnosis) -> Iterator[Row]:
    if verdict.next_step is None:
        return
    yield Row("What to do next", tone=Tone.TITLE)
    yield Row(f"    {verdict.next_step.why}", hang=4)
    if verdict.next_step.command:
        yield Row(f"    $ {shlex.join(verdict.next_step.command)}", hang=6)
    yield Row()


def _facts(verdict: Diagnosis) -> Iterator[Row]:
    if not verdict.facts:
        return
    yield Row()
    yield Row("What the log says", tone=Tone.TITLE)
    for quote in verdict.facts:
        yield Row(f"    {quote.words}", f"line {quote.line}", hang=6, ref=quote)


def _known(sentences: Iterable[str]) -> Iterator[Row]:
    told = tuple(sentences)
    if told:
        yield Row("Known or not", tone=Tone.TITLE)
    for sentence in told:
        yield Row(f"    {sentence}", hang=6)
    if told:
        yield Row()


def _notes(view: View) -> Iterator[Row]:
    said = opinion_notes(view.case.reports, view.explained)
    if said:
        yield Row()
        yield Row("What could not be read or worked out", tone=Tone.TITLE)
    for note in said:
        yield Row(f"    {note}", hang=6)


def experiment_rows(experiment: Experiment, causes: Mapping[str, Cause]) -> Iterator[Row]:
    """Yield the experiment that distinguishes the likeliest causes, with their outcomes."""
    yield Row()
    yield Row(f"To tell them apart: {experiment.do}", hang=4)
    for cause, outcome in experiment.tells:
        known = causes.get(cause.value)
        yield Row(f"    {known.title if known else cause}: {outcome}", tone=Tone.DIM, hang=6)


def _account(account: Explanation, owner: tuple[Evidence, ...]) -> Iterator[Row]:
    for title, sentences in (
        ("What happened", account.happened),
        ("How it came to that", account.came),
        ("What the evidence cannot tell", account.unknown),
        ("Where the cure belongs", (*account.fix, *owner)),
        ("What was tried", account.tried),
    ):
        if sentences:
            yield Row()
            yield Row(title, tone=Tone.TITLE)
        for sentence in sentences:
            place = sentence.place
            yield Row(f"    {sentence.text}", place, hang=6, ref=sentence if place else None)


def _registers(registers: tuple[RegisterNote, ...]) -> Iterator[Row]:
    notes = [note for note in registers if note.telling]
    if notes:
        yield Row()
        yield Row("Registers worth a look", tone=Tone.TITLE)
    for note in notes:
        place = f"line {note.line}" if note.line else ""
        yield Row(f"    {note.register.upper()} {note.value}: {note.means}", place, hang=6)


def _candidate(
    candidate: Candidate, rank: int, causes: Mapping[str, Cause], opened: bool
) -> Iterator[Row]:
    sign = "-" if opened else "+"
    text = f"{sign} {phrases.share(candidate)}  {phrases.cause(candidate, causes)}"
    support = f"{len(candidate.supporting)} for  {len(candidate.opposing)} against"
    yield Row(text, support, Tone.TITLE, 9, ref=rank)
    if not opened:
        return
    for evidence in candidate.supporting:
        yield _evidence("for", evidence)
    for evidence in candidate.opposing:
        yield _evidence("against", evidence)
    if known := causes.get(candidate.root_cause.value):
        yield Row()
        yield Row(f"    {' '.join(known.what.split())}", tone=Tone.DIM, hang=4)
        yield Row(f"    Cure: {' '.join(known.remedy.change.split())}", tone=Tone.DIM, hang=4)
        yield Row()


def _evidence(side: str, evidence: Evidence) -> Row:
    text = f"    {side:7}  {evidence.text} ({phrases.weight(evidence.weight)})"
    return Row(text, evidence.place, hang=13, ref=evidence)
