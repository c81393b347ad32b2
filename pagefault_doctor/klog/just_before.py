"""The lines just before a report that tell of trouble, or of something that came or went.

A fault often follows from what the kernel said a moment before: a device that failed to resume, a
module that unregistered, a bad entry that was met. What the driver, the device or the task of the
report itself said counts from further up, and before what others said.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from pagefault_doctor.klog.line import LogLine, split
from pagefault_doctor.klog.starts import is_of_other_program
from pagefault_doctor.klog.text import Lines
from pagefault_doctor.model.fence import fenced
from pagefault_doctor.model.pattern import regex
from pagefault_doctor.model.report import Kind, Line, Report

_SECONDS: Final = 2.0
_ITS_SECONDS: Final = 20.0
"""Seconds within which what the driver or device of the report said may have led to it."""
_WAITED: Final = 600.0
"""Seconds before a report of a task that waits within which its wait may have begun: the kernel
looks at it after two minutes, and tells of it again and again (`kernel/hung_task.c`)."""
_UNTIMED: Final = 5
"""Lines before a report that count where the log has no clock."""
_ITS_UNTIMED: Final = 12
_READ: Final = 16
_ITS_READ: Final = 24
"""Lines before a report that are looked at, for what anybody said and for what its driver did."""
_BYTES: Final = 1 << 12
_KEPT: Final = 2
_ITS_KEPT: Final = 3
_WORDS: Final = (
    r"\b(?:fail(?:ed|ure|s|ing)?|errors?|unbalanced|unregister\w*|unload\w*|removed|disconnect\w*"
    r"|shutdown|shutting down|suspend(?:ed|ing)?|resum(?:ed|ing|e)|reset(?:ting)?|abort\w*"
    r"|time(?:d )?-?out|corrupt\w*|bad|crash(?:ed)?|hang|hung|dead|died|never|wrong|unable|fatal"
    r"|invalid|blocked|refus\w+|overflow\w*|overrun|underrun|lost|too (?:many|long)|unexpected"
    r"|stuck|cannot|can'?t|could(?:n't| not)|did(?:n't| not)|broken|offline"
    r"|link (?:is )?down"
    r"|(?:not|no) (?:found|respon\w+|ready|supported|such|device|link|carrier|ack\w*|answer\w*))\b"
)
_TROUBLE: Final = regex(_WORDS, re.IGNORECASE)
_PARTS: Final = (
    *(
        b"fail",
        b"error",
        b"balanced",
        b"register",
        b"nload",
        b"remov",
        b"connect",
        b"shut",
        b"abort",
    ),
    *(b"suspend", b"resum", b"reset", b"time", b"corrupt", b"bad", b"crash", b"hang", b"hung"),
    *(b"dead", b"died", b"never", b"wrong", b"unable", b"fatal", b"invalid", b"blocked", b"refus"),
    *(b"overflow", b"rrun", b"lost", b"too ", b"expected", b"stuck", b"can", b"could", b"did"),
    *(b"broken", b"offline", b"not ", b"no ", b"link ", b"attach", b"start", b"going"),
)
"""What a line that is kept holds one of, without capitals."""
_COMES_AND_GOES: Final = regex(
    r"\b(?:dis|re)?(?:connect|attach|register|enabl|disabl|start|stop|detach|probe?|remov|power)"
    r"(?:ed|ing|e|s)?\b|\bnew\b|\blink (?:is )?(?:up|down)\b|\bbecomes?\b|\bgoing\b"
    r"|-\d{1,3}\)?\s*$",
    re.IGNORECASE,
)
"""Of the driver or device itself, what is no trouble, but tells what was being done."""
_OF_OTHERS: Final = regex(
    r"^(?:[\w.@-]+\[\d+\]: |Call Trace|Code:|Modules linked|CPU: \d|RIP:|RSP:|---\[|R[A-D]X:"
    r"|Hardware name|Command line:|Kernel command line:)"
)
_SPEAKER: Final = regex(
    r"^\W{0,2}(?:\[?drm:\w+ \[(?P<drm>[\w-]+)\]|(?P<driver>\w[\w-]{1,30})"
    r"(?: (?P<device>[\w@.:/-]{2,40}))?(?=[:\]>)]| \[| \())"
)
"""Who speaks: a driver, and its device (`drivers/base/core.c`, dev_printk; pr_fmt)."""
_ALIKE: Final = 4
"""Letters that the names of modules of one driver begin with alike: `ath10k_pci`, `ath10k_core`."""
_FRAMES: Final = 24
_BUILT_IN: Final = 3
"""Frames that are looked at, and those whose functions name a driver that is no module."""
_FAMILIES: Final = regex(r"^(?:snd|usb|drm|nf|nft|scsi|virtio|intel|amd|i2c|spi|hid|dm|pci)_")
"""What the names of modules begin with that have nothing else in common."""
_WAITING: Final = frozenset({Kind.HUNG_TASK, Kind.STALL, Kind.LOCKUP})


def with_lines_before(
    report: Report, place: int, lines: Lines, caller: str | None = None
) -> Report:
    """Return the report, which begins at a place of the log, with the lines just before it.

    `caller` is the task or CPU that printed it, where the log names that.
    """
    return fenced(lambda _: report, _with_lines_before, report, place, lines, caller)


def _with_lines_before(report: Report, place: int, lines: Lines, caller: str | None) -> Report:
    if not report.is_kernel_fault or place == 0:
        return report
    before = list(_lines_before(place, report.span.first_line, lines))
    if not before:
        return report
    read = set(report.cited.values())
    told = [line for line in before if line.number not in read and _is_ours(line)]
    its = list(_distinct(_of_its_own(told, report, caller)))
    last = report.span.first_line - _READ
    anyone = list(_distinct(x for x in told if x.number >= last and _is_near(x, report)))
    others = [line for line in anyone if line not in its][-_KEPT:]
    kept = (_first_and_last(its) + others[::-1])[: _ITS_KEPT if its else _KEPT]
    kept.sort(key=lambda line: line.number)
    found = tuple(Line(line.number, line.text) for line in kept)
    return msgspec.structs.replace(report, before=found) if found else report


def _lines_before(place: int, number: int, lines: Lines) -> Iterator[LogLine]:
    """Yield those of the lines before a place that may be kept; most need not be read at all."""
    begin = max(0, place - _BYTES)
    window = lines.data[begin:place]
    rows = window.split(b"\n")[1 if begin else 0 : -1]
    lower = window.lower()
    parts = [part for part in _PARTS if part in lower]
    for index in range(max(0, len(rows) - _ITS_READ), len(rows)) if parts else ():
        small = rows[index].lower()
        if any(part in small for part in parts):
            yield split(rows[index].decode("utf-8", "replace"), number - len(rows) + index)


def _is_ours(line: LogLine) -> bool:
    """Whether the kernel says it, and it is no part of a dump."""
    return not (line.frame or _OF_OTHERS.match(line.text) or is_of_other_program(line.text))


def _first_and_last(lines: list[LogLine]) -> list[LogLine]:
    """Return what it began with, and the last words."""
    return lines if len(lines) < _ITS_KEPT else [lines[0], *lines[-_KEPT:]]


def _distinct(lines: Iterable[LogLine]) -> Iterator[LogLine]:
    """Yield the last of the lines of one speaker that differ in numbers alone, in their order."""
    yield from sorted(
        {_shape(line.text): line for line in lines}.values(), key=lambda line: line.number
    )


def _shape(text: str) -> tuple[str, str]:
    speaker, _, words = text.partition(": ")
    return speaker, _NUMBER.sub("#", words)


_NUMBER: Final = regex(r"\b(?:0x)?[0-9a-f]{2,}\b|\d+")


def _of_its_own(lines: Iterable[LogLine], report: Report, caller: str | None) -> Iterator[LogLine]:
    """Yield what the driver or the task of the report said of trouble, or of what it did."""
    names = _names(report)
    most = _WAITED if report.kind in _WAITING else _ITS_SECONDS
    for line in lines:
        if not _is_within(line, report, most, _ITS_UNTIMED):
            continue
        speaks = _speaks_of(line.text, names)
        trouble = (speaks or (caller and line.caller == caller)) and _TROUBLE.search(line.text)
        if trouble or (speaks and _COMES_AND_GOES.search(line.text)):
            yield line


def _names(report: Report) -> frozenset[str]:
    """Return the modules of the report and of its first frames, as drivers are named.

    Where none is a module, it is what the names of the first functions begin with.
    """
    frames = [frame for frame in report.frames[:_FRAMES] if frame.reliable]
    names = {name for name in (report.module, *(f.module for f in frames)) if name}
    if not names:
        functions = (f.function for f in frames[:_BUILT_IN])
        names = {name for name in functions if name and _DRIVER.match(name)}
    return frozenset(name.replace("-", "_").lower() for name in names)


_DRIVER: Final = regex(
    r"(?!(?:device|driver|platform|kernel|work|process|really|sched|kthread|exc|entry|queue|list"
    r"|kmem|skb|sock|page|read|write|call|dump|show|regmap|pm_|dpm|bus_|irq|handle|mutex)_?)"
    r"[a-z][a-z0-9]{3,}_"
)
"""Functions that begin with the name of a driver."""


def _speaks_of(text: str, names: frozenset[str]) -> bool:
    match = _SPEAKER.match(text) if names else None
    if match is None:
        return False
    speaker = (match["drm"] or match["driver"]).replace("-", "_").lower()
    return any(_is_of(speaker, name) for name in names)


def _is_of(speaker: str, name: str) -> bool:
    """Whether a driver's name and a module's are of one driver."""
    if speaker == name:
        return True
    known = _FAMILIES.match(name)
    least = known.end() + _ALIKE if known else _ALIKE
    return speaker[:least] == name[:least] and len(speaker) >= least


def _is_near(line: LogLine, report: Report) -> bool:
    return _TROUBLE.search(line.text) is not None and _is_within(line, report, _SECONDS, _UNTIMED)


def _is_within(line: LogLine, report: Report, seconds: float, count: int) -> bool:
    if line.timestamp is None or report.timestamp is None:
        return report.span.first_line - line.number <= count
    return 0 <= report.timestamp - line.timestamp <= seconds
