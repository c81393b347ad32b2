"""The usual fix of a cause, matched to the line that faulted."""

from __future__ import annotations

from typing import Final

import msgspec

from pagefault_doctor.model.case import Case
from pagefault_doctor.model.pattern import regex
from pagefault_doctor.model.playbook import Cause

_NAME: Final = r"[A-Za-z_]\w*(?:(?:->|\.)[A-Za-z_]\w*|\[\w+\])*"
_DEREFERENCES = (
    regex(rf"({_NAME}?)->"),
    regex(rf"(?:^|[=(,!?:;]|return)\s*\*({_NAME})"),
    regex(rf"({_NAME}?)\["),
)
"""Dereferences in a line of C, the most certain first."""


class MatchedRemedy(msgspec.Struct, frozen=True):
    """A fix at its line. `place` is `file.c:12`, `code` the line itself.

    `pointer` is the expression that the line dereferences, `check` the code that usually belongs
    before it; both are empty where the line does not show the expression.
    """

    place: str
    code: str
    pointer: str
    check: str


def matched(case: Case, cause: Cause) -> MatchedRemedy | None:
    """Return the fix of a cause for the line that faulted, None where no tool printed the line.

    The line of a check of the kernel, as in lib/list_debug.c, only found the fault.
    """
    place, code = case.get("source.place", ""), case.get("source.code", "")
    if not place or not code:
        return None
    # The first screen of a wizard has no line yet, and does not wait for these tables.
    from pagefault_doctor.diagnosis import source_path

    if source_path.is_of_check(place.rpartition(":")[0]):
        return None
    # The debugger knows which of several pointers in a line it was; the text can only guess.
    pointer = case.get("user.pointer", "") or dereferenced(code)
    check = cause.remedy.check.replace("{pointer}", pointer) if pointer else ""
    return MatchedRemedy(place, code, pointer, check.rstrip("\n"))


def dereferenced(code: str) -> str:
    """Return the expression that a line of C dereferences, empty where there is none."""
    found = (match for shape in _DEREFERENCES if (match := shape.search(code)))
    return next((match[1] for match in found), "")
