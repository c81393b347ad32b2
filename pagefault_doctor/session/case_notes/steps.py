"""What tells something of a case at each step."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from pagefault_doctor.model.diagnosis import Attribution
from pagefault_doctor.model.fact import Finding
from pagefault_doctor.session.case_notes import hardware, memory, program
from pagefault_doctor.session.case_notes.culprit import culprit
from pagefault_doctor.session.case_notes.debug import debug
from pagefault_doctor.session.case_notes.doings import doings
from pagefault_doctor.session.case_notes.dump import dump
from pagefault_doctor.session.case_notes.lacking import lacking, without_report
from pagefault_doctor.session.case_notes.proof import proof
from pagefault_doctor.session.case_notes.source import source
from pagefault_doctor.session.case_notes.subject import Subject, subject_of
from pagefault_doctor.session.view import View

Tell = Callable[[Subject], Iterator[Finding]]

_BY_STEP: Final[dict[str, Tell]] = {
    "check-logs": lacking,
    "identify-module": culprit,
    "reproduce": doings,
    "analyse-crash-dump": dump,
    "debug-module": debug,
    "examine-core": program.place,
    "rule-out-hardware": program.speaks_of_memory,
    "measure-pressure": memory.pressure,
    "find-consumer": memory.consumers,
    "relieve": memory.relief,
    "fix-code": source,
    "validate": proof,
}
"""What tells something at a step, by the step's id in the bundled playbooks."""
_ELSEWHERE: Final[dict[tuple[str, Attribution], Tell]] = {
    ("check-logs", Attribution.HARDWARE): hardware.how_often,
    ("identify-module", Attribution.HARDWARE): hardware.part,
    ("reproduce", Attribution.HARDWARE): hardware.tested,
    ("validate", Attribution.HARDWARE): hardware.stays_silent,
    ("reproduce", Attribution.USER_SPACE): program.again,
    ("debug-module", Attribution.USER_SPACE): program.place,
    ("validate", Attribution.USER_SPACE): program.survives,
    ("reproduce", Attribution.MEMORY_PRESSURE): memory.trial,
    ("validate", Attribution.MEMORY_PRESSURE): memory.levels_off,
}
"""What tells something else at a step where no code of the kernel is to be changed."""
_ALSO: Final = (("check-logs", Attribution.HARDWARE), ("reproduce", Attribution.USER_SPACE))
"""Where that does not stand in place of the other."""


def told(view: View, step_id: str) -> tuple[Finding, ...]:
    """Return the notes of a step, whosever the log is."""
    tell = _BY_STEP.get(step_id)
    if tell is None:
        return ()
    if subject := subject_of(view):
        case = step_id, subject.diagnosis.attribution
        own = _ELSEWHERE.get(case)
        general = tell(subject) if own is None or case in _ALSO else ()
        return (*general, *(own(subject) if own else ()))
    return tuple(without_report(view.case.logs[0])) if tell is lacking and view.case.logs else ()
