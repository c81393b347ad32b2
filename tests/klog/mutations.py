"""Damage as it comes over consoles, mails and worn disks: real lines changed in one place or two.

Unlike random bytes, a line with one digit lost still looks right to an expression, and then shows
what the code behind it takes for granted.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from typing import Final

_NUMBER: Final = re.compile(rb"(?:0x)?[0-9a-fA-F]*[0-9][0-9a-fA-F]*")
_DIGIT: Final = re.compile(rb"[0-9a-fA-F]")
_WORD: Final = re.compile(rb"\S+")
_PREFIX: Final = re.compile(rb"^\s*(?:<\d+>|\[[^\]]*\]|\d{4}-\S+|[A-Z][a-z]{2} +\d+ [\d:]+)\s*")
_BRACKET: Final = re.compile(rb"[\[\](){}<>]")
_SIGN: Final = re.compile(rb"0x|\+0x|: |/|=|\+|-|,|#|\.")
_HUGE: Final = (b"9" * 30, b"f" * 30, b"0x" + b"f" * 17, b"0" * 40, b"18446744073709551616")
_ODD: Final = (b"-1", b"-0x1", b"0x", b"x", b"", b"0", b"1e9", b"+7", "٣".encode(), "０".encode())
_DAMAGE: Final = (
    b"\xff", b"\xc3", b"\x80\x80", b"\0", b"\x1b[31m", b"\r", b"\t", "é".encode(),
    "\u2028".encode(), "\u0660".encode(), b"\xed\xa0\x80", b"\x85", b"\x0c", b"\xe2\x80",
)  # fmt: skip

Change = Callable[[bytes, random.Random], bytes]


def _within(pattern: re.Pattern[bytes], line: bytes, draw: random.Random) -> tuple[int, int]:
    """Return where one match of the expression stands, an empty place where there is none."""
    found = [match.span() for match in pattern.finditer(line)]
    return draw.choice(found) if found else (len(line), len(line))


def _replaced(pattern: re.Pattern[bytes], new: tuple[bytes, ...]) -> Change:
    def change(line: bytes, draw: random.Random) -> bytes:
        begin, end = _within(pattern, line, draw)
        return line[:begin] + draw.choice(new) + line[end:]

    return change


def _digit_doubled(line: bytes, draw: random.Random) -> bytes:
    begin, end = _within(_DIGIT, line, draw)
    return line[:end] + line[begin:end] * draw.choice((1, 1, 17)) + line[end:]


def _digit_changed(line: bytes, draw: random.Random) -> bytes:
    begin, end = _within(_DIGIT, line, draw)
    return line[:begin] + draw.choice((b"g", b"f", b"0", b"F", b"9", b"8")) + line[end:]


def _case_swapped(line: bytes, draw: random.Random) -> bytes:
    begin, end = _within(_WORD, line, draw)
    return line[:begin] + line[begin:end].swapcase() + line[end:]


def _cut(line: bytes, draw: random.Random) -> bytes:
    place = draw.randrange(len(line) + 1)
    return draw.choice((line[:place], line[place:]))


def _byte_lost(line: bytes, draw: random.Random) -> bytes:
    place = draw.randrange(len(line) + 1)
    return line[:place] + line[place + draw.choice((1, 2, 5)) :]


def _words_swapped(line: bytes, draw: random.Random) -> bytes:
    words = line.split(b" ")
    one, other = draw.randrange(len(words)), draw.randrange(len(words))
    words[one], words[other] = words[other], words[one]
    return b" ".join(words)


def _word_doubled(line: bytes, draw: random.Random) -> bytes:
    begin, end = _within(_WORD, line, draw)
    return line[:end] + line[begin:end] + line[end:]


def _encoding_damaged(line: bytes, draw: random.Random) -> bytes:
    place = draw.randrange(len(line) + 1)
    return line[:place] + draw.choice(_DAMAGE) + line[place + draw.randrange(2) :]


_CHANGES: Final[tuple[Change, ...]] = (
    _replaced(_DIGIT, (b"",)),
    _digit_doubled,
    _digit_changed,
    _replaced(_NUMBER, _HUGE),
    _replaced(_NUMBER, _ODD),
    _replaced(_SIGN, (b"",)),
    _replaced(_BRACKET, (b"",)),
    _replaced(_PREFIX, (b"",)),
    _replaced(_WORD, (b"",)),
    _case_swapped,
    _cut,
    _byte_lost,
    _words_swapped,
    _word_doubled,
    _encoding_damaged,
)
"""Ways to damage a line."""


def mutated_line(line: bytes, draw: random.Random) -> bytes:
    """Return the line with one kind of damage, or two."""
    for _ in range(draw.choice((1, 1, 2))):
        line = draw.choice(_CHANGES)(line, draw)
    return line


def mutate(data: bytes, random: random.Random) -> bytes:
    """Return the text with some of its lines damaged, lost, doubled, joined or moved."""
    lines = data.split(b"\n")
    for _ in range(random.choice((1, 2, 4, 8, 1 + len(lines) // 4))):
        at = random.randrange(len(lines))
        what = random.randrange(10)
        if what == 0:
            lines[at : at + 2] = [b"".join(lines[at : at + 2])]
        elif what == 1:
            lines.insert(at, lines[at])
        elif what == 2:
            other = random.randrange(len(lines))
            lines[at], lines[other] = lines[other], lines[at]
        elif what == 3 and len(lines) > 1:
            del lines[at]
        else:
            lines[at] = mutated_line(lines[at], random)
    return b"\n".join(lines)
