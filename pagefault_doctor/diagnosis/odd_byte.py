"""A single byte of a slab object that is not what it should be.

`mm/slub.c` (check_bytes_and_report) prints the span that was overwritten, and its first byte.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec


class OddByte(msgspec.Struct, frozen=True):
    """The byte that was found, and the one that should be there."""

    found: int
    expected: int

    @property
    def flipped(self) -> int:
        """How many bits differ."""
        return (self.found ^ self.expected).bit_count()

    @property
    def is_decrement(self) -> bool:
        """Whether it is less by one, as a count that was dropped in freed memory."""
        return self.found == self.expected - 1


def odd_byte(details: Mapping[str, str]) -> OddByte | None:
    """Return the byte that the details of a slab report tell, None where several are wrong."""
    low, _, high = details.get("overwritten", "").partition("-")
    try:
        if not high or int(low, 16) != int(high, 16):
            return None
        return OddByte(int(details["first_byte"], 16), int(details["expected_byte"], 16))
    except (KeyError, ValueError):
        return None
