"""The last lines that modules printed in the seconds before a report: who was at work.

Drivers begin their lines with the name of their module (pr_fmt, KBUILD_MODNAME,
`include/linux/printk.h`), or of the driver before that of the device (`drivers/base/core.c`,
dev_printk; `net/core/dev.c`, netdev_printk).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Final

import msgspec

from pagefault_doctor.klog.line import LogLine
from pagefault_doctor.klog.text import Lines
from pagefault_doctor.model.fence import fenced
from pagefault_doctor.model.log import ModuleEvent, from_outside
from pagefault_doctor.model.report import Line, Report, SpokenBefore

SECONDS: Final = 10.0
UNTIMED: Final = 8
"""Lines before a report that count where the log has no clock."""
_BYTES: Final = 1 << 12
_LINES: Final = 48
"""What is read before a report."""
_MOST: Final = 256
_KEPT: Final = 4
"""Modules that are looked for, and that are kept."""
_LOADING: Final = "taint"
"""What the kernel says of a module itself, and of the first alone (`kernel/module/main.c`)."""
_BEGINNING: Final = {"nvidia": "nvrm"}
"""How the lines of a module begin that does not print its name."""


def with_spoken(report: Report, place: int, lines: Lines, events: Sequence[ModuleEvent]) -> Report:
    """Return the report, which begins at a place of the log, with what modules printed before."""
    return fenced(lambda _: report, _with_spoken, report, place, lines, events)


def _with_spoken(report: Report, place: int, lines: Lines, events: Sequence[ModuleEvent]) -> Report:
    names = _asked(report, events) if report.is_kernel_fault else set()
    words = {_BEGINNING.get(name, _plain(name)): name for name in names}
    before = _plain(lines.data[max(0, place - _BYTES) : place].decode("latin-1")) if words else ""
    words = {word: name for word, name in words.items() if word in before}
    if not words:
        return report
    found = _spoken(words, lines.before(place, report.span.first_line, _LINES), report)
    return msgspec.structs.replace(report, spoken_before=tuple(islice(found, _KEPT)))


def _plain(text: str) -> str:
    """Return the text as it is compared: `snd-hda-intel` and `snd_hda_intel` are one module."""
    return text.lower().replace("-", "_")


def _asked(report: Report, events: Sequence[ModuleEvent]) -> set[str]:
    """Return the modules from outside the tree; where nothing marks them, all of the list."""
    gone = report.unloaded_out_of_tree
    names = {*report.out_of_tree, *from_outside(events, report), *((gone,) if gone else ())}
    if not names and report.tainted is None:
        names = {module.name for module in report.modules[:_MOST]}
    return names


def _spoken(
    words: Mapping[str, str], before: Sequence[LogLine], report: Report
) -> Iterator[SpokenBefore]:
    """Yield the last line of each module, the nearest to the report first."""
    begins = re.compile(rf"\W{{0,2}}({'|'.join(map(re.escape, words))})(?!\w)")
    seen = set()
    for line in reversed(before):
        match = begins.match(_plain(line.text))
        name = words[match[1]] if match and _LOADING not in line.text else None
        if name and name not in seen and _is_near(line, report):
            seen.add(name)
            yield SpokenBefore(name, Line(line.number, line.text), _age(line, report))


def _is_near(line: LogLine, report: Report) -> bool:
    age = _age(line, report)
    if age is None:
        return report.span.first_line - line.number <= UNTIMED
    return 0 <= age <= SECONDS


def _age(line: LogLine, report: Report) -> float | None:
    if line.timestamp is None or report.timestamp is None:
        return None
    return report.timestamp - line.timestamp
