"""From the bytes of a log to its reports: search, cut, name, take the fields."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from typing import IO, Final

from pagefault_doctor.klog.input.unpack import EMPTY, Progress, UnpackedLog, Unpacker, UnpackProgram
from pagefault_doctor.klog.report import report_of
from pagefault_doctor.klog.scan import scan
from pagefault_doctor.klog.split import split_reports
from pagefault_doctor.klog.text import Lines
from pagefault_doctor.model.log import KernelLog
from pagefault_doctor.model.report import Report
from pagefault_doctor.model.untrusted import clean_line

MOST_REPORTS: Final = 500
"""Reports that are read from one log: a flood repeats itself."""
_MORE: Final = f"only the first {MOST_REPORTS} reports are told"
_UNREAD: Final = "lines after line {} were only counted: too many before them look like reports"


def read(data: bytes, source: str) -> KernelLog:
    """Return the content of a kernel log, of several in an archive that of the fullest."""
    try:
        return _fullest(_read_all(Unpacker().in_memory(data, source), None))
    except OSError as error:
        return KernelLog(source=clean_line(source), size=len(data), note=clean_line(str(error)))


def read_file(path: Path) -> KernelLog:
    """Return the content of the kernel log in a file, as `read` does.

    Raises OSError only.
    """
    return _fullest(logs_in_file(path))


def logs_in_file(
    path: Path, progress: Progress | None = None, helper: UnpackProgram | None = None
) -> Iterator[KernelLog]:
    """Yield the content of each log in a file or a folder of journals. Raises OSError only."""
    if helper and path.is_dir() and _holds_journals(path):
        yield from _read_all(Unpacker(progress, helper).folder(path), progress)
        return
    with path.open("rb") as file:
        yield from logs_in_stream(file, str(path), progress, helper)


def logs_in_stream(
    file: IO[bytes],
    source: str,
    progress: Progress | None = None,
    helper: UnpackProgram | None = None,
) -> Iterator[KernelLog]:
    """Yield the content of each log in an open file or pipe. Raises OSError only."""
    yield from _read_all(Unpacker(progress, helper).logs(file, source), progress)


def _holds_journals(path: Path) -> bool:
    found = (name for pattern in ("*.journal", "*/*.journal") for name in path.glob(pattern))
    return next(found, None) is not None


def _fullest(logs: Iterator[KernelLog]) -> KernelLog:
    return max(logs, key=lambda log: (len(log.reports), log.lines))


def _read_all(found: Iterable[UnpackedLog], progress: Progress | None) -> Iterator[KernelLog]:
    with contextlib.closing(iter(found)) as logs:  # type: ignore[type-var]
        left = MOST_REPORTS
        for each in logs:
            log = _read(each, progress, left)
            left -= len(log.reports)
            yield log


def _read(found: UnpackedLog, progress: Progress | None, most: int) -> KernelLog:
    data, size = found.data, len(found.data)
    if not size:
        return KernelLog(source=found.source, size=found.size, note=found.note or EMPTY)
    seen = scan(data, partial(progress, "searching") if progress else None)
    lines = Lines(data)
    numbers: Counter[int] = Counter()
    reports: list[Report] = []
    for cut in islice(split_reports(seen, lines), most):
        numbers[cut.start.boot] += 1
        reports.append(report_of(cut, seen, numbers[cut.start.boot]))
        if progress:
            progress("reading", cut.start.place, size, len(reports))
    notes = [
        found.note,
        _MORE if reports and len(reports) == most else None,
        _UNREAD.format(seen.full_at) if seen.full_at else None,
    ]
    return KernelLog(
        source=found.source,
        size=size,
        lines=seen.lines,
        boots=max(1, len(seen.boots)),
        booted=tuple(boot.release for boot in seen.boots) or (None,),
        reports=tuple(reports),
        module_events=seen.module_events,
        note="; ".join(filter(None, notes)) or None,
    )
