"""Which report a case is about: the one definition that every part of the program uses.

A report leads by what it is, not by being first. A warning may be hours older than the oops and
have nothing to do with it; a refcount warning a moment before, on the same objects, is its cause.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import IntEnum
from typing import Final

import msgspec

from pagefault_doctor.model.fact import Fact
from pagefault_doctor.model.log import THIS_BOOT, KernelLog
from pagefault_doctor.model.pattern import regex
from pagefault_doctor.model.report import USER_SIDE, Kind, Report


class Rank(IntEnum):
    """How much a report counts. Notices count only where there is nothing else.

    A driver's words alone count least.
    """

    WORDS = 0
    NOTICE = 1
    USER_SIDE = 2
    WARNING = 3
    CHECK = 4
    CRASH = 5


_CRASHES: Final = frozenset(
    {
        *(Kind.NULL_POINTER, Kind.PAGE_FAULT, Kind.USER_ACCESS, Kind.GENERAL_PROTECTION),
        *(Kind.KERNEL_BUG, Kind.PANIC, Kind.STACK_GUARD, Kind.STACK_CORRUPTED),
        *(Kind.DOUBLE_FAULT, Kind.TRAP),
    }
)
_RANKS: Final = {
    **dict.fromkeys(Kind, Rank.CHECK),
    **dict.fromkeys(_CRASHES, Rank.CRASH),
    **dict.fromkeys((Kind.WARNING, Kind.LOCKDEP, Kind.LEAK), Rank.WARNING),
    **dict.fromkeys(USER_SIDE, Rank.USER_SIDE),
    **dict.fromkeys((Kind.INFO, Kind.REBOOT), Rank.NOTICE),
}
_CHECKS: Final = ("WARNING: ODEBUG bug",)
_WARNINGS: Final = ("UBSAN:", "KCSAN:")
"""Titles of reports that count for more, or for less, than their kind."""
_ON_PURPOSE: Final = "int3 in "
"""Title of a program that stopped itself with a breakpoint, as GLib does at an error."""
_DUMPERS: Final = ("systemd-coredum", "abrt-hook-ccpp", "apport", "drkonqi", "crash_dump")
"""Programs that run because another one died: their own death is the second."""
_ALLOCATOR: Final = ("mm/slab", "mm/slub")
"""Sources whose warnings are about an object that somebody freed or passed: a check of memory."""
_ASKED_FOR: Final = "sysrq_handle_crash"
"""Crashes because a person asked for it: `drivers/tty/sysrq.c`."""
_NAMES_NO_OBJECT: Final = frozenset(
    {Kind.BAD_PAGE, Kind.ATOMIC_SLEEP, Kind.LOCKUP, Kind.STALL, Kind.HUNG_TASK}
)
"""Kinds whose headline alone does not show what the trouble is about; a trace has to."""

_THIS_BOOT: Final = (-1, 0)
"""The boot that dmesg and the journal of this boot are both of."""
_GIVEN: Final = ("given.log", "given.vmcore")
_SECONDS: Final = 30
_LINES: Final = 40
"""What "moments before" is: by the clock, and where the log has none, by lines between."""
_DAY: Final = 24 * 60 * 60
_FIND: Final = r"journalctl -k -b | grep -n 'Oops\|BUG'"
_CLOCK: Final = regex(r"\b(\d\d):(\d\d):(\d\d)\b")


class _Read(msgspec.Struct, frozen=True):
    """A report, its index among all, its log, and the boot it is of (equal for the same boot)."""

    index: int
    report: Report
    rank: Rank
    log: int
    boot: tuple[int, int]


def main_report(logs: Sequence[KernelLog], facts: Mapping[str, Fact] = {}) -> int | None:
    """Return the index, among the reports of all logs, of the report the case is about, or None.

    A log or dump that the person gave (`given.log`, `given.vmcore` in `facts`) comes before what
    was found on the box. Otherwise the log read first counts, and of it the last boot with a
    fault. In that boot the first crash leads, unless a report moments before led to it.
    """
    reads = tuple(_reads(logs))
    given = {_file(str(facts[name].value)) for name in _GIVEN if name in facts}
    reads = tuple(r for r in reads if _file(logs[r.log].source) in given) or reads
    if not reads:
        return None
    boot = _boot_of_interest(reads)
    main = _first_fault([r for r in reads if r.boot == boot])
    return _what_led_to(main, reads).index


def _file(source: str) -> str:
    """Return the file that a log was read from: an archive's logs are named `archive:member`."""
    archive, _, member = source.rpartition(":")
    return archive or member


def rank(report: Report) -> Rank:
    """Return how much a report counts."""
    if _is_asked_for(report):
        return Rank.WARNING
    if report.is_words_alone:
        return Rank.WORDS
    if report.kind is Kind.USER_TRAP and report.title.startswith(_ON_PURPOSE):
        return Rank.NOTICE
    if report.kind in USER_SIDE and report.details.get("program", "").startswith(_DUMPERS):
        return Rank.NOTICE
    if report.is_kernel_fault and report.die_count is not None:
        return Rank.CRASH
    if report.title.startswith(_WARNINGS):
        return Rank.WARNING
    of_allocator = report.details.get("file", "").startswith(_ALLOCATOR)
    is_check = report.title.startswith(_CHECKS) or (report.kind is Kind.WARNING and of_allocator)
    return Rank.CHECK if is_check else _RANKS[report.kind]


def missing_first_fault(report: Report, others: Iterable[Report]) -> str | None:
    """Return a sentence where the first fault of the report's boot is not in its log, else None.

    `others` are the other reports of that boot and log.
    """
    if (which := which_follows(report, others)) is None:
        return None
    return (
        f"{which}: the first one is not in this log. Look for that earlier fault, the likely "
        f"cause, in the part of the log before this, or with {_FIND} (-b -1: the boot before)"
    )


def which_follows(report: Report, others: Iterable[Report]) -> str | None:
    """Return the begin of that sentence: how it is known that the report is not the first."""
    if not report.follows_fault or any(map(_is_first, others)):
        return None
    number = report.die_count or 0
    if number > 1:
        return f"this is fault #{number} of its boot"
    return "the kernel had died before in this boot (taint D)"


def _is_first(report: Report) -> bool:
    return rank(report) is Rank.CRASH and not report.follows_fault


def _reads(logs: Sequence[KernelLog]) -> Iterator[_Read]:
    index = 0
    sources: set[str] = set()
    for number, log in enumerate(logs):
        # What dmesg prints when it is read again may be of a boot after that.
        of_this_boot = log.source in THIS_BOOT and log.source not in sources
        sources.add(log.source)
        for report in log.reports:
            of_last = report.boot >= log.boots - 1
            boot = _THIS_BOOT if of_this_boot and of_last else (number, report.boot)
            yield _Read(index, report, rank(report), number, boot)
            index += 1


def _boot_of_interest(reads: Sequence[_Read]) -> tuple[int, int]:
    """Return the last boot with the gravest of what there is, in the log read first that has it."""
    # A crash and a check of memory are both faults of the kernel, and the later boot counts.
    most = min(max(r.rank for r in reads), Rank.CHECK)
    gravest = [r for r in reads if r.rank >= most]
    of_log = [r for r in gravest if r.log == gravest[0].log]
    return max(of_log, key=lambda r: r.report.boot).boot


def _first_fault(reads: Sequence[_Read]) -> _Read:
    """Return the first of the gravest, or the one numbered first if that is not the first fault."""
    most = max(r.rank for r in reads)
    gravest = [r for r in reads if r.rank == most]
    if gravest[0].report.follows_fault:
        return next((r for r in gravest if _is_numbered_first(r.report)), gravest[0])
    return gravest[0]


def _is_numbered_first(report: Report) -> bool:
    untainted = report.tainted is not None and report.die_count is None
    return not report.follows_fault and (report.die_count == 1 or untainted)


def _what_led_to(main: _Read, reads: Sequence[_Read]) -> _Read:
    """Return the first report of the boot that led to this one, else the report itself."""
    before = (r for r in reads if r.boot == main.boot and r.index < main.index)
    return next((r for r in before if _led_to(r, main)), main)


def _led_to(earlier: _Read, later: _Read) -> bool:
    one, other = earlier.report, later.report
    if not _is_moments_before(one, other, same_log=earlier.log == later.log):
        return False
    if earlier.rank is Rank.WARNING:
        return _is_same_place(one, other)
    return earlier.rank is Rank.CHECK and not _is_vague(one) and not _is_elsewhere(one, other)


def _is_moments_before(earlier: Report, later: Report, *, same_log: bool) -> bool:
    if earlier.timestamp is not None and later.timestamp is not None:
        return abs(later.timestamp - earlier.timestamp) <= _SECONDS
    seconds = _time_of_day(earlier), _time_of_day(later)
    if seconds[0] is not None and seconds[1] is not None:
        return (seconds[1] - seconds[0]) % _DAY <= _SECONDS
    return same_log and later.span.first_line - earlier.span.last_line <= _LINES


def _time_of_day(report: Report) -> int | None:
    match = _CLOCK.search(report.wall_clock or "")
    if match is None:
        return None
    hours, minutes, seconds = map(int, match.groups())
    return (hours * 60 + minutes) * 60 + seconds


def _is_same_place(one: Report, other: Report) -> bool:
    same_function = one.function is not None and one.function == other.function
    return same_function or bool(_modules(one) & _modules(other))


def _is_elsewhere(one: Report, other: Report) -> bool:
    """Whether two reports are of different modules, and not of the same process."""
    same_process = one.pid is not None and one.pid == other.pid
    known = bool(_modules(one) and _modules(other))
    return known and not same_process and not _is_same_place(one, other)


def _modules(report: Report) -> frozenset[str]:
    named = {report.module, *(frame.module for frame in report.frames if frame.reliable)}
    return frozenset(name for name in named if name)


def _is_vague(report: Report) -> bool:
    return report.kind in _NAMES_NO_OBJECT and not report.function and not report.frames


def _is_asked_for(report: Report) -> bool:
    names = (report.function, *(frame.function for frame in report.frames))
    return _ASKED_FOR in names
