"""A log as bytes, read by line where something was found, and one report's lines as text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Final

import msgspec

from pagefault_doctor.klog.input.input_file import FileBytes
from pagefault_doctor.klog.line import LogLine, lines_of, split

CHUNK: Final = 1 << 19
"""How much is searched at once: large enough for speed, small enough to stay in the cache."""

LONGEST: Final = 1 << 13
"""Bytes of a line that are read; printk itself stops at 1024 (`LOG_LINE_MAX`), lists go on."""


class Piece(msgspec.Struct, frozen=True):
    """A part of a log that ends with a line, from the place `begin` to the place `end`.

    A line longer than a piece goes on in the next one, which then is not `whole` at its beginning,
    unless only zeros of the line have been before.
    """

    begin: int
    end: int
    text: bytes
    whole: bool


def pieces(data: bytes | FileBytes) -> Iterator[Piece]:
    """Yield the log in pieces that end with a line, as far as lines are not too long."""
    start, whole = 0, True
    while text := data[start : start + CHUNK + LONGEST]:
        if len(text) > CHUNK:
            text = text[: text.find(b"\n", CHUNK - 1) + 1 or CHUNK]
        yield Piece(start, start + len(text), text, whole)
        whole = text.endswith((b"\n", b"\0"))
        start += len(text)


def after_zeros(data: bytes | FileBytes, place: int) -> int:
    """Return the first place from this one on that holds no zero; the size where there is none.

    A crash leaves zeros where a log was being written, and so does logrotate's copytruncate.
    """
    while piece := data[place : place + CHUNK]:
        if text := piece.lstrip(b"\0"):
            return place + len(piece) - len(text)
        place += len(piece)
    return place


class Lines:
    """The lines of a log, read from any place where one begins.

    `overwritten` is set by who finds another line where one was read before.
    """

    def __init__(self, data: bytes | FileBytes) -> None:
        self.data = data
        self.overwritten = False

    def start_of(self, place: int) -> int:
        """Return where the line around a place begins."""
        return self.data.rfind(b"\n", max(0, place - LONGEST), place) + 1 or max(0, place - LONGEST)

    def at(self, place: int, number: int) -> tuple[LogLine, int]:
        """Return the line that begins at a place, and where the next one begins."""
        end = self._end_of(place)
        raw = self.data[place : min(end, place + LONGEST)]
        if raw.startswith(b"\0"):
            place = after_zeros(self.data, place)
            raw = self.data[place : min(end, place + LONGEST)]
        return split(raw.decode("utf-8", "replace"), number), end + 1

    def _end_of(self, place: int) -> int:
        """Return where the line ends; a very long one is not kept in memory meanwhile."""
        size, step = len(self.data), LONGEST
        while place < size:
            found = self.data.find(b"\n", place, place + step)
            if found >= 0:
                return found
            place += step
            step = CHUNK
        return size

    def ends_with(self, words: bytes) -> bool:
        """Whether the words stand among the last bytes of the log."""
        return self.data.find(words, max(0, len(self.data) - CHUNK)) >= 0

    def after(self, place: int, number: int) -> Iterator[LogLine]:
        """Return an iterator over the lines from a place on, the first of which has the number."""
        return chain.from_iterable(self._blocks(place, number))

    def _blocks(self, place: int, number: int) -> Iterator[list[LogLine]]:
        size = len(self.data)
        while place < size:
            block = self.data[place : place + LONGEST]
            if not block:
                return
            whole = block[: block.rfind(b"\n") + 1]
            if whole:
                lines = lines_of(whole[:-1].decode("utf-8", "replace"), number)
                place += len(whole)
            else:
                line, place = self.at(place, number)
                lines = [line]
            number += len(lines)
            yield lines

    def before(self, place: int, number: int, limit: int) -> list[LogLine]:
        """Return up to `limit` lines that stand before the line of that place and number."""
        found: list[LogLine] = []
        while place > 0 and number > 1 and len(found) < limit:
            place = self.start_of(place - 1)
            number -= 1
            found.append(self.at(place, number)[0])
        return found[::-1]


class ReportText:
    """Lines and their text as one: what few lines hold is looked for once, in all of them.

    Of a call trace, which makes up half of most reports, the `text` has empty lines: names of
    functions are no messages.
    """

    def __init__(self, lines: Sequence[LogLine]) -> None:
        self.lines = lines
        self.text = "\n".join(["" if line.frame else line.text for line in lines])
        self._heads: dict[int, ReportText] = {}

    def places(self, *words: str) -> list[int]:
        """Return the indexes of the lines of `text` that hold one of the words, in order."""
        text = self.text
        present = [word for word in words if word in text]
        if not present:
            return []
        found: set[int] = set()
        for word in present:
            index = done = 0
            while (place := text.find(word, done)) >= 0:
                index += text.count("\n", done, place)
                found.add(index)
                done = text.find("\n", place) + 1
                if not done:
                    break
                index += 1
        return sorted(found)

    def holding(self, *words: str) -> list[LogLine]:
        """Return the lines of `text` that hold one of the words, in order."""
        return [self.lines[index] for index in self.places(*words)]

    def head(self, most: int) -> ReportText:
        """Return the first lines."""
        if len(self.lines) <= most:
            return self
        if most not in self._heads:
            self._heads[most] = ReportText(self.lines[:most])
        return self._heads[most]
