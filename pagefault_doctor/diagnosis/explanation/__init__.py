"""The explanation of a fault: what happened, what led to it, where the fix belongs.

Every sentence cites the line or the command it was read from; what the evidence does not show is
listed too. A walk diagnoses after each command but needs only causes and verdict, so the
explanation is made when somebody reads it.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from pagefault_doctor.diagnosis.context import Context, contexts
from pagefault_doctor.diagnosis.explanation.background import background
from pagefault_doctor.diagnosis.explanation.conclusion import fix_location, tried, unknown
from pagefault_doctor.diagnosis.explanation.fault import crux, happened
from pagefault_doctor.diagnosis.registers import register_notes
from pagefault_doctor.model.diagnosis import (
    Candidate,
    Diagnosis,
    Explanation,
    Opinion,
    RegisterNote,
)
from pagefault_doctor.model.fact import Fact
from pagefault_doctor.model.log import KernelLog
from pagefault_doctor.model.report import Report


def explanation_of(
    report: Report, context: Context, first: Candidate, readings: tuple[RegisterNote, ...]
) -> Explanation:
    """Return the explanation of a report by its likeliest cause."""
    return Explanation(
        crux=crux(report, context, readings),
        happened=tuple(happened(report, context, readings)),
        came=tuple(background(report, context, first)),
        unknown=tuple(unknown(report, context, first)),
        fix=tuple(fix_location(report, first)),
        tried=tuple(tried(context)),
    )


def with_explanations(
    opinion: Opinion, logs: tuple[KernelLog, ...], facts: Mapping[str, Fact]
) -> Opinion:
    """Return the opinion on these logs and facts, with explanations and registers."""
    explained = tuple(map(_explained, opinion.by_report, contexts(logs, facts)))
    verdict = opinion.verdict if opinion.report is None else explained[opinion.report]
    return Opinion(explained, verdict, opinion.report)


def _explained(diagnosis: Diagnosis, context: Context) -> Diagnosis:
    registers = register_notes(context)
    first = diagnosis.candidates[0]
    return msgspec.structs.replace(
        diagnosis,
        account=explanation_of(context.report, context, first, registers),
        registers=registers,
    )
