"""The explanation of a fault: what happened, what led to it, where the fix belongs.

Every sentence cites the line or the command it was read from; what the evidence does not show is
listed too. A walk diagnoses after each command but needs only causes and verdict, so the
explanation is made when somebody reads it.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from pagefault_doctor.diagnosis.context import Scene, scenes
from pagefault_doctor.diagnosis.explanation.background import came
from pagefault_doctor.diagnosis.explanation.conclusion import cure, tried, unknown
from pagefault_doctor.diagnosis.explanation.fault import crux, happened
from pagefault_doctor.diagnosis.registers import readings
from pagefault_doctor.model.diagnosis import Account, Candidate, Diagnosis, Opinion, Reading
from pagefault_doctor.model.fact import Fact
from pagefault_doctor.model.log import KernelLog
from pagefault_doctor.model.report import Report

__all__ = ("account",)


def account(
    report: Report, scene: Scene, first: Candidate, readings: tuple[Reading, ...]
) -> Account:
    """Return the story of a report, as its likeliest cause has it."""
    return Account(
        crux=crux(report, scene, readings),
        happened=tuple(happened(report, scene, readings)),
        came=tuple(came(report, scene, first)),
        unknown=tuple(unknown(report, scene, first)),
        fix=tuple(cure(report, first)),
        tried=tuple(tried(scene)),
    )


def explained(opinion: Opinion, logs: tuple[KernelLog, ...], facts: Mapping[str, Fact]) -> Opinion:
    """Return the opinion, which is that of these logs and facts, with account and registers."""
    told = tuple(map(_explained, opinion.by_report, scenes(logs, facts)))
    pairs = zip(opinion.by_report, told, strict=True)
    verdict = next((full for short, full in pairs if short is opinion.verdict), opinion.verdict)
    return Opinion(told, verdict)


def _explained(diagnosis: Diagnosis, scene: Scene) -> Diagnosis:
    registers = readings(scene)
    first = diagnosis.candidates[0]
    return msgspec.structs.replace(
        diagnosis,
        account=account(scene.report, scene, first, registers),
        registers=registers,
    )
