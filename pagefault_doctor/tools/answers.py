"""Whether a command answered at all, whether the host said no, and what to do then."""

from __future__ import annotations

import re
from typing import Final

from pagefault_doctor.model.case import Case, Reading
from pagefault_doctor.model.command import Result, ResultStatus
from pagefault_doctor.model.fact import Mark
from pagefault_doctor.model.pattern import regex
from pagefault_doctor.tools.tool import Read, finding

_REFUSED = regex(
    r"operation not permitted|permission denied|read kernel buffer failed"
    r"|access denied|insufficient permissions",
    re.IGNORECASE,
)

_NO_ANSWER: Final = {
    ResultStatus.MISSING: "not installed",
    ResultStatus.REFUSED: "could not be started",
    ResultStatus.TIMEOUT: "did not answer in time",
    ResultStatus.CANCELLED: "was cancelled",
    ResultStatus.LOST: "the connection was lost",
}

BECOME_ROOT: Final = "run pfdoctor as root: sudo pfdoctor"


def is_refused(result: Result) -> bool:
    """Return whether a program ran and got nothing, because it was not permitted."""
    ran = result.status not in _NO_ANSWER
    return ran and not result.said_anything and _REFUSED.search(result.errors) is not None


def answered(read: Read) -> Read:
    """Return a reader that takes silence for an answer only where the program really ran."""

    def read_answer(result: Result, case: Case) -> Reading:
        if result.said_anything or result.status not in _NO_ANSWER:
            return read(result, case)
        program = result.command.argv[0] if result.command.argv else "the command"
        text = f"{program}: {_NO_ANSWER[result.status]}, so nothing is known from it"
        return Reading(findings=(finding(text, Mark.NEUTRAL, result),))

    return read_answer


def root_remedy(case: Case, otherwise: str) -> str:
    """Return how to get permission: by being root, or `otherwise` where the person is root."""
    return otherwise if case.get("host.uid", -1) == 0 else BECOME_ROOT
