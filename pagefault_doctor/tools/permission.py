"""Commands that got no answer or were not permitted, and the remedy."""

from __future__ import annotations

from typing import Final

from pagefault_doctor.model.case import Case, ToolReading
from pagefault_doctor.model.command import Result
from pagefault_doctor.tools.tool import NO_ANSWER, Read, is_refused, remark

__all__ = ("BECOME_ROOT", "answered", "is_refused", "root_remedy")

BECOME_ROOT: Final = "run pfdoctor as root: sudo pfdoctor"
"""The remedy for missing permissions."""


def answered(read: Read) -> Read:
    """Return a reader that reports a command without output as unanswered if it did not run.

    Otherwise a missing program would look like an empty answer.
    """

    def read_answer(result: Result, case: Case) -> ToolReading:
        if result.said_anything or result.status not in NO_ANSWER:
            return read(result, case)
        program = result.command.argv[0] if result.command.argv else "the command"
        return remark(f"{program}: {NO_ANSWER[result.status]}, so nothing is known from it", result)

    return read_answer


def root_remedy(case: Case, otherwise: str) -> str:
    """Return how to get permission: become root, or `otherwise` if the person is root."""
    return otherwise if case.get("host.uid", -1) == 0 else BECOME_ROOT
