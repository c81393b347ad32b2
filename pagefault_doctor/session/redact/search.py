"""Search a text for a table of patterns in one pass.

A pattern is only tried on the lines of the text that hold one of its words, so the time for a large
text is that of the few patterns that its lines need. Escapes of terminals, JSON, URLs and udev are
replaced by spaces first, because they would be read as part of the word next to them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple

from pagefault_doctor.model.pattern import regex

CHUNK_CHARS: Final = 4096
"""Characters of a chunk; it extends to the end of a line."""
_MAX_REMEMBERED: Final = 50_000
"""Words whose patterns are remembered, so that no text can take all memory."""

_ESCAPE: Final = regex(
    r"\\x1b\[[0-9;?]{0,12}[A-Za-z]|\\x[0-9a-f]{2}|\\u[0-9a-f]{4}|\\[nrt]|%[0-9A-F]{2}"
    r"(?!(?:[:-][0-9A-Fa-f]{2}){5})"
)
"""Escapes of terminals, JSON and URLs; a hardware address behind a percent sign is none."""
_ESCAPED: Final = {"%40": "@", "%2F": "/", "%3A": ":", "\\x2d": "-"}
"""Characters that some escapes stand for; padded on the left, so that positions do not change."""
_LINE: Final = regex(r"[^\n]*\n|[^\n]+")
_LETTERS: Final = regex(r"[a-z]+")

BEGIN: Final = r"(?<![^\W_])"
"""Matches the beginning of a word; `_` is no part of it."""
END: Final = r"(?![^\W_])"
"""Matches the end of a word; `_` is no part of it."""


class FoundName(NamedTuple):
    """The position of a name in a text. `key` is equal for all spellings of one name."""

    start: int
    end: int
    kind: str
    key: str


Find = Callable[[re.Match[str]], Iterator[FoundName]]


class NamePattern(NamedTuple):
    """A pattern, lower-case words of which every match contains one, and a function of a match.

    A pattern with words of letters is tried on the lines that hold one, which may be a part of a
    longer word if it has more than two letters; else on the chunks that
    hold one of its signs, everywhere without any, or on the whole text where a match is
    `many_lines`. `find` yields the names in a match.
    """

    words: tuple[str, ...]
    pattern: re.Pattern[str]
    find: Find
    many_lines: bool = False


class PatternSearch:
    """Finds the names that a table of patterns describes."""

    def __init__(self, patterns: Sequence[NamePattern]) -> None:
        self._whole = tuple(p for p in patterns if p.many_lines)
        rest = [p for p in patterns if not p.many_lines]
        self._of_lines = tuple(p for p in rest if p.words and all(map(str.isalpha, p.words)))
        self._of_chunks = tuple(p for p in rest if p not in self._of_lines)
        self._words: dict[str, int] = {}
        for bit, pattern in enumerate(self._of_lines):
            for word in pattern.words:
                self._words[word] = self._words.get(word, 0) | 1 << bit
        self._remembered: dict[str, int] = {}
        self._chosen: dict[int, tuple[NamePattern, ...]] = {0: ()}

    def find(self, text: str) -> Iterator[FoundName]:
        """Yield all names that the patterns find in a text without escapes."""
        for pattern in self._whole:
            if any(word in text for word in pattern.words):
                yield from _try(pattern, text, 0)
        for begin, chunk in chunks(text):
            lower = chunk.lower()
            for pattern in self._of_chunks:
                if not pattern.words or any(word in lower for word in pattern.words):
                    yield from _try(pattern, chunk, begin)
            if not self._of_lines:
                continue
            # At `\n` alone, like `$` and `^` in a pattern.
            for line in _LINE.findall(chunk):
                for pattern in self._patterns_of(line):
                    yield from _try(pattern, line, begin)
                begin += len(line)

    def _patterns_of(self, line: str) -> tuple[NamePattern, ...]:
        """Return the patterns of which a word is in a line."""
        mask = 0
        for word in _LETTERS.findall(line.lower()):
            bits = self._remembered.get(word, -1)
            mask |= self._bits_of(word) if bits < 0 else bits
        chosen = self._chosen.get(mask)
        if chosen is None:
            chosen = tuple(p for bit, p in enumerate(self._of_lines) if mask >> bit & 1)
            if len(self._chosen) < _MAX_REMEMBERED:
                self._chosen[mask] = chosen
        return chosen

    def _bits_of(self, word: str) -> int:
        """Return the patterns of which a word is in this run of letters, one bit for each."""
        bits = 0
        for part, some in self._words.items():
            if part == word or (len(part) > 2 and part in word):
                bits |= some
        if len(self._remembered) < _MAX_REMEMBERED:
            self._remembered[word] = bits
        return bits


def _try(pattern: NamePattern, text: str, begin: int) -> Iterator[FoundName]:
    """Yield the names that a pattern finds in a piece of a text that begins at a position."""
    for match in pattern.pattern.finditer(text):
        for found in pattern.find(match):
            yield found._replace(start=found.start + begin, end=found.end + begin)


def chunks(text: str) -> Iterator[tuple[int, str]]:
    """Yield pieces of whole lines, each with its position."""
    begin = 0
    while begin < len(text):
        end = text.find("\n", begin + CHUNK_CHARS) + 1 or len(text)
        yield begin, text[begin:end]
        begin = end


def without_escapes(text: str) -> str:
    """Return a text of the same length with escapes replaced by spaces and their character."""
    if "\\" not in text and "%" not in text:
        return text
    return _ESCAPE.sub(lambda m: _ESCAPED.get(m[0], " ").rjust(len(m[0])), text)


def each_group(kind: str, ignored: Callable[[str], object] | None = None) -> Find:
    """Return a function that yields every group of a match that took part, as a name of a kind.

    A text for which `ignored` holds is left out.
    """

    def find(match: re.Match[str]) -> Iterator[FoundName]:
        for group in range(1, match.re.groups + 1):
            word = match[group]
            if word and not (ignored and ignored(word)):
                yield FoundName(*match.span(group), kind, word)

    return find


def checked(check: Callable[[re.Match[str]], FoundName | None]) -> Find:
    """Return a function that yields what a check makes of a match, if anything."""

    def find(match: re.Match[str]) -> Iterator[FoundName]:
        if found := check(match):
            yield found

    return find
