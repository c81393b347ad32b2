"""What tells something of a case at each step."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from pagefault_doctor.model.fact import Finding
from pagefault_doctor.session.case_notes.culprit import culprit
from pagefault_doctor.session.case_notes.debug import debug
from pagefault_doctor.session.case_notes.doings import doings
from pagefault_doctor.session.case_notes.dump import dump
from pagefault_doctor.session.case_notes.lacking import lacking, without_report
from pagefault_doctor.session.case_notes.proof import proof
from pagefault_doctor.session.case_notes.source import source
from pagefault_doctor.session.case_notes.subject import Subject, subject_of
from pagefault_doctor.session.view import View

_BY_STEP: Final[dict[str, Callable[[Subject], Iterator[Finding]]]] = {
    "check-logs": lacking,
    "identify-module": culprit,
    "reproduce": doings,
    "analyse-crash-dump": dump,
    "debug-module": debug,
    "examine-core": debug,
    "fix-code": source,
    "validate": proof,
}
"""What tells something at a step, by the step's id in the bundled playbooks."""


def told(view: View, step_id: str) -> tuple[Finding, ...]:
    """Return the notes of a step, whosever the log is."""
    tell = _BY_STEP.get(step_id)
    if tell is None:
        return ()
    if subject := subject_of(view):
        return tuple(tell(subject))
    return tuple(without_report(view.case.logs[0])) if tell is lacking and view.case.logs else ()
