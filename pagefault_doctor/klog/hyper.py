"""The sieve's quick sister: every needle in one pass, with the library hyperscan (extra `fast`).

It does not depend on a log that repeats itself. See <https://www.hyperscan.io/>; the package is
`hyperscan` on PyPI.
"""

from __future__ import annotations

import re
from importlib.util import find_spec
from typing import Any

from pagefault_doctor.klog.needles import NEEDLES


def is_available() -> bool:
    """Whether the library is installed."""
    return find_spec("hyperscan") is not None


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
        return piece.count(b"\n"), found
