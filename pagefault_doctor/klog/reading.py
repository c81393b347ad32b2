"""From the bytes of a log to its reports: search, cut, name, take the fields."""

from __future__ import annotations

import mmap
from collections import Counter
from itertools import islice
from pathlib import Path
from typing import Final

from pagefault_doctor.klog import container
from pagefault_doctor.klog.cut import cuts
from pagefault_doctor.klog.parse import report_of
from pagefault_doctor.klog.scan import Scan, scan
from pagefault_doctor.klog.text import Lines
from pagefault_doctor.model.log import KernelLog
from pagefault_doctor.model.report import Report

MOST_REPORTS: Final = 500
"""Reports that are told of one log: a flood repeats itself."""
_MORE: Final = f"only the first {MOST_REPORTS} reports are told"
_NO_TEXT: Final = "not a text log"
_EMPTY: Final = "empty"


def read(data: bytes, source: str) -> KernelLog:
    """Return what a kernel log says. Never raises."""
    return _read(container.unpacked(data), source)


def read_file(path: Path) -> KernelLog:
    """Return what the kernel log in a file says. Raises OSError only."""
    with path.open("rb") as file:
        if not path.stat().st_size:
            return _read(file.read(), str(path))
        try:
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                if container.is_packed(data[:8]):
                    return _read(container.unpacked(data[:]), str(path))
                return _read(data, str(path))
        except (ValueError, OSError):
            return read(file.read(), str(path))


def _read(data: bytes | mmap.mmap, source: str) -> KernelLog:
    if not len(data):
        return KernelLog(source=source, note=_EMPTY)
    if container.is_binary(data[: 1 << 16]):
        return KernelLog(source=source, size=len(data), note=_NO_TEXT)
    seen: Scan = scan(data)
    lines = Lines(data)
    numbers: Counter[int] = Counter()
    reports: list[Report] = []
    for cut in islice(cuts(seen, lines), MOST_REPORTS):
        numbers[cut.start.boot] += 1
        reports.append(report_of(cut, seen, numbers[cut.start.boot]))
    return KernelLog(
        source=source,
        size=len(data),
        lines=seen.lines,
        boots=max(1, len(seen.boots)),
        booted=tuple(boot.release for boot in seen.boots) or (None,),
        reports=tuple(reports),
        module_events=seen.module_events,
        note=_MORE if len(reports) == MOST_REPORTS else None,
    )
