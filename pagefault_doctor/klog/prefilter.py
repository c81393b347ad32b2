"""Find the lines of a log that may matter, fast.

With the library hyperscan (extra `fast`, <https://www.hyperscan.io/>) every needle is searched for
in one pass. Without it, this uses that a log repeats itself with other numbers: without their
digits most lines were seen before, and a shape that was seen need not be searched again. In a log
that hardly repeats itself most lines come from other programs: the words before them show that.
What is left is searched for all needles in one walk, however many they are (`klog/needles.py`).
"""

from __future__ import annotations

import re
from contextlib import suppress
from functools import cache
from itertools import compress, count, filterfalse
from typing import Any, Final

from pagefault_doctor.klog import boots, module_events
from pagefault_doctor.klog.formats import table
from pagefault_doctor.klog.needles import Needles, shape_of

_MOST: Final = 1 << 22
"""Bytes of shapes that are remembered: they stay in the cache, whatever the log."""
_MOST_MATCHES: Final = 1 << 11
"""Matches in a piece beyond which it was made of the words that are looked for."""
_MANY: Final = 1000
"""New shapes in a piece from which on it is worth leaving out the lines of other programs."""
_TIME: Final = rb"(?:<>)?(?:--[T ]::(?:\.?[+-]:?|Z)?|[^\W\d]{1,9}\.? +::\S*) "
_LIKE_A_PROGRAM: Final = re.compile(rb"[^\s:]+ [\w./@()-]+:")
"""What a needle looks like that could be a host and its program, such as `Internal error:`."""


@cache
def _needles(rows: table.Table) -> Needles:
    return Needles((*map(str.encode, rows.needles), *boots.NEEDLES, *module_events.NEEDLES))


def needles() -> tuple[bytes, ...]:
    """Return what every line that may matter holds one of."""
    return _needles(table.TABLE).words


@cache
def _other_program() -> re.Pattern[bytes]:
    """Return how lines of other programs begin (`starts._OTHER_PROGRAM`), without their digits."""
    own = b"|".join(re.escape(shape_of(n)) for n in needles() if _LIKE_A_PROGRAM.match(n))
    host = rb"(?!" + own + rb")[^\s:]+ " if own else rb"[^\s:]+ "
    talking = rb"krnl|usr-krnl|klog|login|systm|rlyoom|rut|uit|rt|pport|init|pro|rkonqi|gnom-sss"
    program = rb"(?!" + talking + rb")[\w./@()-]+(?:\[\])?: [^\r]*\r?$"
    return re.compile(_TIME + host + program)


class Prefilter:
    """Remembers which shapes of lines (lines without digits) hold one of the needles."""

    def __init__(self) -> None:
        self._needles = _needles(table.TABLE)
        self._known: set[bytes] = set()
        self._wanted: dict[bytes, tuple[bytes, ...]] = {}
        self._size = 0

    def hits(self, piece: bytes) -> tuple[int, list[tuple[int, int]]]:
        """Return the newlines in a piece, and of each line that may matter number and offset.

        Lines count from 1, offsets from 0. Lines of other programs may be left out.
        """
        shapes = shape_of(piece).split(b"\n")
        unique = set(shapes)
        if self._size > _MOST:
            self._known, self._wanted, self._size = set(), {}, 0
        if new := unique - self._known:
            self._learn(new)
        if unique.isdisjoint(self._wanted):
            return len(shapes) - 1, []
        return len(shapes) - 1, self._places(piece, shapes)

    def _learn(self, new: set[bytes]) -> None:
        if len(new) > _MANY:
            new = set(filterfalse(_other_program().match, new))
        text = b"\n".join(new)
        self._size += len(text)
        self._known |= new
        self._wanted |= self._needles.lines(text)

    def _places(self, piece: bytes, shapes: list[bytes]) -> list[tuple[int, int]]:
        found: list[tuple[int, int]] = []
        lines = piece.split(b"\n")
        place = number = 0
        for index in compress(count(), map(self._wanted.__contains__, shapes)):
            place += sum(map(len, lines[number:index])) + index - number
            number, line = index, lines[index]
            # The line may have other digits than the needles of its shape.
            if any(map(line.__contains__, self._wanted[shapes[index]])):
                found.append((index + 1, place))
        return found


def hyperscan_filter() -> HyperscanFilter | None:
    """Return the quicker filter, or None where its library is missing or does not run here.

    A wheel that was built for another machine fails in ways of its own, at its import or later.
    """
    with suppress(Exception):
        quick = HyperscanFilter()
        if quick.hits(b"a\n" + needles()[0]) == (1, [(2, 2)]):
            return quick
    return None


class HyperscanFilter:
    """Finds the lines of a piece that hold one of the needles."""

    def __init__(self) -> None:
        import hyperscan

        words = needles()
        self._terminated: type[Exception] = hyperscan.ScanTerminated
        self._plain = Prefilter()
        self._base: Any = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
        self._base.compile(
            expressions=[re.escape(word) for word in words],
            ids=list(range(len(words))),
            elements=len(words),
            flags=[0] * len(words),
        )

    def hits(self, piece: bytes) -> tuple[int, list[tuple[int, int]]]:
        """Return the newlines in a piece, and of each line that may matter number and offset.

        Lines count from 1, offsets from 0.
        """
        ends: list[int] = []

        def see(_id: int, _from: int, to: int, *_: object) -> bool:
            ends.append(to)
            return len(ends) > _MOST_MATCHES

        try:
            self._base.scan(piece, match_event_handler=see)
        except self._terminated:
            # Each match costs a call; the other filter does not mind how many there are.
            return self._plain.hits(piece)
        found: list[tuple[int, int]] = []
        number, place, line_end = 1, 0, -1
        for end in sorted(ends):
            if end <= line_end:
                continue
            start = piece.rfind(b"\n", place, end - 1) + 1 or place
            line_end = piece.find(b"\n", end)
            line_end = line_end if line_end >= 0 else len(piece)
            number += piece.count(b"\n", place, start)
            place = start
            found.append((number, start))
        return number - 1 + piece.count(b"\n", place), found
