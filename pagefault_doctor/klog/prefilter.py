"""Find the lines of a log that may matter, fast.

With the library hyperscan (extra `fast`, <https://www.hyperscan.io/>) every needle is searched for
in one pass. Without it, this uses that a log repeats itself with other numbers: without their
digits most lines were seen before, and a shape that was seen need not be searched again. In a log
that hardly repeats itself most lines come from other programs: the words before them show that,
and only what is left is searched for what the needles have in common.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress
from itertools import filterfalse
from typing import Any, Final

from pagefault_doctor.klog import boots, module_events, starts
from pagefault_doctor.model.pattern import regex

NEEDLES: Final = (
    b"BUG", b"WARNING:", b"INFO:", b"Unable to handle kernel", b"general protection fault",
    b"stack segment: ", b"Kernel panic", b"PANIC: double fault", b"rust_kernel: panicked",
    b"divide error:", b"divide_error:", b"invalid opcode:", b"int3:", b"UBSAN:",
    b"Booting the kernel.", b"unregister_netdevice: waiting", b"VFS: Close", b"VFS: Busy",
    b"Internal error:", b"Alignment trap:", b"trusty: panic", b"fatal error:",
    b"SYZFA", b"panic:", b"unreferenced object", b"hard LOCKUP",
    b"from APEI", b"SError Interrupt", b"Bad mode in", b"kthread starved", b"kthread timer wakeup",
    b"Insufficient stack",
    b"list_add ", b"list_del ", b"stack overflow (", b"Corrupted page table",
    b"control protection", b"Kernel attempted to", b"Kernel memory ", b": detected ",
    b"detected buffer over", b"double free detected", b"AER: ", b"EDAC ",
    b"Memory failure: 0x", b"NMI: ", b"refcount_t: ", b"segfault ", b"traps: ",
    b"oom-killer: ", b"ut of memory: Kill", b"ut of memory (",
    *starts.NEEDLES,
    *boots.NEEDLES,
    *module_events.NEEDLES,
)  # fmt: skip

COMMON: Final = (
    b"module", b"error", b"panic", b"memory", b"version ", b"stack", b"list_", b" symbol", b"trap",
    b"tection", b"alloc", b"nhandle", b"-- ",
)  # fmt: skip
"""What several needles have in common: a text without it holds none of those."""


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


class Prefilter:
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


def quick_sieve() -> HyperscanFilter | None:
    """Return a sieve, or None where the library is not installed or does not run on this CPU.

    A wheel that was built for another machine fails in ways of its own, at its import or later.
    """
    with suppress(Exception):
        sieve = HyperscanFilter()
        if sieve.hits(b"a\n" + NEEDLES[0]) == (1, [(2, 2)]):
            return sieve
    return None


class HyperscanFilter:
    """Finds the lines of a piece that hold one of the needles."""

    def __init__(self) -> None:
        import hyperscan

        self._base: Any = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
        self._base.compile(
            expressions=[re.escape(needle) for needle in NEEDLES],
            ids=list(range(len(NEEDLES))),
            elements=len(NEEDLES),
            flags=[0] * len(NEEDLES),
        )

    def hits(self, piece: bytes) -> tuple[int, list[tuple[int, int]]]:
        """Return the newlines in a piece, and of each line that may matter number and offset.

        Lines count from 1, offsets from 0.
        """
        ends: list[int] = []
        self._base.scan(piece, match_event_handler=lambda _id, _from, to, *_: ends.append(to))
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
