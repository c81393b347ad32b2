"""The result of reading one kernel log."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from pagefault_doctor.model.report import Line, Report

DMESG: Final = "dmesg"
JOURNAL_NOW: Final = "journalctl -k -b"
THIS_BOOT: Final = frozenset({DMESG, JOURNAL_NOW})
"""Sources of the logs that are of the box's present boot and nothing else."""


class ModuleEvent(msgspec.Struct, frozen=True):
    """A line about a module being loaded: evidence, not a fault.

    `what` is one of `out-of-tree`, `unsigned`, `license`, `version-magic`, `symbol-version`,
    `unknown-symbol`, `forced`, `duplicate-symbol`, `rejected`, `already-loaded`, `btf`
    (`kernel/module/main.c` prints them).
    """

    what: str
    module: str
    line: Line
    timestamp: float | None = None
    boot: int = 0


class ScaryLine(msgspec.Struct, frozen=True):
    """A line that sounds like trouble, the first of those that differ only in numbers.

    `count` is how many there are.
    """

    number: int
    text: str
    count: int = 1


class MachineMark(msgspec.Struct, frozen=True):
    """By what a log names its machine, in one of its boots.

    `what` is `hostname`, `hardware`, `command-line` or `boot-id`. Each but `hardware` has its label
    in `text`, by which redaction knows it: `hostname: db7`, and the lines as the log prints them.
    """

    what: str
    text: str
    line: int
    boot: int = 0


_OUTSIDE: Final = ("out-of-tree", "license")
"""Module events that only modules from outside the kernel's tree bring."""
_MOST: Final = 256
"""Module events before a report that are looked at; a log may have thousands."""


def from_outside(events: Sequence[ModuleEvent], report: Report) -> Iterator[str]:
    """Yield the modules whose loading, before the report, tells that they are from outside."""
    end = bisect_left(events, report.span.first_line, key=lambda event: event.line.number)
    for event in events[max(0, end - _MOST) : end]:
        if event.what in _OUTSIDE and event.boot == report.boot:
            yield event.module


class KernelLog(msgspec.Struct, frozen=True, kw_only=True):
    """A log that was read: its reports in order, the module events, and how much there was.

    `size` is in bytes, `lines` counts lines, `boots` counts the boots seen (at least 1 where there
    was any line). `booted` holds the kernel release of each boot, None where its banner is missing.
    `machine` holds what names the machine that wrote it. `scary` are the lines that sound like
    trouble, of a log without reports. `note` is about what was cut from an oversized input,
    `unread` about what could not be read: a log without reports is no healthy one then.
    """

    source: str
    size: int = 0
    lines: int = 0
    boots: int = 0
    booted: tuple[str | None, ...] = ()
    reports: tuple[Report, ...] = ()
    module_events: tuple[ModuleEvent, ...] = ()
    machine: tuple[MachineMark, ...] = ()
    scary: tuple[ScaryLine, ...] = ()
    note: str | None = None
    unread: str | None = None
