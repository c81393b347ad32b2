"""Looking for places in a text: many expressions over large texts, in bounded time.

An expression is tried only on pieces of a text that hold one of its words. Escapes, of a terminal,
of JSON, of a URL and of udev, are blanked first, so that what is glued to them stands alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from pagefault_doctor.model.pattern import regex

PIECE: Final = 4096
"""Characters of a piece, which ends with a line wherever that is possible."""

_ESCAPE: Final = regex(
    r"\\x1b\[[0-9;?]{0,12}[A-Za-z]|\\x[0-9a-f]{2}|\\u[0-9a-f]{4}|\\[nrt]|%[0-9A-F]{2}"
)
_MEANT: Final = {"%40": "@", "%2F": "/", "%3A": ":", "\\x2d": "-"}
"""What some escapes stand for; in a plain text it comes last, so that places stay the same."""


class Place(NamedTuple):
    """A place in a text that names somebody. `key` is the same for all spellings of one thing."""

    start: int
    end: int
    kind: str
    key: str


class Sign(NamedTuple):
    """An expression, words of which its matches hold one (in small letters), and what it finds.

    Without words it is tried everywhere.
    """

    words: tuple[str, ...]
    pattern: re.Pattern[str]
    places: Callable[[re.Match[str]], Iterator[Place]]


def plain(text: str) -> str:
    """Return a text of the same length in which escapes are blanks and what they stand for."""
    if "\\" not in text and "%" not in text:
        return text
    return _ESCAPE.sub(lambda m: _MEANT.get(m[0], " ").rjust(len(m[0])), text)


def search(text: str, signs: tuple[Sign, ...]) -> Iterator[Place]:
    """Give all places that the signs find in a plain text."""
    begin = 0
    while begin < len(text):
        end = text.find("\n", begin + PIECE) + 1 or len(text)
        piece = text[begin:end]
        lower = piece.lower()
        for sign in signs:
            if sign.words and not any(word in lower for word in sign.words):
                continue
            for match in sign.pattern.finditer(piece):
                for place in sign.places(match):
                    yield place._replace(start=place.start + begin, end=place.end + begin)
        begin = end
