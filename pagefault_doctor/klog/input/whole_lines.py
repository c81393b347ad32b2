"""Text that comes in pieces, line by line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

LONGEST: Final = 1 << 20
"""Bytes of a line that are given at once; a longer one comes in parts."""


def whole_lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the lines with their ends; the last one may have none."""
    rest = b""
    for piece in pieces:
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            yield line + b"\n"
        while len(rest) > LONGEST:
            yield rest[:LONGEST]
            rest = rest[LONGEST:]
    if rest:
        yield rest
