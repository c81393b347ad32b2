"""A form of report: how its headline reads, what it is called, where its function stands."""

from __future__ import annotations

from functools import cached_property
from typing import Final

import msgspec

from pagefault_doctor.klog.guilty_function import CALL, RIP, TRACE, Choice
from pagefault_doctor.model.pattern import words_of
from pagefault_doctor.model.report import Kind

FAULT: Final = ((RIP, CALL, TRACE),)
"""The faulting instruction, else the call trace."""
TRACED: Final = ((CALL, TRACE),)
"""The call trace."""
ONLY_RIP: Final = ((RIP,),)
"""The faulting instruction and nothing else: the trace would name the handler."""
BAD_ACCESS: Final = "bad-access in {f}"


OWN: Final = ""
"""The header of forms that syzbot does not know."""


class Format(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """One row of a family's table.

    `header` is the start (one of `starts.HEADERS`) it belongs to. `says` is a regular expression
    over the report's text; `then` one that must follow for the report to be whole. Their groups are
    `{1}`, `{2}` ... in `title` and `alts`; `{f}` is the function found by following `ways`, none of
    the functions in `skip` counting; `{g}` the one that `origin` leads to. A `plain` kind prints no
    stack. A `lost` one always means that the real headline is missing; for a `nameless` one the
    naming convention has no title but the line as it stands. `source` is where the kernel prints
    it.
    """

    header: str | tuple[str, ...]
    says: str
    title: str
    kind: Kind
    then: str = ""
    ways: tuple[tuple[str, ...], ...] = ()
    alts: tuple[str, ...] = ()
    skip: str = ""
    origin: tuple[str, ...] = ()
    take: Choice = Choice.FIRST
    plain: bool = False
    lost: bool = False
    nameless: bool = False
    source: str = ""

    @cached_property
    def words(self) -> tuple[str, ...]:
        """Words of which a text that it `says` holds at least one."""
        return words_of(self.says)
