"""The ranked causes, and for the opened ones what speaks for and against them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet

from pagefault_doctor.model.diagnosis import Candidate, Evidence, RootCause
from pagefault_doctor.model.playbook import Cause
from pagefault_doctor.session.view import View
from pagefault_doctor.tui.pages import words
from pagefault_doctor.tui.row import Row, Tone


def rows(view: View, causes: Mapping[str, Cause], opened: AbstractSet[int]) -> Iterator[Row]:
    """Give the diagnosis; `opened` are the ranks, from 0, whose evidence is shown."""
    verdict = view.opinion.verdict
    yield Row(verdict.summary, tone=Tone.TITLE)
    yield Row()
    if verdict.root_cause is RootCause.NONE or not verdict.candidates:
        yield Row("Nothing that was read so far looks like a fault.", tone=Tone.DIM)
        return
    for rank, candidate in enumerate(verdict.candidates):
        yield from _candidate(candidate, rank, causes, rank in opened)


def _candidate(
    candidate: Candidate, rank: int, causes: Mapping[str, Cause], opened: bool
) -> Iterator[Row]:
    sign = "-" if opened else "+"
    text = f"{sign} {candidate.confidence * 100:3.0f} %  {words.cause(candidate, causes)}"
    support = f"{len(candidate.supporting)} for  {len(candidate.opposing)} against"
    yield Row(text, support, Tone.TITLE, 9, ref=rank)
    if not opened:
        return
    for evidence in candidate.supporting:
        yield _evidence("for", evidence)
    for evidence in candidate.opposing:
        yield _evidence("against", evidence)
    if not candidate.opposing:
        yield Row("    against  nothing found", tone=Tone.DIM)
    if known := causes.get(candidate.root_cause.value):
        yield Row()
        yield Row(f"    {' '.join(known.what.split())}", tone=Tone.DIM, hang=4)
        yield Row(f"    Cure: {' '.join(known.remedy.change.split())}", tone=Tone.DIM, hang=4)
        yield Row()


def _evidence(side: str, evidence: Evidence) -> Row:
    place = f"line {evidence.line}" if evidence.line else evidence.origin or ""
    text = f"    {side:7}  {evidence.text} ({words.weight(evidence.weight)})"
    return Row(text, place, hang=13, ref=evidence)
