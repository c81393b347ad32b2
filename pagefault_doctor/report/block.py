"""Blocks of text: a report before it is rendered as plain text, Markdown or HTML.

One outline and three renderers, so that the formats cannot differ in what they contain.
"""

from __future__ import annotations

import msgspec

from pagefault_doctor.model.diagnosis import Candidate


class Heading(msgspec.Struct, frozen=True):
    """A heading; level 1 is the title."""

    text: str
    level: int = 2


class Paragraph(msgspec.Struct, frozen=True):
    """Running text."""

    text: str


class Items(msgspec.Struct, frozen=True):
    """A list, one item a line."""

    items: tuple[str, ...]


class Verbatim(msgspec.Struct, frozen=True):
    """Text that is not reflowed: a command, its output, lines of a log."""

    text: str


Block = Heading | Paragraph | Items | Verbatim


def describe(candidate: Candidate) -> str:
    """Return a candidate in one phrase: confidence, cause, and who has to act."""
    blame = f"{candidate.attribution} {candidate.module or ''}".rstrip()
    # Hardware would appear twice, as the cause and as the attribution.
    if blame == candidate.root_cause:
        return f"{candidate.confidence:.0%} {blame}"
    return f"{candidate.confidence:.0%} {candidate.root_cause}, {blame}"
