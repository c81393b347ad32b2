"""Regular expressions that are compiled when they are first used.

A log needs few of the hundred expressions that all the dialects and families have, and compiling
them all would cost more than reading the log.
"""

from __future__ import annotations

import re
from typing import Any, AnyStr, Final, cast

_TOKEN: Final = re.compile(
    r"(?P<plain>(?:[^\\()\[{|*+?^$.]|\\\W)+|\))(?P<loose>[*?]|\{0?,?\d*\})?"
    r"|\((?P<aside>\?[^:P])?(?:\?:|\?P<\w+>)?|\[\^?\]?(?:\\.|[^\]\\])*\]|\{\d*,?\d*\}|\\.|.",
    re.DOTALL,
)
_ESCAPED: Final = re.compile(r"\\(\W)")
_METHODS: Final = ("search", "match", "fullmatch", "finditer", "findall", "split", "sub", "groups")


class _Lazy:
    """Stands in for a compiled expression. What it was first asked for, it then has itself."""

    __slots__ = ("_flags", "_source", *_METHODS, "__weakref__")

    def __init__(self, source: str | bytes, flags: int) -> None:
        self._source = source
        self._flags = flags

    def __getattr__(self, name: str) -> Any:
        compiled = re.compile(self._source, self._flags)
        for method in _METHODS:
            setattr(self, method, getattr(compiled, method))
        return getattr(compiled, name)


def regex(source: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """Return what behaves as `re.compile(source, flags)` does, but compiles only when it is used.

    A mistake in the expression is therefore found by the first use: every pattern needs a test.
    """
    return cast("re.Pattern[AnyStr]", _Lazy(source, flags))


class WordedPattern:
    """An expression that is only looked for in texts that hold a word it needs (`words_of`)."""

    __slots__ = ("pattern", "words")

    def __init__(self, source: str) -> None:
        self.words = tuple(dict.fromkeys(words_of(source)))
        self.pattern = regex(source)

    def search(self, text: str) -> re.Match[str] | None:
        """Return what `re.search` does."""
        return self.pattern.search(text) if any(map(text.__contains__, self.words)) else None


def words_of(source: str) -> tuple[str, ...]:
    """Return words of which every text that the expression finds something in holds at least one.

    They are far quicker to look for than the expression, which need not even be compiled where they
    are absent. The empty word stands where there is none, and every text holds that.
    """
    groups = [_Group(aside=False)]
    for token in _TOKEN.finditer(source):
        mark, loose = token.group(), token["loose"]
        if mark.startswith("("):
            groups.append(_Group(aside=token["aside"] is not None))
        elif mark.startswith(")"):
            group = groups.pop()
            groups[-1].needs(("",) if loose or group.aside else group.words())
        elif mark == "|":
            groups[-1].alternatives.append(("",))
        elif plain := token["plain"]:
            plain = _ESCAPED.sub(r"\1", plain)
            groups[-1].needs((plain[:-1] if loose else plain,))
    return groups[0].words()


class _Group:
    """A part of an expression in brackets, and the words that each alternative in it needs."""

    def __init__(self, *, aside: bool) -> None:
        self.aside = aside
        self.alternatives: list[tuple[str, ...]] = [("",)]

    def needs(self, words: tuple[str, ...]) -> None:
        """Take in words of which a text has to hold one; the most telling ones are kept."""
        self.alternatives[-1] = max(self.alternatives[-1], words, key=_telling)

    def words(self) -> tuple[str, ...]:
        """Return words of which a text has to hold one, whatever the alternative."""
        return tuple(word for words in self.alternatives for word in words)


def _telling(words: tuple[str, ...]) -> int:
    return min(map(len, words))
