"""Lines that a mail program or a terminal broke, because they were too long for it.

A mail program breaks between words (RFC 3676 asks for 78 characters at most), a terminal in the
middle of them. What was broken off has no time of its own, and would not have fit.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import filterfalse
from typing import Final

import msgspec

from pagefault_doctor.klog.input.report_lines import START
from pagefault_doctor.model.pattern import regex

_QUOTE: Final = re.compile(rb"(?:> ?)*")
_TIMED: Final = regex(
    rb"(?:<\d{1,3}>)?(?:\[(?=[^\]<\n]{0,24}\d[.,:]\d)[\w ,.:+-]{5,32}\]"
    rb"|[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d(?:[.,]\d{1,9})? "
    rb"|\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d)"
)
"""A clock, a time as dmesg puts it into brackets, a date."""
_NARROW: Final = range(50, 133)
"""Widths at which text is broken."""
_COLUMNS: Final = frozenset((64, 72, 78, 79, 80, 96, 100, 110, 120, 128, 132))
"""Columns that terminals have."""
_MANY: Final = 8
_SHORT: Final = 8
_FEWEST: Final = {True: 3, False: 2}
_MOST: Final = {True: 3 / 5, False: 1 / 2}
"""How many lines have to be broken, and which part of those that may be: with a time, without. In a
text of a few lines one is enough."""
_LONGEST: Final = 1 << 16
"""Bytes of a line that is put together."""
_UNFINISHED: Final = regex(rb" at \S{1,200}:\d{1,6}$|\b(?:RIP|EIP|PC is at|[lp][rc] ?|Comm):$")
"""How a line ends that a place in the code or a name has to follow."""
_FENCE: Final = regex(rb" {0,3}(?:`{3}|~{3})[`~]*\w*[ \r]*$")
"""The line of Markdown that code stands between."""
_SAID: Final = regex(rb"(?!0x)[A-Za-z][\w.-]{0,40}(?: [\w.-]{1,40}){0,2}: ")
"""How what a driver or a program says begins."""
_INDENT: Final = b" " * 10
"""How dmesg begins the further lines of a message: a mail program leaves no blanks at a break."""
_SLACK: Final = 5
"""Characters by which some programs break earlier."""


class Wrap(msgspec.Struct, frozen=True):
    """How lines were broken: at how many characters at most, between words or within them.

    `timed` is whether whole lines begin with a time; else they begin as those of a report do.
    """

    width: int
    within_words: bool
    timed: bool = True

    def begins(self, line: bytes, before: bytes) -> bool:
        """Whether a line is a whole one, or the first part of one, by the line before it."""
        bare = _bare(line)
        if self.timed:
            further = not self.within_words and bare.startswith(_INDENT)
            return further or _is_timed(line) or _FENCE.match(bare) is not None
        said = not self.within_words and _SAID.match(bare) is not None
        begun = (
            said
            or not bare.strip()
            or _FENCE.match(bare) is not None
            or START.match(bare) is not None
        )
        return begun and _UNFINISHED.search(before) is None

    def may_go_on(self, line: bytes) -> bool:
        """Whether a line that begins may be the first part of one that was broken."""
        return self.timed or START.match(_bare(line)) is not None

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
    # What has no blank was not broken between words.
    longest = sorted(lines, key=len, reverse=True)
    width = next((len(line) for line in longest if b" " in line.strip()), 0)
    if width not in _NARROW:
        return None
    columns = max(len(_bare(line)) for line in lines if len(line) == width)
    timed = any(map(_is_timed, lines))
    untimed = (line for line in filterfalse(_TIMED.match, lines) if line.strip())
    if timed and all(map(_is_timed, untimed)):
        return None
    soft, hard = (Wrap(width, within_words=within, timed=timed) for within in (False, True))
    softly = list(_pairs(lines, soft))
    by_words = sum(soft.could_break(line, rest) for line, rest in softly)
    if not by_words:
        return None
    hardly = softly if timed else list(_pairs(lines, hard))
    within = sum(hard.could_break(line, rest) for line, rest in hardly)
    # A terminal leaves the lines that it breaks all equally long, as wide as it is.
    equal = within >= by_words and (columns in _COLUMNS or within >= _MANY)
    wrap, broken, pairs = (hard, within, hardly) if equal else (soft, by_words, softly)
    fewest = _FEWEST[timed] if sum(map(bool, lines)) > _SHORT else 1
    return wrap if broken >= fewest and broken >= _MOST[timed] * len(pairs) else None


def _pairs(lines: list[bytes], wrap: Wrap) -> Iterator[tuple[bytes, bytes]]:
    """Yield each line that is none of its own, behind the one it follows, which may go on."""
    goes_on, before = False, b""
    for line in lines:
        begins = wrap.begins(line, before if goes_on else b"")
        if goes_on and not begins and line.strip():
            yield before, line
        goes_on = wrap.may_go_on(line) if begins else goes_on and line.strip() != b""
        before = line


def unwrapped(pieces: Iterable[bytes], wrap: Wrap) -> Iterator[bytes]:
    """Yield the text with broken lines whole; the lines after one keep their numbers."""
    rest, whole, owed, goes_on, before = b"", b"", 0, False, b""
    for piece in pieces:
        *lines, rest = (rest + piece).split(b"\n")
        for raw in lines:
            line = raw.rstrip(b"\r")
            begins = wrap.begins(line, before if goes_on else b"")
            goes_on = goes_on and (wrap.timed or wrap.could_break(before, line))
            if goes_on and not begins and line.strip() and len(whole) < _LONGEST:
                whole, owed = wrap.joined(whole, line), owed + 1
            else:
                yield whole + b"\n" * owed
                whole, owed, goes_on = line, 1, begins and wrap.may_go_on(line)
            before = line
    yield whole + b"\n" * owed + rest


def _bare(line: bytes) -> bytes:
    """Return a line without the marks of a quotation."""
    return line[_QUOTE.match(line).end() :] if line.startswith(b">") else line  # type: ignore[union-attr]


def _is_timed(line: bytes) -> bool:
    return _TIMED.match(_bare(line)) is not None
