"""The lines `KEY=VALUE` that the scripts in `tools` print, and modinfo's `KEY:  VALUE`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

_DIGITS: Final = 18
"""Digits of a number that is read: those of 64 bits."""

FirstValues = dict[str, tuple[str, int]]
"""The first value of each key, and its line."""


def pairs(output: str, sign: str = "=") -> Iterator[tuple[str, str, int]]:
    """Yield the key, the value and the line, counted from 1, of each line that has a value."""
    for number, line in enumerate(output.split("\n"), 1):
        key, _, value = line.partition(sign)
        if value := value.strip():
            yield key, value, number


def first_values(output: str, sign: str = "=") -> FirstValues:
    """Return the first value of each key, and its line."""
    found: FirstValues = {}
    for key, value, number in pairs(output, sign):
        found.setdefault(key, (value, number))
    return found


def all_values(output: str, wanted: str) -> tuple[str, ...]:
    """Return all values of a key, each once."""
    return tuple(dict.fromkeys(value for key, value, _ in pairs(output) if key == wanted))


def number_in(text: str) -> int | None:
    """Return the text as a number of at least 0, None where it is none or has too many digits."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _DIGITS else None
