"""From the bytes of a log to its reports: search, cut, name, take the fields."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import IO, Final

import msgspec

from pagefault_doctor.klog.input.input_file import GROWN, OVERWRITTEN, FileBytes
from pagefault_doctor.klog.input.unpack import EMPTY, Progress, UnpackedLog, Unpacker, UnpackProgram
from pagefault_doctor.klog.just_before import with_lines_before
from pagefault_doctor.klog.machine_marks import machine_marks
from pagefault_doctor.klog.module_version import with_version
from pagefault_doctor.klog.report import report_of
from pagefault_doctor.klog.scan import scan
from pagefault_doctor.klog.scary import scary_lines
from pagefault_doctor.klog.sharing import Room
from pagefault_doctor.klog.split import split_reports
from pagefault_doctor.klog.spoken_before import with_spoken
from pagefault_doctor.klog.text import Lines
from pagefault_doctor.klog.typed_before import with_typed
from pagefault_doctor.model.log import KernelLog
from pagefault_doctor.model.report import Report
from pagefault_doctor.model.untrusted import clean_line

MOST_REPORTS: Final = 500
"""Reports that are read from one log: a flood repeats itself."""
_VERSIONED: Final = 8
"""Reports whose modules' versions are looked for before them."""
_MORE: Final = f"only the first {MOST_REPORTS} reports are told"
_UNREAD: Final = "lines after line {} were only counted: too many before them look like reports"
_UNSEEN: Final = (
    "lines after line {} were only counted: too many before them begin boots or reports"
)
_DROPPED: Final = "{:,} more messages about modules are not told"


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
        told, last = False, None
        for last in logs:
            log = _read(last, progress, left)
            left -= len(log.reports)
            told = told or log.unread is not None
            yield log
        # Behind its last log an archive may have had more.
        if last and last.input and not told and (lost := last.input.lost):
            yield KernelLog(source=last.source, note=lost, unread=lost)


def _read(found: UnpackedLog, progress: Progress | None, most: int) -> KernelLog:
    data, size = found.data, len(found.data)
    if not size:
        unread = _unread(found)
        why = _joined(found.note, unread) or EMPTY
        return KernelLog(source=found.source, size=found.size, note=why, unread=unread)
    seen = scan(data, partial(progress, "searching") if progress else None)
    lines = Lines(data)
    numbers: Counter[int] = Counter()
    reports: list[Report] = []
    starts: list[int] = []
    room = Room(size)
    for cut in islice(split_reports(seen, lines), most):
        numbers[cut.start.boot] += 1
        report = report_of(cut, seen, numbers[cut.start.boot])
        report = with_spoken(report, cut.start.place, lines, seen.module_events)
        report = with_typed(report, cut.start.place, lines)
        if len(reports) < _VERSIONED:
            report = with_version(report, cut.start.place, lines)
        report = with_lines_before(report, cut.start.place, lines, cut.start.line.caller)
        reports.append(room.kept(report))
        starts.append(cut.start.place)
        if progress:
            progress("reading", cut.start.place, size, len(reports))
    reports = list(_with_releases(reports))
    lost = OVERWRITTEN if lines.overwritten else _unread(found)
    if seen.full_at and not reports:
        # The fault may be behind: this is no log without one.
        lost = _joined(lost, _UNSEEN.format(seen.full_at))
    note = _joined(
        found.note,
        lost,
        GROWN if found.input and found.input.grew else None,
        _MORE if reports and len(reports) == most else None,
        room.note,
        _UNREAD.format(seen.full_at) if seen.full_at and reports else None,
        _DROPPED.format(seen.dropped) if seen.dropped else None,
    )
    return KernelLog(
        source=found.source,
        size=size,
        lines=seen.lines,
        boots=max(1, len(seen.boots)),
        booted=tuple(boot.release for boot in seen.boots) or (None,),
        reports=tuple(reports),
        module_events=seen.module_events,
        machine=machine_marks(reports, starts, seen.boots, lines),
        scary=() if reports else scary_lines(data, seen.lines),
        note=note,
        unread=lost,
    )


def _with_releases(reports: Sequence[Report]) -> Iterator[Report]:
    """Yield the reports, those that do not name the kernel with the release of their boot's others.

    Some reports never do, such as that of a bad page until 2.6.15.
    """
    releases = {r.boot: r.kernel_release for r in reversed(reports) if r.kernel_release}
    for report in reports:
        known = report.kernel_release or releases.get(report.boot)
        is_new = known != report.kernel_release
        yield msgspec.structs.replace(report, kernel_release=known) if is_new else report


def _joined(*notes: str | None) -> str | None:
    return "; ".join(dict.fromkeys(filter(None, notes))) or None


def _unread(found: UnpackedLog) -> str | None:
    of_input = found.input.lost if found.input else None
    # A log that was unpacked lies in a file of ours, of which reading can fail as well.
    return of_input or (found.data.source.lost if isinstance(found.data, FileBytes) else None)
