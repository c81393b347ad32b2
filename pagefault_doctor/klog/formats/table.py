"""Every row, family by family, the more special before the more general, and what follows from it.

What a log is searched for, where a report begins and what goes on with it is derived from the rows
and kept nowhere else, so that a new wording is one new row.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property
from typing import Final

from pagefault_doctor.klog.formats import (
    arm64,
    atomic,
    bug_warn,
    devices,
    died_programs,
    hang,
    hardware,
    headless,
    kasan,
    lock,
    memory,
    mips,
    misc,
    oom,
    panic,
    powerpc,
    programs,
    rarer,
    s390,
    slab,
    ubsan,
    user_space,
    x86,
)
from pagefault_doctor.klog.formats.format import OWN, Continuation, Format, Lead
from pagefault_doctor.model.pattern import WordedPattern, regex, words_of
from pagefault_doctor.model.report import Kind

_FAMILIES: Final = (
    kasan, rarer, x86, powerpc, s390, arm64, mips, bug_warn, hang, atomic, lock, memory, ubsan,
    panic, misc, slab, user_space, programs, died_programs, oom, hardware, devices, headless,
)  # fmt: skip
FORMATS: Final[tuple[Format | Continuation, ...]] = tuple(
    row for family in _FAMILIES for row in family.FORMATS
)
DETAILS: Final = {
    Kind.ATOMIC_SLEEP: atomic.DETAILS,
    Kind.BAD_PAGE: memory.DETAILS,
    Kind.HARDWARE: hardware.DETAILS,
    Kind.LOCKDEP: lock.DETAILS,
    Kind.OOM_KILL: oom.DETAILS,
    Kind.SANITIZER: kasan.DETAILS,
    **dict.fromkeys((Kind.PANIC, Kind.STACK_CORRUPTED), panic.DETAILS),
    **dict.fromkeys((Kind.SLAB, Kind.LEAK), slab.DETAILS),
    **dict.fromkeys((Kind.LOCKUP, Kind.STALL, Kind.HUNG_TASK), hang.DETAILS),
    **dict.fromkeys((Kind.USER_SEGFAULT, Kind.USER_TRAP), user_space.DETAILS),
    **dict.fromkeys((Kind.KERNEL_BUG, Kind.WARNING, Kind.TRAP), bug_warn.DETAILS),
    **dict.fromkeys((Kind.LIST_CORRUPTION, Kind.REFCOUNT, Kind.USERCOPY), bug_warn.DETAILS),
    **dict.fromkeys((Kind.NULL_POINTER, Kind.PAGE_FAULT, Kind.GENERAL_PROTECTION), x86.DETAILS),
    **dict.fromkeys((Kind.STACK_GUARD, Kind.DOUBLE_FAULT), x86.DETAILS),
}
"""Expressions whose named groups are the details of a report, by its kind."""
_FIRST: Final = (
    "Kernel panic", "Internal error:", "BUG:", "WARNING:", "INFO:", "Unable to handle kernel",
)  # fmt: skip
"""Headers that quote others (`Internal error: Oops - BUG: 0`): a line with two has the first."""

_COMMON: Final = (
    "BUG", "ING:", "INFO:", "ernel", "fault", "error:", "panic", "segment: ", "opcode:", "VFS: ",
)  # fmt: skip
"""What headers have in common: most lines hold none of it and need no closer look."""


class Table:
    """Rows, and what searching and cutting derive from them, when it is first asked for."""

    def __init__(self, rows: Sequence[Format | Continuation]) -> None:
        self.rows = tuple(row for row in rows if isinstance(row, Format))
        self._continuations = [row for row in rows if isinstance(row, Continuation)]
        self._under: dict[str, tuple[Format, ...]] = {}

    def under(self, header: str) -> tuple[Format, ...]:
        """Return the rows that a report with this header can have."""
        if header not in self._under:
            rows = (row for row in self.rows if header in (row.headers or (OWN,)))
            self._under[header] = tuple(rows)
        return self._under[header]

    def row_of(self, text: str) -> Format | None:
        """Return the row of our own that a line opens a report of, or None."""
        found = (row for word, start, row in self.starts if word in text and start.search(text))
        return next(found, None)

    def knows(self, header: str, text: str) -> bool:
        """Whether a line with this header is worded as only the kernel does it."""
        return any(not row.vague and row.wording.search(text) for row in self.under(header))

    def takes_any_words(self, header: str, text: str) -> bool:
        """Whether no row with this header knows the words of a line."""
        found = (row for row in self.under(header) if row.wording.search(text))
        return next((row.any_words for row in found), True)

    @cached_property
    def headers(self) -> tuple[str, ...]:
        """Every header of the naming convention, those that quote others first."""
        found = tuple(dict.fromkeys(header for row in self.rows for header in row.headers))
        return (*(h for h in _FIRST if h in found), *(h for h in found if h not in _FIRST))

    @cached_property
    def bare(self) -> frozenset[str]:
        """Headers that other programs print as well."""
        return frozenset(header for row in self.rows if row.vague for header in row.headers)

    @cached_property
    def signs(self) -> tuple[str, ...]:
        """Few words of which every header holds one."""
        return (*_COMMON, *(h for h in self.headers if not any(word in h for word in _COMMON)))

    @cached_property
    def starts(self) -> tuple[tuple[str, re.Pattern[str], Format], ...]:
        """A word, an expression and the row, for each word of each row of our own."""
        return tuple(
            (word, regex(row.start), row) for row in self.rows if row.start for word in row.words
        )

    @cached_property
    def needles(self) -> tuple[str, ...]:
        """Words of which every line that starts a report holds one."""
        opening = (row for row in self.rows if row.start or row.headers)
        return tuple(sorted({word for row in opening for word in row.words}))

    @cached_property
    def continuing(self) -> frozenset[str]:
        """Headers that within a report go on with it."""
        return frozenset(header for row in self.rows if row.follows for header in row.headers)

    @cached_property
    def followers(self) -> WordedPattern:
        """Finds a line that goes on with the report it stands in although it starts one."""
        own = [row for row in self.rows if row.follows and row.start]
        return _any_of(own, [c.follows for c in self._continuations if c.follows])

    @cached_property
    def leads(self) -> WordedPattern:
        """Finds a line that belongs to the report whose headline follows closely."""
        kept = [row for row in self.rows if row.lead in (Lead.KEPT, Lead.FAR) and row.start]
        return _any_of(kept, [c.lead for c in self._continuations if c.lead])


def _any_of(rows: Sequence[Format], others: Sequence[str]) -> WordedPattern:
    """Return what finds a line that opens a report of one of the rows, or fits another."""
    words = (word for row in rows for word in row.words)
    others_words = (word for other in others for word in words_of(other))
    expression = "|".join((*(row.start for row in rows), *others)) or "(?!)"
    return WordedPattern(expression, (*words, *others_words))


TABLE = Table(FORMATS)
"""The table that logs are read with."""
REMAINS = Table(headless.REMAINS)
"""That for what is left of a report, in a text where nothing else was found."""
