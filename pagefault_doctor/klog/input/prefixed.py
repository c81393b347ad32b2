"""What somebody put before every line: a listing, a mark of quotation or comment, a file's name.

It is learned from the lines: what they have in common, numbers aside, and behind which lines of a
report begin that do not begin before it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from pagefault_doctor.klog.input.report_lines import CLOCK, START
from pagefault_doctor.klog.input.whole_lines import whole_lines
from pagefault_doctor.klog.line import split
from pagefault_doctor.model.pattern import regex

_MOST_LINES: Final = 60
_FEWEST: Final = 3
_MARKS: Final = regex(
    rb"(?:(?:[-+*#|>]|//|--| {0,6}\d{1,6} ?[.:|)]|\[\d\d:\d\d(?::\d\d)?\]"
    rb"|<[a-z][\w-]{0,31}>) {1,4}){1,4}"
)
"""What lists, comments, listings and chats put before a line."""
_FEW: Final = 1 / 4
_ENOUGH: Final = 1 / 3
"""Which part of the lines begin as those of a report do: less before the prefix, more behind it."""
_MOST: Final = 1 / 2
_LONGEST: Final = 120
"""Characters of what is put before a line."""
_NUMBER: Final = regex(rb"[ \d]*\d")
_STAMPED: Final = regex(
    CLOCK + rb"|(?:[A-Z][a-z]{2} +\d{1,2}|\d{4}-\d\d-\d\d)[T ]\d\d:\d\d:\d\d\S{0,20} (?:\S+ )?\S+: "
)
"""A clock, or a date with a host and a program."""


def prefix_of(head: bytes) -> re.Pattern[bytes] | None:
    """Return an expression for what stands before nearly every line, None where nothing does."""
    lines = [line for line in head.split(b"\n", _MOST_LINES)[:_MOST_LINES] if line.strip()]
    # Most logs are known by their first line.
    if not lines or any(map(_is_known, lines[:_FEWEST])):
        return None
    if _share_bare(lines, _STAMPED) > _MOST or _share_bare(lines, START) > _FEW:
        return None
    return _learned(lines) or (_MARKS if all(map(_MARKS.match, lines)) else None)


def _is_known(line: bytes) -> bool:
    """Whether a line has a prefix that is read with the line (`klog.line`)."""
    found = split(line[:_LONGEST].decode("latin-1"))
    return found.wall is not None or found.timestamp is not None or found.dropped > 0


def _learned(lines: Sequence[bytes]) -> re.Pattern[bytes] | None:
    shape = _common(lines) if len(lines) > 1 else b""
    best, most = b"", _ENOUGH
    for length in range(len(shape) + 1):
        prefix = shape[:length]
        if _share(lines, prefix, _STAMPED) > _MOST:
            # What is behind this is read as the kernel's or another program's (`klog.line`).
            return _expression(prefix)
        if (share := _share(lines, prefix)) >= most:
            best, most = prefix, share
    return _expression(best) if best else None


def without(pieces: Iterable[bytes], prefix: re.Pattern[bytes]) -> Iterator[bytes]:
    """Yield the lines without it; those that have none stay as they are."""
    for line in whole_lines(pieces):
        yield prefix.sub(b"", line, count=1)


def _common(lines: Sequence[bytes]) -> bytes:
    """Return what the lines begin with, a zero for each number; a few may differ."""
    shapes = sorted(_NUMBER.sub(b"0", line[:_LONGEST]) for line in lines)
    few = min(len(shapes) // 10, 8) or int(len(shapes) > 4)
    one, other = shapes[few], shapes[-1 - few]
    differ = (n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b)
    return one[: next(differ, len(one))]


def _expression(shape: bytes) -> re.Pattern[bytes]:
    return re.compile(rb"^" + re.escape(shape).replace(b"0", rb"[ \d]{0,12}\d"))


def _share_bare(lines: Sequence[bytes], sought: re.Pattern[bytes]) -> float:
    """Return the part of the lines that begin so."""
    return sum(map(bool, map(sought.match, lines))) / len(lines)


def _share(lines: Sequence[bytes], shape: bytes, sought: re.Pattern[bytes] = START) -> float:
    """Return the part of the lines of which such a line begins behind a prefix."""
    prefix = _expression(shape)
    places = ((line, m.end()) for line in lines if (m := prefix.match(line)))
    begun = (
        sought.match(line, place) is not None and not line[place - 1 : place].isalpha()
        for line, place in places
    )
    return sum(begun) / len(lines)
