"""Regular expressions that are compiled when they are first used.

A log needs few of the hundred expressions that all the dialects and families have, and compiling
them all would cost more than reading the log.
"""

from __future__ import annotations

import re
from typing import Any, AnyStr, Final, cast

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
