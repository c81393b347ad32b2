"""Find the lines of a log that may matter, fast.

A log says the same over and over with other numbers. Without their digits (decimal and hexadecimal)
most lines have been seen before, and a line that has been seen need not be searched again. Where a
log never repeats itself, every line is searched, which takes several times as long.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from pagefault_doctor.klog.needles import NEEDLES

_DIGITS: Final = b"0123456789abcdef"
_MOST: Final = 1 << 22
"""Bytes of shapes that are remembered: they stay in the cache, whatever the log."""
_SHAPES: Final = tuple(dict.fromkeys(needle.translate(None, _DIGITS) for needle in NEEDLES))


class Sieve:
    """Remembers which shapes of lines (lines without digits) hold one of the needles."""

    def __init__(self) -> None:
        self._known: set[bytes] = set()
        self._wanted: set[bytes] = set()
        self._size = 0

    def hits(self, piece: bytes) -> tuple[int, list[tuple[int, int]]]:
        """Return the newlines in a piece, and of each line that may matter number and offset.

        Lines count from 1, offsets from 0.
        """
        shapes = piece.translate(None, _DIGITS).split(b"\n")
        unique = set(shapes)
        if self._size > _MOST:
            self._known, self._wanted, self._size = set(), set(), 0
        if new := unique - self._known:
            self._learn(new)
        if self._wanted.isdisjoint(unique):
            return len(shapes) - 1, []
        return len(shapes) - 1, self._places(piece, shapes)

    def _learn(self, new: set[bytes]) -> None:
        text = b"\n".join(new)
        self._size += len(text)
        self._known |= new
        needles = [needle for needle in _SHAPES if needle in text]
        self._wanted.update(shape for shape in new if _holds(shape, needles))

    def _places(self, piece: bytes, shapes: list[bytes]) -> list[tuple[int, int]]:
        found: list[tuple[int, int]] = []
        place = number = 0
        for index, shape in enumerate(shapes):
            if shape not in self._wanted:
                continue
            while number < index:
                place = piece.index(b"\n", place) + 1
                number += 1
            end = piece.find(b"\n", place)
            if _holds(piece[place : end if end >= 0 else None], NEEDLES):
                found.append((index + 1, place))
        return found


def _holds(line: bytes, needles: Iterable[bytes]) -> bool:
    return any(needle in line for needle in needles)
