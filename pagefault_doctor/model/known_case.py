"""What the book of known cases tells of a report, or of a line of a log."""

from __future__ import annotations

from typing import Final

import msgspec

MOST_LINES: Final = 8
"""Most known lines of one log that are told, those of one entry counted together."""


class KnownCase(msgspec.Struct, frozen=True):
    """An entry of the book that fits (`model/known_entry.py` explains the fields).

    `ignored` is the reason for which the case does not count, empty where it does.
    """

    id: str
    says: str
    do: str = ""
    command: str = ""
    harmless: bool = False
    fixed_in: str = ""
    source: str = ""
    ticket: str = ""
    ignored: str = ""

    @property
    def text(self) -> str:
        """The case in a few sentences: what it is, where it is fixed, what to do, who tracks it."""
        parts = [("harmless: " if self.harmless else "") + _sentence(self.says)]
        if self.fixed_in:
            parts.append(f"Fixed in {_sentence(self.fixed_in)}")
        if self.do:
            parts.append(_sentence(self.do))
        if self.command:
            parts.append(f"Try: {self.command}")
        if self.ticket:
            parts.append(f"Ticket: {self.ticket}")
        if self.ignored:
            parts.append(f"Ignored: {_sentence(self.ignored)}")
        return " ".join(parts)


class KnownLine(msgspec.Struct, frozen=True):
    """The first line that an entry fits, of a log without a report, and how often such came."""

    line: int
    text: str
    count: int
    case: KnownCase


class Seen(msgspec.Struct, frozen=True):
    """How often a signature was met before, and when last (seconds since the epoch)."""

    count: int
    last: float


def _sentence(text: str) -> str:
    text = " ".join(text.split())
    return text if text.endswith((".", "!", "?")) else f"{text}."
