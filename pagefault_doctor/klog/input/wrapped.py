"""Lines that a mail program or a terminal broke, because they were too long for it.

A mail program breaks between words (RFC 3676 asks for 78 characters at most), a terminal in the
middle of them. What was broken off has no time of its own, and would not have fit.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

_QUOTE: Final = re.compile(rb"(?:> ?)*")
_TIMED: Final = re.compile(
    rb"(?:<\d{1,3}>)?(?:\[ *\d{1,9}\.\d{3,9}\]|[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d "
    rb"|\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d)"
)
_NARROW: Final = range(60, 133)
"""Widths at which text is broken."""
_FEWEST: Final = 3
_MOST: Final = 4 / 5
_SLACK: Final = 5
"""Characters by which some programs break earlier."""


class Wrap(msgspec.Struct, frozen=True):
    """How lines were broken: at how many characters at most, between words or within them."""

    width: int
    within_words: bool

    def could_break(self, line: bytes, rest: bytes) -> bool:
        """Whether the second line would not have fit behind the first."""
        if self.within_words:
            return len(line) == self.width
        words = _bare(rest).split(None, 1)
        return bool(words) and len(line) + 1 + len(words[0]) > self.width - _SLACK

    def joined(self, line: bytes, rest: bytes) -> bytes:
        """Return the line with what was broken off it."""
        return line + (b"" if self.within_words else b" ") + _bare(rest)


def wrap_of(head: bytes) -> Wrap | None:
    """Return how the lines of a log were broken, by its beginning; None where they were not."""
    lines = head.replace(b"\r", b"").split(b"\n")
    width = max(map(len, lines), default=0)
    if width not in _NARROW:
        return None
    pairs = [(lines[n - 1], lines[n]) for n in _rests(lines)]
    for wrap in (Wrap(width, within_words=True), Wrap(width, within_words=False)):
        broken = sum(wrap.could_break(line, rest) for line, rest in pairs)
        if broken >= _FEWEST and broken >= _MOST * len(pairs):
            return wrap
    return None


def _rests(lines: list[bytes]) -> Iterator[int]:
    """Yield the index of each line that has no time and stands behind one that has, or its rest."""
    goes_on = False
    for index, line in enumerate(lines):
        is_timed = _is_timed(line)
        if goes_on and not is_timed and line.strip():
            yield index
        goes_on = is_timed or (goes_on and line.strip() != b"")


def unwrapped(pieces: Iterable[bytes], wrap: Wrap) -> Iterator[bytes]:
    """Yield the text with broken lines whole; the lines after one keep their numbers."""
    rest, whole, owed, goes_on = b"", b"", 0, False
    for piece in pieces:
        *lines, rest = (rest + piece).split(b"\n")
        for raw in lines:
            line = raw.rstrip(b"\r")
            is_timed = _is_timed(line)
            if goes_on and not is_timed and line.strip():
                whole, owed = wrap.joined(whole, line), owed + 1
                continue
            yield whole + b"\n" * owed
            whole, owed, goes_on = line, 1, is_timed
    yield whole + b"\n" * owed + rest


def _bare(line: bytes) -> bytes:
    """Return a line without the marks of a quotation."""
    return line[_QUOTE.match(line).end() :]  # type: ignore[union-attr]


def _is_timed(line: bytes) -> bool:
    return _TIMED.match(_bare(line)) is not None
