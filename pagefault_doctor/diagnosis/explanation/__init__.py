"""The account of a fault: what happened, how it can have come to that, where the cure belongs.

Every sentence carries the line or the command it was read from; what the evidence cannot tell is
said as well.
"""

from __future__ import annotations

from pagefault_doctor.diagnosis.context import Scene
from pagefault_doctor.diagnosis.explanation.background import came
from pagefault_doctor.diagnosis.explanation.conclusion import unknown
from pagefault_doctor.diagnosis.explanation.cure import cure
from pagefault_doctor.diagnosis.explanation.fault import crux, happened
from pagefault_doctor.diagnosis.explanation.tried import tried
from pagefault_doctor.model.diagnosis import Account, Candidate, Reading
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
