"""Find the lines of a log that may matter, fast.

A log says the same over and over with other numbers. Without their digits (decimal and hexadecimal)
most lines have been seen before, and the shape of a line that has been seen need not be searched
again. Where a log hardly repeats itself, it mostly is other programs that speak: their lines are
told by what stands before them. What then is left is searched for what needles have in common.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import filterfalse
from typing import Final

from pagefault_doctor.klog.needles import COMMON, NEEDLES
from pagefault_doctor.model.pattern import regex

_DIGITS: Final = b"0123456789abcdef"
_MOST: Final = 1 << 22
"""Bytes of shapes that are remembered: they stay in the cache, whatever the log."""
_MANY: Final = 1000
"""New shapes in a piece from which on it is worth telling other programs' lines apart."""
_QUIET: Final = bytes(x for x in range(256) if not (65 <= x <= 90 or x == 10))
_OTHER_PROGRAM: Final = regex(
    rb"(?:<>)?(?:--[T ]::(?:\.?[+-]:?|Z)?|[^\W\d]{1,9}\.? +::\S*) [^\s:]+ "
    rb"(?!krnl|usr-krnl|klog|login)[\w./@()-]+(?:\[\])?: [^\r]*\r?$"
)
"""The lines of other programs (`starts._OTHER_PROGRAM`), without their digits."""


def _shape(text: bytes) -> bytes:
    return text.translate(None, _DIGITS)


def _capitals(text: bytes) -> bytes:
    return text.translate(None, _QUIET)


_LOUD: Final = tuple(
    (capitals, _shape(needle)) for needle in NEEDLES if len(capitals := _capitals(needle)) > 2
)
"""Needles with several capitals: little is left of a text to search for those alone."""
_WORDS: Final = tuple(
    (_shape(word), tuple(_shape(needle) for needle in NEEDLES if word in needle)) for word in COMMON
) + tuple(
    (_shape(needle), (_shape(needle),))
    for needle in NEEDLES
    if len(_capitals(needle)) < 3 and not any(word in needle for word in COMMON)
)


class Sieve:
    """Remembers which shapes of lines (lines without digits) hold one of the needles."""

    def __init__(self) -> None:
        self._known: set[bytes] = set()
        self._wanted: set[bytes] = set()
        self._size = 0

    def hits(self, piece: bytes) -> tuple[int, list[tuple[int, int]]]:
        """Return the newlines in a piece, and of each line that may matter number and offset.

        Lines count from 1, offsets from 0. Lines of other programs may be left out.
        """
        shapes = _shape(piece).split(b"\n")
        unique = set(shapes)
        if self._size > _MOST:
            self._known, self._wanted, self._size = set(), set(), 0
        if new := unique - self._known:
            self._learn(new)
        if self._wanted.isdisjoint(unique):
            return len(shapes) - 1, []
        return len(shapes) - 1, self._places(piece, shapes)

    def _learn(self, new: set[bytes]) -> None:
        if len(new) > _MANY:
            new = set(filterfalse(_OTHER_PROGRAM.match, new))
        text = b"\n".join(new)
        self._size += len(text)
        self._known |= new
        for needle in _held(text):
            self._wanted.update([shape for shape in new if needle in shape])

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


def _held(text: bytes) -> list[bytes]:
    """Return the shapes of needles that a text of shapes holds."""
    capitals = _capitals(text)
    needles = [needle for loud, needle in _LOUD if loud in capitals]
    needles += [needle for word, needles in _WORDS if word in text for needle in needles]
    return [needle for needle in needles if needle in text]


def _holds(line: bytes, needles: Iterable[bytes]) -> bool:
    return any(needle in line for needle in needles)
