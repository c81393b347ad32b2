"""Who is to blame for a report, and why."""

from __future__ import annotations

from typing import Final

import msgspec

from pagefault_doctor.model.diagnosis import Attribution, Evidence
from pagefault_doctor.model.pattern import regex

BEHIND_NAME: Final = regex(r"\[([\w-]+)\]\s*$")
"""The module behind the name of a function."""


class Culprit(msgspec.Struct, frozen=True):
    """Who is to blame, with a sentence why; `share` is how likely that is, given the cause."""

    attribution: Attribution
    module: str | None
    because: Evidence
    share: float = 1.0


def blame(name: str | None, text: str, line: int) -> Culprit:
    """Return that a module is to blame, or a module that cannot be named, as a line shows."""
    return Culprit(Attribution.MODULE, name, Evidence(text, 0.0, line))
