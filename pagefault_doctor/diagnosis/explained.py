"""The opinion told in full, for those who read it: the account of each report, its registers.

Causes and verdict are wanted each time that something new is learnt; the words only when somebody
looks at them.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from pagefault_doctor.diagnosis.context import Scene
from pagefault_doctor.diagnosis.explanation import account
from pagefault_doctor.diagnosis.registers import readings
from pagefault_doctor.diagnosis.scenes import scenes
from pagefault_doctor.model.diagnosis import Diagnosis, Opinion
from pagefault_doctor.model.fact import Fact
from pagefault_doctor.model.log import KernelLog


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
