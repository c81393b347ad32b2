"""What the list checks print (`lib/list_debug.c`): the value a link should have, and has."""

from __future__ import annotations

from typing import Final

import msgspec

from pagefault_doctor.diagnosis import poison
from pagefault_doctor.model.pattern import regex
from pagefault_doctor.model.report import Line

_SHOULD: Final = regex(
    r"should be (?:prev |next )?\(?(?P<expected>[0-9a-f]{8,16})\)?, "
    r"but was \(?(?P<actual>[0-9a-f]{8,16})"
)


class BrokenLink(msgspec.Struct, frozen=True):
    """A link of a list that is not what it should be."""

    line: Line
    expected: int
    actual: int
    means: str | None = None

    @property
    def flipped(self) -> int:
        """How many bits differ."""
        return (self.expected ^ self.actual).bit_count()

    @property
    def is_freed(self) -> bool:
        """Whether the value is one that freed memory holds."""
        return self.means is not None


def _means(actual: int, bits: int) -> str | None:
    hit = poison.find(actual, bits) if actual else None
    if hit:
        return hit.poison.means
    # A freelist pointer is stored mixed with a secret (CONFIG_SLAB_FREELIST_HARDENED), so it looks
    # like noise in all of its bytes; a pointer gone wrong would keep its upper half.
    if bits == 64 and actual >> 47 not in (0, 0x1FFFF) and 20 <= actual.bit_count() <= 44:
        return "noise, as a hardened freelist pointer in freed memory"
    return None


def broken_link(line: Line, bits: int) -> BrokenLink | None:
    """Return the broken link that a line of the list checks tells, or None."""
    match = _SHOULD.search(line.text)
    if not match:
        return None
    expected, actual = int(match["expected"], 16), int(match["actual"], 16)
    return BrokenLink(line, expected, actual, _means(actual, bits))
