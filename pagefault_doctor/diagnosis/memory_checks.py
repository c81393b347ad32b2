"""What the kernel's own checks of memory print.

`lib/list_debug.c`: the value a link of a list should have, and has. `mm/slub.c`
(check_bytes_and_report): the span that was overwritten, and its first byte.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from pagefault_doctor.diagnosis import poison
from pagefault_doctor.diagnosis.poison import MemoryState

_NOISE: Final = "noise, as a hardened freelist pointer in freed memory"


class BrokenLink(msgspec.Struct, frozen=True):
    """A link of a list that is not what it should be."""

    expected: int
    actual: int
    means: str | None = None
    state: MemoryState | None = None

    @property
    def flipped(self) -> int:
        """How many bits differ."""
        return (self.expected ^ self.actual).bit_count()

    @property
    def is_freed(self) -> bool:
        """Whether the value is one that freed memory holds."""
        return self.state is MemoryState.FREED

    @property
    def is_deleted(self) -> bool:
        """Whether the value is what list_del leaves in an entry."""
        return self.state is MemoryState.LIST_DELETED


_FEW_FLIPS: Final = 2
"""Bits that differ where a pointer was damaged, rather than replaced by another value."""


_HASH: Final = 1 << 32
_WIDE: Final = 16
"""Where pointers have 16 digits, %p prints a number below 1 << 32 for each, made of the pointer and
a secret: two of them cannot be compared (`lib/vsprintf.c`, ptr_to_id; lib/list_debug.c until 5.4).
"""


def _is_noise(expected: int, actual: int, bits: int) -> bool:
    """Whether a value looks like noise in all of its bytes.

    So does a freelist pointer, which is stored mixed with a secret (CONFIG_SLAB_FREELIST_HARDENED);
    a pointer gone wrong would keep its upper half.
    """
    if bits != 64 or (expected ^ actual).bit_count() <= _FEW_FLIPS:
        return False
    return actual >> 48 not in (0, 0xFFFF) and 20 <= actual.bit_count() <= 44


def broken_link(details: Mapping[str, str], bits: int) -> BrokenLink | None:
    """Return the broken link that the details of a report name, or None."""
    if "link_found" not in details:
        return None
    expected, actual = int(details["link_expected"], 16), int(details["link_found"], 16)
    if 0 < expected < _HASH and len(details["link_expected"]) == _WIDE:
        return None
    hit = poison.find(actual, bits) if actual else None
    if hit:
        return BrokenLink(expected, actual, hit.poison.means, hit.poison.state)
    if _is_noise(expected, actual, bits):
        return BrokenLink(expected, actual, _NOISE, MemoryState.FREED)
    return BrokenLink(expected, actual)


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

    @property
    def is_increment(self) -> bool:
        """Whether it is more by one, as a count that was raised in freed memory."""
        return self.found == self.expected + 1


def odd_byte(details: Mapping[str, str]) -> OddByte | None:
    """Return the wrong byte of a slab report by its details, None where several are wrong."""
    low, _, high = details.get("overwritten", "").partition("-")
    try:
        if not high or int(low, 16) != int(high, 16):
            return None
        return OddByte(int(details["first_byte"], 16), int(details["expected_byte"], 16))
    except (KeyError, ValueError):
        return None
