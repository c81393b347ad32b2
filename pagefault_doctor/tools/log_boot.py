"""Of which boot of this box a given log is: of the one that runs, or of an earlier one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from typing import Final, NamedTuple

from pagefault_doctor.model.case import Case
from pagefault_doctor.model.pattern import regex
from pagefault_doctor.model.report import Report
from pagefault_doctor.tools.arguments import reported_release

THIS_BOOT: Final = "this-boot"
EARLIER_BOOT: Final = "earlier-boot"

_ID: Final = regex(r"-- Boot ([0-9a-f]{32}) --")
_SLACK: Final = 60.0
"""Seconds by which clocks may differ."""
_ZONES: Final = 14 * 3600.0
"""Seconds by which a time without its zone may be off: zones reach from -12 to +14 hours."""


class LogBoot(NamedTuple):
    """The boot of a log, `this-boot` or `earlier-boot`, and why."""

    of: str
    why: str


def log_boot(case: Case) -> LogBoot | None:
    """Return the boot of a log of this box, by the strongest sign; None where nothing tells."""
    return next(_signs(case), None)


def _signs(case: Case) -> Iterator[LogBoot]:
    report = case.main_report
    if found := _by_id(case, report):
        yield found
    here, release = case.get("host.kernel", ""), reported_release(case)
    if here and release and here != release:
        yield LogBoot(EARLIER_BOOT, f"it ran {release} then, now {here}")
    if report:
        yield from _by_uptime(case, report)
        yield from _by_date(case, report)


def _by_id(case: Case, report: Report | None) -> LogBoot | None:
    here = case.get("host.boot_id", "").replace("-", "")
    marks = case.main_log.machine if case.main_log else ()
    ids = (_ID.search(mark.text) for mark in marks if report and mark.boot == report.boot)
    said = next((match[1] for match in ids if match), "")
    if not here or not said:
        return None
    same = LogBoot(THIS_BOOT, "its boot id is that of this boot")
    return same if said == here else LogBoot(EARLIER_BOOT, "its boot id is another one")


def _by_uptime(case: Case, report: Report) -> Iterator[LogBoot]:
    uptime = case.get("host.uptime", 0.0)
    if uptime and report.timestamp is not None and report.timestamp > uptime + _SLACK:
        after = f"{report.timestamp:.0f} s after its boot"
        yield LogBoot(EARLIER_BOOT, f"it came {after}, and this boot is {uptime:.0f} s old")


def _by_date(case: Case, report: Report) -> Iterator[LogBoot]:
    booted = case.get("host.booted", 0)
    with suppress(ValueError, OverflowError, OSError):
        when = datetime.fromisoformat(report.wall_clock or "")
        slack = _SLACK if when.tzinfo else _ZONES
        age = booted - when.timestamp()
        if booted and age > slack:
            yield LogBoot(EARLIER_BOOT, f"it came {_ago(age)} before this boot")
        elif booted and age < -slack:
            yield LogBoot(THIS_BOOT, f"it came {_ago(-age)} after this boot began")


def _ago(seconds: float) -> str:
    for unit, name in ((86400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * unit:
            return f"{seconds / unit:.0f} {name}"
    return f"{seconds:.0f} seconds"
