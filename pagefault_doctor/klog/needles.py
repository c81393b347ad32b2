"""Search lines for hundreds of words in one walk, however many words there are.

All of it is about shapes: texts without their digits. A text is walked in words of four bytes.
What has seven bytes or more holds a whole such word, wherever in the text it begins: the one at its
byte 0, 1, 2 or 3. So one look into a dictionary for each word of the text finds the few places
where a needle may be. Shorter needles are searched for one by one, if the text has their rare
bytes in their order.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterator
from itertools import chain, compress, count
from typing import Final

_DIGITS: Final = b"0123456789abcdef"
_STEP: Final = array("I").itemsize
_LAST: Final = _STEP - 1
_LONG: Final = _STEP + _LAST
"""Bytes of a text from which on it holds a whole word, wherever it begins."""
_COMMON: Final = b" .:ghiklmnoprstuvwxyz"
"""Bytes that ordinary lines are made of, as far as shapes have them."""
_FREQUENT: Final = b" .:ilnorst"
"""The most frequent of them."""
_RARITY: Final = bytes(byte not in _FREQUENT for byte in range(256))
"""One for each byte that is not, for `bytes.translate`."""


def shape_of(text: bytes) -> bytes:
    """Return a text without its digits, those of hexadecimal numbers too."""
    return text.translate(None, _DIGITS)


def _rare(text: bytes) -> bytes:
    return text.translate(None, _COMMON)


class Needles:
    """Words that lines are searched for."""

    def __init__(self, words: tuple[bytes, ...]) -> None:
        self.words = words
        self._of_shape: dict[bytes, tuple[bytes, ...]] = {}
        for needle in words:
            shape = shape_of(needle)
            self._of_shape[shape] = (*self._of_shape.get(shape, ()), needle)
        self._short = [(_rare(shape), shape) for shape in self._of_shape if len(shape) < _LONG]
        self._long: dict[int, list[tuple[int, bytes]]] = {}
        for shape in self._of_shape:
            for word, offset in _signs(shape) if len(shape) >= _LONG else ():
                self._long.setdefault(word, []).append((offset, shape))

    def lines(self, text: bytes) -> dict[bytes, tuple[bytes, ...]]:
        """Return the lines of a text of shapes that hold the shape of a needle.

        With each stand the needles of all such shapes.
        """
        rare = _rare(text)
        short = [shape for sign, shape in self._short if sign in rare and shape in text]
        found: dict[bytes, set[bytes]] = {}
        for line, held in chain(self._with_long(text), *(_with(shape, text) for shape in short)):
            found.setdefault(line, set()).update(held)
        return {
            line: tuple(chain.from_iterable(map(self._of_shape.__getitem__, held)))
            for line, held in found.items()
        }

    def _with_long(self, text: bytes) -> Iterator[tuple[bytes, set[bytes]]]:
        """Yield the lines that hold long shapes, with each those that it holds."""
        words = array("I", text[: len(text) // _STEP * _STEP])
        start, end, held = 0, -1, set[bytes]()
        for index in compress(count(), map(self._long.__contains__, words)):
            place = index * _STEP
            if place > end and held:
                yield text[start:end], held
                held = set()
            for offset, shape in self._long[words[index]]:
                if shape in held or offset > place or not text.startswith(shape, place - offset):
                    continue
                if not held:
                    start, end = _line(text, place)
                held.add(shape)
        if held:
            yield text[start:end], held


def _with(shape: bytes, text: bytes) -> Iterator[tuple[bytes, tuple[bytes]]]:
    """Yield the lines that hold a shape."""
    place = text.find(shape)
    while place >= 0:
        start, end = _line(text, place)
        yield text[start:end], (shape,)
        place = text.find(shape, end)


def _line(text: bytes, place: int) -> tuple[int, int]:
    """Return where the line around a place begins and ends."""
    end = text.find(b"\n", place)
    return text.rfind(b"\n", 0, place) + 1, end if end >= 0 else len(text)


def _signs(shape: bytes) -> Iterator[tuple[int, int]]:
    """Yield for each way in which a text's words may lie on a shape the rarest word, and where."""
    rare = shape.translate(_RARITY)
    rareness = [*map(sum, zip(*(rare[n:] for n in range(_STEP)), strict=False))]
    for first in range(_STEP):
        offset = max(range(first, len(rareness), _STEP), key=rareness.__getitem__)
        yield int.from_bytes(shape[offset : offset + _STEP], sys.byteorder), offset
