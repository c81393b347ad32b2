"""Rows of text with a meaning, their layout in lines of a given width, and the glyphs in them."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import Final, NamedTuple

import msgspec

from pagefault_doctor.model.fact import Mark
from pagefault_doctor.model.playbook import StepStatus
from pagefault_doctor.tui.safe_text import cells, chop, plain

_LEAST: Final = 24
"""Cells a row must have beside what stands at its right; else that goes below it."""


class Tone(StrEnum):
    """How a row looks. It only repeats what the words and marks say."""

    PLAIN = "plain"
    TITLE = "title"
    DIM = "dim"
    BAD = "bad"
    GOOD = "good"
    WARN = "warn"


class Row(msgspec.Struct, frozen=True):
    """One piece of text, wrapped as need be.

    `right` stands at the right edge of its first line. `hang` is the indent of the lines after the
    first. A `verbatim` row is cut at the edge, not between words. `ref` is what the row stands
    for, for the cursor; None where there is nothing to select.
    """

    left: str = ""
    right: str = ""
    tone: Tone = Tone.PLAIN
    hang: int = 0
    verbatim: bool = False
    ref: object = None


class ScreenLine(NamedTuple):
    """One line on the screen: harmless text, where it is dimmed from, and the row it is of."""

    left: str
    right: str
    tone: Tone
    row: int


def layout(rows: Iterable[Row], width: int) -> list[ScreenLine]:
    """Return the rows as lines of at most `width` cells, with everything in them made harmless."""
    return [line for number, row in enumerate(rows) for line in _lines(row, number, width)]


def _lines(row: Row, number: int, width: int) -> Iterator[ScreenLine]:
    left, right = plain(row.left), plain(row.right)
    beside = bool(right) and width - cells(right) - 2 >= _LEAST
    room = max(width - (cells(right) + 2 if beside else 0), 8)
    for nth, piece in enumerate(_wrap(left, room, row.hang, row.verbatim)):
        yield ScreenLine(piece, right if beside and nth == 0 else "", row.tone, number)
    if right and not beside:
        for piece in _wrap(" " * row.hang + right, max(width, 8), row.hang, row.verbatim):
            yield ScreenLine(piece, "", Tone.DIM, number)


def _wrap(text: str, width: int, hang: int, verbatim: bool) -> list[str]:
    if cells(text) <= width:
        return [text]
    spaces = " " * min(hang, width // 2)
    if text.isascii() and not verbatim:
        return textwrap.wrap(text, width, subsequent_indent=spaces, break_on_hyphens=False)
    first, *rest = chop(text, width)
    return [first, *(spaces + piece for piece in chop("".join(rest), width - len(spaces)))]


class Glyphs(msgspec.Struct, frozen=True):
    """Signs that differ between terminals."""

    rule: str
    ascii_only: bool


UNICODE: Final = Glyphs("\u2500", False)
ASCII: Final = Glyphs("-", True)

STATUS_MARKS: Final = {
    StepStatus.TODO: " ",
    StepStatus.RUNNING: ">",
    StepStatus.DONE: "v",
    StepStatus.ATTENTION: "!",
    StepStatus.BLOCKED: "#",
    StepStatus.SKIPPED: "/",
    StepStatus.FAILED: "x",
}

STATUS_WORDS: Final = {
    StepStatus.TODO: "to do",
    StepStatus.RUNNING: "under way",
    StepStatus.DONE: "done",
    StepStatus.ATTENTION: "needs attention",
    StepStatus.BLOCKED: "blocked",
    StepStatus.SKIPPED: "skipped",
    StepStatus.FAILED: "failed",
}

FINDING_MARKS: Final = {Mark.BAD: "!", Mark.GOOD: "v", Mark.NEUTRAL: "-"}
