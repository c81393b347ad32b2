"""One wording of the kernel as one row: what opens it, what belongs to it, how it is named."""

from __future__ import annotations

import re
from enum import Enum
from functools import cached_property, partial
from typing import Final

import msgspec

from pagefault_doctor.klog.guilty_function import CALL, RIP, TRACE, Choice
from pagefault_doctor.model.pattern import WordedPattern, regex, words_of
from pagefault_doctor.model.report import Kind

FAULT: Final = ((RIP, CALL, TRACE),)
"""The faulting instruction, else the call trace."""
TRACED: Final = ((CALL, TRACE),)
"""The call trace."""
ONLY_RIP: Final = ((RIP,),)
"""The faulting instruction and nothing else: the trace would name the handler."""
BAD_ACCESS: Final = "bad-access in {f}"
OWN: Final = ""
"""The header of rows that the naming convention does not know."""


class Lead(Enum):
    """What a line that opens a report is where the headline of another one follows closely."""

    ALONE = "a report of its own"
    DROPPED = "no report, and no part of the one that follows"
    KEPT = "the first line of the report that follows"
    FAR = "the first line of the report that follows, even when a dump stands in between"


class Format(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """One row of a family's table: everything that klog has to know of one wording.

    Finding it: `header` is what the headline contains, by the naming convention. A wording that the
    convention does not know has `start` instead, an expression for its headline; `needles` are
    words of which every such line holds at least one, by default those that `start` needs anyway.
    A `notice` counts only in a boot that has no report with a header, a `fragment` only in one that
    has nothing else, and a `silent` row is no report: it says what stands after it; one that
    `heals` says that what the rows `alike` reported before it is over. A boot that has fewer lines
    of a row than `often` has no report of it: such things happen, and pass. The lines of a row
    `said` by programs count although no kernel prints them. Rows with the same `alike` report the
    same trouble: after one of them, another is no report of its own; by default only the row itself
    is alike. A `vague` row fits lines of other programs too: it makes no line without the kernel's
    clock a report. Of a row that takes `any_words` behind its header, no stack far below is part of
    the report, and notices of the same boot count beside it.

    Cutting it: `lead` is what its line is where the headline of another report follows closely.
    Inside another report, a row that `follows` goes on with that report.

    Naming it: `pattern` is an expression for the report's text, by default `start` or the header;
    `then` is one that has to follow for the report to be whole. Their groups are `{1}`, `{2}` ...
    in `title` and `alts`; `{f}` is the function found by following `ways`, none of the functions in
    `skip` counting; `{g}` is the one that `origin` leads to. A `plain` kind prints no stack. A
    `lost` one always means that the real headline is missing; for a `nameless` one the naming
    convention has no title but the line itself.

    Reading it: the named groups of the expressions in `details` are details of the report, beside
    those of every report of its kind, which `table.DETAILS` has. `source` is the kernel file that
    prints it and the function in it.
    """

    title: str
    kind: Kind
    source: str
    pattern: str = ""
    header: str | tuple[str, ...] = OWN
    start: str = ""
    needles: tuple[str, ...] = ()
    notice: bool = False
    fragment: bool = False
    silent: bool = False
    often: int = 1
    heals: str = ""
    said: bool = False
    vague: bool = False
    any_words: bool = False
    alike: str = ""
    lead: Lead = Lead.ALONE
    follows: bool = False
    then: str = ""
    ways: tuple[tuple[str, ...], ...] = ()
    alts: tuple[str, ...] = ()
    skip: str = ""
    origin: tuple[str, ...] = ()
    take: Choice = Choice.FIRST
    plain: bool = False
    lost: bool = False
    nameless: bool = False
    details: tuple[str, ...] = ()

    @cached_property
    def wording(self) -> WordedPattern:
        """The expression for its text, with words of which such a text holds at least one."""
        return WordedPattern(self.pattern or self.start or re.escape(self.headers[0]))

    @cached_property
    def following(self) -> re.Pattern[str]:
        """What has to follow, `then`."""
        return regex(self.then)

    @cached_property
    def words(self) -> tuple[str, ...]:
        """Words of which a line that opens such a report holds at least one."""
        if self.headers or self.needles:
            return self.headers or self.needles
        return words_of(self.start) if self.pattern else self.wording.words

    @cached_property
    def headers(self) -> tuple[str, ...]:
        """Its headers of the naming convention."""
        named = self.header if isinstance(self.header, tuple) else (self.header,)
        return tuple(header for header in named if header != OWN)

    def is_alike(self, other: Format) -> bool:
        """Whether two rows report the same trouble."""
        return self is other or (self.alike != "" and self.alike == other.alike)


fault = partial(Format, ways=FAULT, alts=(BAD_ACCESS,))
"""A fault, whatever the architecture, and the kinds of it that several architectures print."""
null_pointer = partial(
    fault,
    title="BUG: unable to handle kernel NULL pointer dereference in {f}",
    kind=Kind.NULL_POINTER,
)
paging_request = partial(
    fault, title="BUG: unable to handle kernel paging request in {f}", kind=Kind.PAGE_FAULT
)
user_access = partial(
    fault, title="BUG: unable to handle kernel access to user memory in {f}", kind=Kind.USER_ACCESS
)


class Continuation(msgspec.Struct, frozen=True, kw_only=True):
    """Lines that name no report but belong to one, as expressions.

    Those that `lead` stand just before a headline. Those that `follows` finds look like headlines
    and go on with the report they stand in.
    """

    source: str
    lead: str = ""
    follows: str = ""
