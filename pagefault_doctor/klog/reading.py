"""From the bytes of a log to its reports: unpack, search, cut, name, take the fields."""

from __future__ import annotations

import io
import mmap
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import IO, Final

import msgspec

from pagefault_doctor.klog import archive, container
from pagefault_doctor.klog.cut import cuts
from pagefault_doctor.klog.parse import report_of
from pagefault_doctor.klog.scan import Progress, Scan, scan
from pagefault_doctor.klog.text import Lines
from pagefault_doctor.model.log import KernelLog
from pagefault_doctor.model.report import Report

MOST_REPORTS: Final = 500
"""Reports that are told of one log: a flood repeats itself."""
_MORE: Final = f"only the first {MOST_REPORTS} reports are told"
_NO_TEXT: Final = "not a text log"
_EMPTY: Final = "empty"
_JOURNAL: Final = (
    "a binary journal; read it with: journalctl --file FILE -k -o short-monotonic"
    " | pfdoctor diagnose -"
)
_NO_LOGS: Final = "an archive without logs that are known"
_CUT_OFF: Final = "only the first gigabyte was read"
_DEEPEST: Final = 4
_HEAD: Final = 1 << 16
MOST: Final = 1 << 30
"""Bytes that are unpacked or taken from a pipe: a small file may claim to hold a very large one."""


def read(data: bytes, source: str) -> KernelLog:
    """Return what a kernel log says. Never raises."""
    return _opened(io.BytesIO(data), data, source, None, 0)


def read_file(path: Path, progress: Progress | None = None) -> KernelLog:
    """Return what the kernel log in a file says. Raises OSError only."""
    with path.open("rb") as file:
        return read_stream(file, str(path), progress)


def read_stream(file: IO[bytes], source: str, progress: Progress | None = None) -> KernelLog:
    """Return what the kernel log in an open file or pipe says. Raises OSError only."""
    try:
        regular = os.fstat(file.fileno()).st_size > 0 and not file.tell()
    except (OSError, ValueError):
        regular = False
    if not regular:
        return _spooled(iter(lambda: file.read(1 << 18), b""), source, progress, 0)
    try:
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return _opened(file, data, source, progress, 0)
    except ValueError:
        return _spooled(iter(lambda: file.read(1 << 18), b""), source, progress, 0)


def _opened(
    file: IO[bytes], data: bytes | mmap.mmap, source: str, progress: Progress | None, depth: int
) -> KernelLog:
    """Return what data says, whatever it is packed in; `file` stands at its beginning."""
    head = data[:_HEAD]
    if head.startswith(container.JOURNAL):
        return KernelLog(source=source, size=len(data), note=_JOURNAL)
    if depth < _DEEPEST and (name := container.packed_as(head)):
        unpacked = container.Unpacked(file, name)
        log = _spooled(unpacked, source, progress, depth + 1)
        if not log.lines and unpacked.note:
            return KernelLog(source=source, size=len(data), note=unpacked.note)
        return _noted(log, unpacked.note)
    if archive.is_tar(head):
        return (
            _archived(file, source, progress, depth) if depth < _DEEPEST else _no_text(data, source)
        )
    return _converted(file, data, head, source, progress)


def _no_text(data: bytes | mmap.mmap, source: str) -> KernelLog:
    return KernelLog(source=source, size=len(data), note=_NO_TEXT)


def _converted(
    file: IO[bytes], data: bytes | mmap.mmap, head: bytes, source: str, progress: Progress | None
) -> KernelLog:
    from pagefault_doctor.klog import journal

    if reader := journal.reader_of(head[:8192]):
        lines = iter(lambda: file.readline(1 << 21), b"")
        return _spooled(reader(lines), source, progress, _DEEPEST + 1)
    if b"#" in head[:16] and b" Part" in head[:40]:
        data = archive.in_order(data[: 1 << 24])
    return _read(data, source, progress)


def _archived(file: IO[bytes], source: str, progress: Progress | None, depth: int) -> KernelLog:
    """Return the log of the archive that holds the most reports; its source names it."""
    best: KernelLog | None = None
    parts: list[archive.Member] = []
    for member in archive.members(file, MOST):
        if archive.is_part(member.data):
            parts.append(member)
            continue
        name = f"{source}!{member.name}"
        log = _opened(io.BytesIO(member.data), member.data, name, progress, depth + 1)
        if best is None or len(log.reports) > len(best.reports):
            best = log
    if parts:
        log = _read(
            archive.in_order(b"".join(x.data for x in parts)), f"{source}!{parts[0].name}", progress
        )
        best = log if best is None or len(log.reports) >= len(best.reports) else best
    return best or KernelLog(source=source, note=_NO_LOGS)


def _spooled(
    stream: Iterable[bytes], source: str, progress: Progress | None, depth: int
) -> KernelLog:
    """Return what a stream says, by way of a file that has no name."""
    import tempfile

    with tempfile.TemporaryFile() as file:
        whole = True
        for piece in _bounded(stream):
            whole = piece is not None
            file.write(piece or b"")
        file.seek(0)
        if not os.fstat(file.fileno()).st_size:
            return KernelLog(source=source, note=_EMPTY)
        file.flush()
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            if depth > _DEEPEST:
                log = _read(data, source, progress)
            else:
                log = _opened(file, data, source, progress, depth)
        return log if whole else _noted(log, _CUT_OFF)


def _bounded(stream: Iterable[bytes]) -> Iterator[bytes | None]:
    """Yield the pieces of a stream, and None in the end where there was too much."""
    size = 0
    for piece in stream:
        size += len(piece)
        if size > MOST:
            yield None
            return
        yield piece


def _noted(log: KernelLog, note: str | None) -> KernelLog:
    notes = [x for x in (log.note, note) if x]
    return msgspec.structs.replace(log, note="; ".join(notes) or None)


def _read(data: bytes | mmap.mmap, source: str, progress: Progress | None) -> KernelLog:
    if not len(data):
        return KernelLog(source=source, note=_EMPTY)
    if container.is_binary(data[:_HEAD]):
        return _no_text(data, source)
    seen: Scan = scan(data, progress)
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
