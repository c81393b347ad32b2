"""Every row, family by family, the more special before the more general, and what follows from it.

What a log is searched for, where a report begins and what goes on with it is derived from the rows
and kept nowhere else, so that a new wording is one new row.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache, cached_property
from typing import Final

from pagefault_doctor.klog.formats import (
    arm64,
    atomic,
    bug_warn,
    hang,
    hardware,
    kasan,
    lock,
    memory,
    misc,
    oom,
    panic,
    powerpc,
    s390,
    slab,
    ubsan,
    user_space,
    x86,
)
from pagefault_doctor.klog.formats.format import OWN, Continuation, Format, Lead
from pagefault_doctor.model.pattern import regex
from pagefault_doctor.model.report import Kind

FORMATS: Final[tuple[Format, ...]] = (
    *kasan.FORMATS,
    *x86.FORMATS,
    *powerpc.FORMATS,
    *s390.FORMATS,
    *arm64.FORMATS,
    *bug_warn.FORMATS,
    *hang.FORMATS,
    *atomic.FORMATS,
    *lock.FORMATS,
    *memory.FORMATS,
    *ubsan.FORMATS,
    *panic.FORMATS,
    *misc.FORMATS,
    *slab.FORMATS,
    *user_space.FORMATS,
    *oom.FORMATS,
    *hardware.FORMATS,
)
CONTINUATIONS: Final[tuple[Continuation, ...]] = (
    *x86.CONTINUATIONS,
    *bug_warn.CONTINUATIONS,
    *hang.CONTINUATIONS,
    *lock.CONTINUATIONS,
    *slab.CONTINUATIONS,
)
_FIRST: Final = (
    "Kernel panic", "Internal error:", "BUG:", "WARNING:", "INFO:", "Unable to handle kernel",
)  # fmt: skip
"""Headers that quote others (`Internal error: Oops - BUG: 0`): a line with two has the first."""


class Table:
    """Rows, and what searching and cutting derive from them, when it is first asked for."""

    def __init__(self, rows: Sequence[Format], continuations: Sequence[Continuation] = ()) -> None:
        self.rows = tuple(rows)
        self.continuations = tuple(continuations)
        self._under: dict[str, tuple[Format, ...]] = {}

    def under(self, header: str) -> tuple[Format, ...]:
        """Return the rows that a report with this header can have."""
        if header not in self._under:
            self._under[header] = tuple(
                row for row in self.rows if header in (row.headers or (OWN,))
            )
        return self._under[header]

    def row_of(self, text: str) -> Format | None:
        """Return the row of our own that a line opens a report of, or None."""
        for word, start, row in self.starts:
            if word in text and start.search(text):
                return row
        return None

    @cached_property
    def headers(self) -> tuple[str, ...]:
        """Every header of the naming convention, those that quote others first."""
        found = tuple(dict.fromkeys(header for row in self.rows for header in row.headers))
        return (*(h for h in _FIRST if h in found), *(h for h in found if h not in _FIRST))

    @cached_property
    def starts(self) -> tuple[tuple[str, re.Pattern[str], Format], ...]:
        """A word, an expression and the row, for each word of each row of our own."""
        return tuple(
            (word, regex(row.start), row) for row in self.rows if row.start for word in row.words
        )

    @cached_property
    def needles(self) -> tuple[str, ...]:
        """Words of which every line that starts a report holds one; none holds another."""
        words = {word for row in self.rows if row.start or row.headers for word in row.words}
        return tuple(sorted(w for w in words if not any(o in w for o in words if o != w)))

    @cached_property
    def continuing(self) -> frozenset[str]:
        """Headers that within a report go on with it."""
        return frozenset(header for row in self.rows if row.follows for header in row.headers)

    @cached_property
    def followers(self) -> re.Pattern[str]:
        """Finds a line that goes on with the report it stands in although it starts one."""
        own = [row.start for row in self.rows if row.follows and row.start]
        return _any_of([*own, *(c.follows for c in self.continuations)])

    @cached_property
    def leads(self) -> re.Pattern[str]:
        """Finds a line that belongs to the report whose headline follows closely."""
        kept = [row.start for row in self.rows if row.lead in (Lead.KEPT, Lead.FAR)]
        return _any_of([*kept, *(c.lead for c in self.continuations)])


def _any_of(expressions: Sequence[str]) -> re.Pattern[str]:
    return regex("|".join(filter(None, expressions)) or "(?!)")


TABLE = Table(FORMATS, CONTINUATIONS)
"""The table that logs are read with."""


@cache
def pattern(expression: str) -> re.Pattern[str]:
    """Return the compiled expression of a form."""
    return regex(expression)


DETAILS: Final[dict[Kind, tuple[str, ...]]] = {
    Kind.SANITIZER: kasan.DETAILS,
    Kind.SLAB: slab.DETAILS,
    Kind.LEAK: slab.DETAILS,
    Kind.USER_SEGFAULT: user_space.DETAILS,
    Kind.USER_TRAP: user_space.DETAILS,
    Kind.OOM_KILL: oom.DETAILS,
    Kind.HARDWARE: hardware.DETAILS,
    Kind.LIST_CORRUPTION: bug_warn.DETAILS,
    Kind.KERNEL_BUG: bug_warn.DETAILS,
    Kind.WARNING: bug_warn.DETAILS,
    Kind.REFCOUNT: bug_warn.DETAILS,
    Kind.USERCOPY: bug_warn.DETAILS,
    Kind.TRAP: bug_warn.DETAILS,
    Kind.GENERAL_PROTECTION: x86.DETAILS,
    Kind.PAGE_FAULT: x86.DETAILS,
    Kind.NULL_POINTER: x86.DETAILS,
    Kind.STACK_GUARD: x86.DETAILS,
    Kind.DOUBLE_FAULT: x86.DETAILS,
    Kind.STACK_CORRUPTED: panic.DETAILS,
    Kind.PANIC: panic.DETAILS,
    Kind.BAD_PAGE: memory.DETAILS,
    Kind.LOCKUP: hang.DETAILS,
    Kind.STALL: hang.DETAILS,
    Kind.HUNG_TASK: hang.DETAILS,
    Kind.LOCKDEP: lock.DETAILS,
    Kind.ATOMIC_SLEEP: atomic.DETAILS,
}
"""Expressions whose named groups are the details of reports of that kind."""
