"""The sieve's quick sister: every needle in one pass, with the library hyperscan (extra `fast`).

It does not depend on a log that repeats itself. See <https://www.hyperscan.io/>; the package is
`hyperscan` on PyPI.
"""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Any

from pagefault_doctor.klog.needles import NEEDLES


def quick_sieve() -> HyperSieve | None:
    """Return a sieve, or None where the library is not installed or does not run on this CPU.

    A wheel that was built for another machine fails in ways of its own, at its import or later.
    """
    with suppress(Exception):
        sieve = HyperSieve()
        if sieve.hits(b"a\n" + NEEDLES[0]) == (1, [(2, 2)]):
            return sieve
    return None


class HyperSieve:
    """Finds the lines of a piece that hold one of the needles."""

    def __init__(self) -> None:
        import hyperscan

        self._base: Any = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
        self._base.compile(
            expressions=[re.escape(needle) for needle in NEEDLES],
            ids=list(range(len(NEEDLES))),
            elements=len(NEEDLES),
            flags=[0] * len(NEEDLES),
        )

    def hits(self, piece: bytes) -> tuple[int, list[tuple[int, int]]]:
        """Return the newlines in a piece, and of each line that may matter number and offset.

        Lines count from 1, offsets from 0.
        """
        ends: list[int] = []
        self._base.scan(piece, match_event_handler=lambda _id, _from, to, *_: ends.append(to))
        found: list[tuple[int, int]] = []
        number, place, line_end = 1, 0, -1
        for end in sorted(ends):
            if end <= line_end:
                continue
            start = piece.rfind(b"\n", place, end - 1) + 1 or place
            line_end = piece.find(b"\n", end)
            line_end = line_end if line_end >= 0 else len(piece)
            number += piece.count(b"\n", place, start)
            place = start
            found.append((number, start))
        return number - 1 + piece.count(b"\n", place), found
