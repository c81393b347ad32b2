"""The usual cure of a cause, matched to the very line that faulted."""

from __future__ import annotations

from typing import Final

import msgspec

from pagefault_doctor.model.case import Case
from pagefault_doctor.model.pattern import regex
from pagefault_doctor.model.playbook import Cause

_NAME: Final = r"[A-Za-z_]\w*(?:(?:->|\.)[A-Za-z_]\w*|\[\w+\])*"
_FOLLOWED = (
    regex(rf"({_NAME}?)->"),
    regex(rf"(?:^|[=(,!?:;]|return)\s*\*({_NAME})"),
    regex(rf"({_NAME}?)\["),
)
"""Expressions that a line follows, the surest first."""


class MatchedRemedy(msgspec.Struct, frozen=True):
    """A cure at its line. `place` is `file.c:12`, `code` the line itself.

    `pointer` is what the line follows, and `check` what usually belongs before it; both are empty
    where the line does not show it.
    """

    place: str
    code: str
    pointer: str
    check: str


def matched(case: Case, cause: Cause) -> MatchedRemedy | None:
    """Return the cure of a cause for the line that faulted, None where the line was not seen."""
    place, code = case.get("source.place", ""), case.get("source.code", "")
    if not place or not code:
        return None
    pointer = case.get("user.pointer", "") or followed(code)
    check = cause.remedy.check.replace("{pointer}", pointer) if pointer else ""
    return MatchedRemedy(place, code, pointer, check.rstrip("\n"))


def followed(code: str) -> str:
    """Return the expression that a line of C follows as a pointer, empty where none is seen."""
    found = (match for shape in _FOLLOWED if (match := shape.search(code)))
    return next((match[1] for match in found), "")
