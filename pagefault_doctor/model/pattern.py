"""Regular expressions that are compiled when they are first used.

One log needs few of the hundreds of expressions of all formats and families, and compiling them all
would take longer than reading the log.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, AnyStr, Final, cast

_METHODS: Final = (
    *("search", "match", "fullmatch", "finditer", "findall", "split", "sub"),
    *("groups", "groupindex"),
)


class _Lazy:
    """Stands in for a compiled expression; copies its methods at the first use."""

    __slots__ = ("_flags", "_source", *_METHODS, "__weakref__")

    def __init__(self, source: str | bytes, flags: int) -> None:
        self._source = source
        self._flags = flags

    def __getattr__(self, name: str) -> Any:
        # Called only while a slot is empty, so later uses find the method without this detour.
        compiled = re.compile(self._source, self._flags)
        for method in _METHODS:
            setattr(self, method, getattr(compiled, method))
        return getattr(compiled, name)


def regex(source: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """Return an object that behaves like `re.compile(source, flags)` but compiles at its first use.

    A mistake in the expression shows only then, so every pattern needs a test.
    """
    return cast("re.Pattern[AnyStr]", _Lazy(source, flags))


# Compiled at its first use as well: `pfdoctor --version` needs neither.
_TOKEN: Final = regex(
    r"((?:[^\\()\[{|*+?^$.]|\\\W)+|\))([*?]|\{0?,?\d*\})?"
    r"|(\()(\?[^:P])?(?:\?:|\?P<\w+>)?|\[\^?\]?(?:\\.|[^\]\\])*\]|\{\d*,?\d*\}|\\.|(\|)|.",
    re.DOTALL,
)
"""The parts of an expression: plain text or a closing bracket, and what makes it optional; an
opening bracket, and what is aside if its group is; the mark between alternatives."""
_ESCAPED: Final = regex(r"\\(\W)")


class WordedPattern:
    """An expression that is tried only on texts that hold a word it needs (`words_of`)."""

    __slots__ = ("pattern", "words")

    def __init__(self, source: str, words: Iterable[str] | None = None) -> None:
        self.words = tuple(dict.fromkeys(words_of(source) if words is None else words))
        self.pattern = regex(source)

    def search(self, text: str) -> re.Match[str] | None:
        """Return the first match, or None, as `re.search` does."""
        return self.pattern.search(text) if any(map(text.__contains__, self.words)) else None


def words_of(source: str) -> tuple[str, ...]:
    """Return words such that every text that matches the expression holds at least one of them.

    Words are far faster to look for than the expression, which is not even compiled where they are
    absent. Where no word is certain the result holds the empty word, which is in every text.
    """
    groups = [_Group(aside=False)]
    # One pass over the expression, with a stack for its brackets. What a quantifier makes optional
    # and what a lookaround holds need not be in the text, so neither counts.
    for plain, loose, opens, aside, alternative in _TOKEN.findall(source):
        if plain == ")":
            group = groups.pop()
            groups[-1].needs(("",) if loose or group.aside else group.words())
        elif plain:
            # A quantifier applies to the last character only.
            plain = _ESCAPED.sub(r"\1", plain) if "\\" in plain else plain
            groups[-1].needs((plain[:-1] if loose else plain,))
        elif opens:
            groups.append(_Group(aside=bool(aside)))
        elif alternative:
            groups[-1].alternatives.append(("",))
    return groups[0].words()


class _Group:
    """A part of an expression in brackets, and the words that each alternative in it needs."""

    def __init__(self, *, aside: bool) -> None:
        self.aside = aside
        self.alternatives: list[tuple[str, ...]] = [("",)]

    def needs(self, words: tuple[str, ...]) -> None:
        """Add words of which a text must hold one; only the most selective set is kept."""
        if _telling(words) > _telling(self.alternatives[-1]):
            self.alternatives[-1] = words

    def words(self) -> tuple[str, ...]:
        """Return words of which a text must hold one, whatever the alternative."""
        return tuple(word for words in self.alternatives for word in words)


def _telling(words: tuple[str, ...]) -> int:
    # The shortest word decides: it is in the most texts.
    return min(map(len, words))
