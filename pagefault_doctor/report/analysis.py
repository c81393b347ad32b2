"""The analysis of one report: what happened, why, what else it may be, what to change and try."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import msgspec

from pagefault_doctor.model.diagnosis import (
    Candidate,
    Diagnosis,
    Evidence,
    Experiment,
    Explanation,
    NextStep,
    RegisterNote,
    RootCause,
)
from pagefault_doctor.model.playbook import Cause
from pagefault_doctor.report.block import Block, Heading, Items, Paragraph, Verbatim, describe
from pagefault_doctor.report.known import NOTHING_TO_DO, known_blocks
from pagefault_doctor.session.remedy import MatchedRemedy

_OTHERS: Final = 2
"""Most other causes that are shown."""
LEAST: Final = 0.05
"""Confidence of a cause that is shown, at least."""
_LEVEL: Final = 3


def analysis(
    diagnosis: Diagnosis, causes: Mapping[str, Cause], here: MatchedRemedy | None = None
) -> Iterator[Block]:
    """Yield the blocks of an analysis, in the order in which an expert would explain it.

    `causes` has the explanation of each root cause, `here` the line to change where a walk found
    it. Every sentence names the line of the log or the command that it was read from.
    """
    account, cause = diagnosis.account, causes.get(diagnosis.root_cause)
    yield Paragraph(in_short(diagnosis, cause))
    if diagnosis.facts:
        yield Heading("What the log says", _LEVEL)
        yield Items(tuple(f"{quote.words} (line {quote.line})" for quote in diagnosis.facts))
    yield from known_blocks(diagnosis)
    if account is not None:
        yield from _section("What happened", (*account.happened, *_doing(account)))
        yield from _section("How it came to that", account.came)
    yield from _causes(diagnosis, cause)
    yield from _registers(diagnosis.registers)
    if account is not None:
        yield from _section("What the evidence cannot tell", account.unknown)
        yield from _section("Where the cure belongs", (*account.fix, *whose(diagnosis)))
    if cause is not None:
        yield from _change(cause, here)
    if account is not None:
        yield from _section("What was tried", account.tried)
    yield Heading("What to do next", _LEVEL)
    yield Items(tuple(_to_do(diagnosis, cause)))


def _doing(account: Explanation) -> Iterator[Evidence]:
    if story := account.story:
        yield msgspec.structs.replace(story, text=f"what ran then: {story.text}")


def in_short(diagnosis: Diagnosis, cause: Cause | None) -> str:
    """Return the analysis in a few sentences: cause, crux, runner-up, fix."""
    summary = diagnosis.summary
    known = diagnosis.root_cause is not RootCause.UNKNOWN
    sure = f" ({diagnosis.confidence:.0%})" if known else ""
    sentences = [f"{summary[:1].upper()}{summary[1:]}{sure}."]
    if diagnosis.account is not None:
        sentences.append(f"{cited(diagnosis.account.crux)}.")
    if runner_up := _runner_up(diagnosis):
        sentences.append(runner_up)
    if cause is not None:
        sentences.append(f"The usual cure: {_first_sentence(cause.remedy.change)}")
    return " ".join(sentences)


def _runner_up(diagnosis: Diagnosis) -> str:
    """Return a sentence about the next likely cause and the evidence against it."""
    other = next(iter(likely_others(diagnosis)), None)
    if other is None:
        return "No other cause fits." if diagnosis.confidence >= 0.5 else ""
    against = next(iter(other.opposing), None)
    why = f": against it, {cited(against)}" if against else ", with less to speak for it"
    return f"Next likely is {other.root_cause} ({other.confidence:.0%}){why}."


def likely_others(diagnosis: Diagnosis) -> tuple[Candidate, ...]:
    """Return the causes besides the likeliest that are worth showing, the likeliest first."""
    others = diagnosis.candidates[1 : 1 + _OTHERS]
    return tuple(other for other in others if other.confidence >= LEAST)


def _first_sentence(text: str) -> str:
    first, stop, _ = " ".join(text.split()).partition(". ")
    return f"{first}." if stop else first


def _section(title: str, sentences: Iterable[Evidence]) -> Iterator[Block]:
    items = tuple(cited(sentence) for sentence in sentences)
    if items:
        yield Heading(title, _LEVEL)
        yield Items(items)


def _causes(diagnosis: Diagnosis, cause: Cause | None) -> Iterator[Block]:
    if not diagnosis.candidates:
        return
    first = diagnosis.candidates[0]
    yield Heading(f"Why: {describe(first)}", _LEVEL)
    if cause is not None:
        yield Paragraph(cause.what)
    yield Items(tuple(weighed(first)))
    if diagnosis.missing:
        yield Paragraph(f"Missing: {', '.join(part.name for part in diagnosis.missing)}.")
    for other in likely_others(diagnosis):
        yield Heading(f"Also considered: {describe(other)}", _LEVEL)
        yield Items(tuple(weighed(other)))


def weighed(candidate: Candidate) -> Iterator[str]:
    """Yield the evidence for and against a cause, the strongest first, with its places."""
    for evidence in candidate.supporting:
        yield f"for: {cited(evidence)}"
    for evidence in candidate.opposing:
        yield f"against: {cited(evidence)}"


def cited(evidence: Evidence) -> str:
    """Return a sentence with the place it was read from."""
    return f"{evidence.text} ({evidence.place})" if evidence.place else evidence.text


def whose(diagnosis: Diagnosis) -> Iterator[Evidence]:
    """Yield who takes reports about the code, where that is known, and why it is they."""
    if owner := diagnosis.owner:
        yield Evidence(f"whose: {owner.text}; {owner.why}", 0.0)


def _registers(registers: Iterable[RegisterNote]) -> Iterator[Block]:
    notes = tuple(
        f"{r.register.upper()} = {r.value}: {r.means}" + (f" (line {r.line})" if r.line else "")
        for r in registers
        if r.telling
    )
    if notes:
        yield Heading("Registers worth a look", _LEVEL)
        yield Items(notes)


def _change(cause: Cause, here: MatchedRemedy | None) -> Iterator[Block]:
    """Yield the fix of a cause: at the line where that is known, else as an example."""
    yield Heading("What to change", _LEVEL)
    yield Paragraph(cause.remedy.change)
    if here is not None:
        before = f"{here.check}\n" if here.check else ""
        yield Paragraph(f"At {here.place}" + (", with what usually goes before it:" * bool(before)))
        yield Verbatim(f"{before}{here.code}")
    # At the line itself no example is needed.
    elif cause.remedy.before and cause.remedy.after:
        yield Paragraph("An example of the mistake, and of the cure:")
        yield Verbatim(cause.remedy.before.rstrip("\n"))
        yield Verbatim(cause.remedy.after.rstrip("\n"))
    if cause.remedy.api:
        yield Paragraph(f"What helps: {cause.remedy.api}.")


def _to_do(diagnosis: Diagnosis, cause: Cause | None) -> Iterator[str]:
    if harmless := next((case for case in diagnosis.known if case.harmless), None):
        yield harmless.do or NOTHING_TO_DO
        return
    if diagnosis.next_step:
        yield step_text(diagnosis.next_step)
    if diagnosis.experiment:
        yield from tried(diagnosis.experiment)
    if cause is not None:
        yield f"to prove the cure: {cause.prove}"


def step_text(step: NextStep) -> str:
    """Return the next step in words, with the command that belongs to it, if there is one."""
    return f"{step.why} Run: {shlex.join(step.command)}" if step.command else step.why


def tried(experiment: Experiment) -> Iterator[str]:
    """Yield an experiment in words: what to do, and the outcome that each cause predicts."""
    yield f"to tell the causes apart, {experiment.do}"
    for cause, outcome in experiment.tells:
        yield f"if it is {cause}: {outcome}"
