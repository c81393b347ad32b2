"""Find the lines of a log that may matter, fast.

With the library hyperscan (extra `fast`, <https://www.hyperscan.io/>) every needle is searched for
in one pass. Without it, this uses that a log repeats itself with other numbers: without their
digits most lines were seen before, and a shape that was seen need not be searched again. In a log
that hardly repeats itself most lines come from other programs: the words before them show that,
and only what is left is searched for what the needles have in common.
"""

from __future__ import annotations

import re
from contextlib import suppress
from functools import cache
from itertools import filterfalse
from typing import Any, Final

from pagefault_doctor.klog import boots, module_events
from pagefault_doctor.klog.formats import table

COMMON: Final = (
    b"module", b"error", b"panic", b"memory", b"version ", b"stack", b"list_", b" symbol", b"trap",
    b"tection", b"alloc", b"nhandle", b"-- ", b"imeout", b"ontroller", b"rocess", b"firmware",
    b"hardware",
)  # fmt: skip
"""What several needles have in common, chosen for speed: needles without it are found as well."""


_DIGITS: Final = b"0123456789abcdef"
_MOST: Final = 1 << 22
"""Bytes of shapes that are remembered: they stay in the cache, whatever the log."""
_MOST_MATCHES: Final = 1 << 11
"""Matches in a piece beyond which it was made of the words that are looked for."""
_MANY: Final = 1000
"""New shapes in a piece from which on it is worth leaving out the lines of other programs."""
_QUIET: Final = bytes(x for x in range(256) if not (65 <= x <= 90 or x == 10))
_TIME: Final = rb"(?:<>)?(?:--[T ]::(?:\.?[+-]:?|Z)?|[^\W\d]{1,9}\.? +::\S*) "
_LIKE_A_PROGRAM: Final = re.compile(rb"[^\s:]+ [\w./@()-]+:")
"""What a needle looks like that could be a host and its program, such as `Internal error:`."""


def _shape(text: bytes) -> bytes:
    return text.translate(None, _DIGITS)


def _capitals(text: bytes) -> bytes:
    return text.translate(None, _QUIET)


class _Needles:
    """What lines that may matter hold one of, and its shapes, in groups that are soon ruled out."""

    def __init__(self, rows: table.Table) -> None:
        starts = map(str.encode, rows.needles)
        self.words = words = (*starts, *boots.NEEDLES, *module_events.NEEDLES)
        # Little of a text is capitals, so needles with several of them are soon looked for.
        self.loud = [(loud, _shape(w)) for w in words if len(loud := _capitals(w)) > 2]
        self.common = [(_shape(c), [_shape(w) for w in words if c in w]) for c in COMMON]
        self.common += [
            (_shape(w), [_shape(w)])
            for w in words
            if len(_capitals(w)) < 3 and not any(c in w for c in COMMON)
        ]

    def held(self, text: bytes) -> list[bytes]:
        """Return the shapes of needles that a text of shapes holds."""
        capitals = _capitals(text)
        shapes = [shape for loud, shape in self.loud if loud in capitals]
        shapes += [shape for word, each in self.common if word in text for shape in each]
        return [shape for shape in shapes if shape in text]


_needles = cache(_Needles)


def needles() -> tuple[bytes, ...]:
    """Return what every line that may matter holds one of."""
    return _needles(table.TABLE).words


@cache
def _other_program() -> re.Pattern[bytes]:
    """Return how lines of other programs begin (`starts._OTHER_PROGRAM`), without their digits."""
    own = b"|".join(re.escape(_shape(n)) for n in needles() if _LIKE_A_PROGRAM.match(n))
    host = rb"(?!" + own + rb")[^\s:]+ " if own else rb"[^\s:]+ "
    program = rb"(?!krnl|usr-krnl|klog|login|systm|rlyoom|rut|uit)[\w./@()-]+(?:\[\])?: [^\r]*\r?$"
    return re.compile(_TIME + host + program)


class Prefilter:
    """Remembers which shapes of lines (lines without digits) hold one of the needles."""

    def __init__(self) -> None:
        self._needles = _needles(table.TABLE)
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
            new = set(filterfalse(_other_program().match, new))
        text = b"\n".join(new)
        self._size += len(text)
        self._known |= new
        for needle in self._needles.held(text):
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
            line = piece[place : end if end >= 0 else None]
            if any(needle in line for needle in self._needles.words):
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
