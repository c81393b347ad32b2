"""The analysis of one report in prose: what happened, why, what else it may be, what to do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pagefault_doctor.model.diagnosis import Candidate, Diagnosis, Evidence, Experiment
from pagefault_doctor.report.block import Block, Heading, Items, describe

_OTHERS = 3


def analysis(diagnosis: Diagnosis, level: int = 3) -> Iterator[Block]:
    """Give the blocks of an analysis; `level` is that of its headings.

    Every sentence names the line of the log or the command that it rests on.
    """
    account = diagnosis.account
    if account is not None:
        yield from _section("What happened", account.happened, level)
        yield from _section("How it came to that", account.came, level)
        yield from _section("What the evidence cannot tell", account.unknown, level)
    yield from _causes(diagnosis.candidates, level)
    telling = [r for r in diagnosis.registers if r.telling]
    if telling:
        yield Heading("Registers worth a look", level)
        yield Items(
            tuple(
                f"{r.register.upper()} = {r.value}: {r.means}{place(r.line, None)}" for r in telling
            )
        )
    if account is not None:
        yield from _section("Where the cure belongs", account.fix, level)
    yield Heading("What to do next", level)
    yield Items(tuple(_to_do(diagnosis)))


def _section(title: str, sentences: Iterable[Evidence], level: int) -> Iterator[Block]:
    items = tuple(cited(sentence) for sentence in sentences)
    if items:
        yield Heading(title, level)
        yield Items(items)


def _causes(candidates: tuple[Candidate, ...], level: int) -> Iterator[Block]:
    if not candidates:
        return
    first, *others = candidates
    yield Heading(f"Why: {describe(first)}", level)
    yield Items(tuple(weighed(first)))
    for other in others[: _OTHERS - 1]:
        yield Heading(f"Also considered: {describe(other)}", level)
        yield Items(tuple(weighed(other)))


def weighed(candidate: Candidate) -> Iterator[str]:
    """Give what speaks for and against a cause, the strongest first, with its places."""
    for evidence in candidate.supporting:
        yield f"for: {cited(evidence)}"
    for evidence in candidate.opposing:
        yield f"against: {cited(evidence)}"
    if not candidate.opposing:
        yield "against: nothing found"


def cited(evidence: Evidence) -> str:
    """Return a sentence with the place it was read from."""
    return f"{evidence.text}{place(evidence.line, evidence.origin)}"


def place(line: int | None, origin: str | None) -> str:
    """Return ` (line 12)`, or the command in brackets, or nothing."""
    if line:
        return f" (line {line})"
    return f" ({origin})" if origin else ""


def _to_do(diagnosis: Diagnosis) -> Iterator[str]:
    if step := diagnosis.next_step:
        yield f"{' '.join(step.command)}: {step.why}" if step.command else step.why
    if diagnosis.experiment:
        yield from tried(diagnosis.experiment)
    yield f"pfdoctor explain {diagnosis.root_cause}: the usual cure, and how it is proven"


def tried(experiment: Experiment) -> Iterator[str]:
    """Give an experiment in words: what to do, and what each cause would make of it."""
    yield f"to tell the causes apart, {experiment.do}"
    for cause, outcome in experiment.tells:
        yield f"if it is {cause}: {outcome}"
