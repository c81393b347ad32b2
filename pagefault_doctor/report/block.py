"""Blocks of text: a report before it is rendered as plain text, Markdown or HTML.

One outline and three renderers, so that the formats cannot differ in what they contain.
"""

from __future__ import annotations

import msgspec

from pagefault_doctor.model.diagnosis import Candidate
from pagefault_doctor.model.untrusted import clean, clean_line


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


def one_line(text: str) -> str:
    """Return the text on one harmless line, with blanks where it has newlines."""
    return clean_line(text.replace("\n", " ")) if "\n" in text else clean_line(text)


def harmless(block: Block) -> Block:
    """Return the block without control and bidi characters, each text but a Verbatim on one line.

    A newline in a name or a finding must not begin a line that looks like pfdoctor's own, or that
    Markdown reads as another block.
    """
    match block:
        case Heading(text=text, level=level):
            return Heading(one_line(text), level)
        case Paragraph(text=text):
            return Paragraph(one_line(text))
        case Items(items=items):
            return Items(tuple(map(one_line, items)))
        case Verbatim(text=text):
            return Verbatim(clean(text))


def describe(candidate: Candidate) -> str:
    """Return a candidate in one phrase: confidence, cause, and who has to act."""
    blame = f"{candidate.attribution} {candidate.module or ''}".rstrip()
    # Hardware would appear twice, as the cause and as the attribution.
    if blame == candidate.root_cause:
        return f"{candidate.confidence:.0%} {blame}"
    return f"{candidate.confidence:.0%} {candidate.root_cause}, {blame}"
