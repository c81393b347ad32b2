"""The explanation of a fault: what happened, what led to it, where the fix belongs.

Every sentence cites the line or the command it was read from; what the evidence does not show is
listed too. A walk diagnoses after each command but needs only causes and verdict, so the
explanation is made when somebody reads it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import msgspec

from pagefault_doctor.diagnosis.context import Context
from pagefault_doctor.diagnosis.contexts import contexts
from pagefault_doctor.diagnosis.explanation.background import background
from pagefault_doctor.diagnosis.explanation.conclusion import fix_location, tried, unknown
from pagefault_doctor.diagnosis.explanation.facts import facts
from pagefault_doctor.diagnosis.explanation.fault import crux, happened
from pagefault_doctor.diagnosis.explanation.story import story
from pagefault_doctor.diagnosis.owner import owner_of
from pagefault_doctor.diagnosis.provenance import folder_of
from pagefault_doctor.diagnosis.registers import register_notes
from pagefault_doctor.diagnosis.unjudged import Unjudged
from pagefault_doctor.model.diagnosis import (
    Candidate,
    Diagnosis,
    Evidence,
    Explanation,
    Opinion,
    RegisterNote,
)
from pagefault_doctor.model.fact import Fact
from pagefault_doctor.model.log import KernelLog
from pagefault_doctor.model.report import Report


def explanation_of(
    report: Report,
    context: Context,
    first: Candidate,
    readings: tuple[RegisterNote, ...],
    unjudged: Unjudged,
) -> Explanation:
    """Return the explanation of a report by its likeliest cause.

    A part that fails is told to `unjudged` and left out.
    """

    def part(what: str, work: Callable[[], Iterable[Evidence]]) -> tuple[Evidence, ...]:
        return unjudged.attempt(what, (), lambda: tuple(work()))

    untold = Evidence(report.message, 0.0, report.line_of("headline"))
    return Explanation(
        crux=unjudged.attempt("what happened", untold, crux, report, context, readings),
        story=unjudged.attempt("what the task was doing", None, story, report),
        happened=part("what happened", lambda: happened(report, context, readings)),
        came=part("what led to it", lambda: background(report, context, first)),
        unknown=part("what is unknown", lambda: unknown(report, context, first)),
        fix=part("where the fix belongs", lambda: fix_location(report, first)),
        tried=part("what was tried", lambda: tried(context)),
    )


def with_explanations(
    opinion: Opinion, logs: tuple[KernelLog, ...], known: Mapping[str, Fact]
) -> Opinion:
    """Return the opinion on these logs and the facts of a walk, with explanations and facts."""
    explained = tuple(map(_explained, opinion.by_report, contexts(logs, known)))
    verdict = opinion.verdict if opinion.report is None else explained[opinion.report]
    return Opinion(explained, verdict, opinion.report)


def _explained(diagnosis: Diagnosis, context: Context) -> Diagnosis:
    unjudged = Unjudged(*diagnosis.notes)
    registers = unjudged.attempt("the registers", (), register_notes, context)
    first = diagnosis.candidates[0]
    return msgspec.structs.replace(
        diagnosis,
        account=explanation_of(context.report, context, first, registers, unjudged),
        facts=unjudged.attempt("what to quote", (), facts, context.report, context, first),
        registers=registers,
        module_directory=unjudged.attempt(
            "whose tree it is of", None, folder_of, first.module, context.report
        ),
        owner=unjudged.attempt("who takes reports about it", None, owner_of, first, context),
        notes=unjudged.notes,
    )
