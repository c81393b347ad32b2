"""Which faults were met before: a line for each, from the sessions that were kept.

A session is long and takes time to read again, so what it was about is kept in one small file. The
same report, read again from the same log or from another one, is one sighting.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

import msgspec

from pagefault_doctor.files.home_folder import state_folder
from pagefault_doctor.files.private_folder import check_private_folder
from pagefault_doctor.files.regular_file import read_regular
from pagefault_doctor.model.known_case import Seen
from pagefault_doctor.model.report import Report
from pagefault_doctor.model.signature import signature

LARGEST: Final = 1 << 18
"""Bytes of the file from which on its older half is left out."""
_NAME: Final = "sightings.jsonl"


class Sighting(msgspec.Struct, frozen=True):
    """One time that a fault was met, in seconds since the epoch."""

    signature: str
    occurrence: str
    at: float


def sighting_of(report: Report, at: float = 0.0) -> Sighting:
    """Return the sighting of a report; two of them are the same time where they are equal."""
    # Most runs have no earlier sighting, and OpenSSL takes long to load.
    import hashlib

    # Registers differ each time; the clock does not help where one of two logs prints none.
    when = tuple(sorted(report.registers.items())) or (report.timestamp, report.wall_clock)
    who = (report.kernel_release, report.comm, report.pid, report.cpu, report.die_count)
    what = (report.title, report.fault and report.fault.address)
    key = hashlib.sha256(repr((when, who, what)).encode("utf-8", "replace")).hexdigest()
    return Sighting(signature(report), key[:16], at)


def path_of(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the file of sightings, which may be missing; raises NoHomeError."""
    return state_folder(environ) / _NAME


def record(reports: Iterable[Report], at: float) -> None:
    """Add the reports that are not in the file yet. Does nothing where it cannot be written."""
    with contextlib.suppress(OSError):
        path = path_of()
        check_private_folder(path.parent, 1)
        there = _read(path)
        seen = {(each.signature, each.occurrence) for each in there}
        new = [sighting_of(report, at) for report in reports]
        new = [each for each in new if (each.signature, each.occurrence) not in seen]
        if new:
            _write(path, there, new)


def earlier(reports: Iterable[Report]) -> Iterator[Seen | None]:
    """Yield for each report how often its like was met before, None where it was not."""
    known: list[Sighting] = []
    with contextlib.suppress(OSError):
        known = _read(path_of())
    for report in reports:
        this = sighting_of(report) if known else None
        before = [each for each in known if this and _is_before(each, this)]
        yield Seen(len(before), max(each.at for each in before)) if before else None


def _is_before(other: Sighting, this: Sighting) -> bool:
    return other.signature == this.signature and other.occurrence != this.occurrence


def _read(path: Path) -> list[Sighting]:
    try:
        lines = read_regular(path, 2 * LARGEST, follow_links=False).splitlines()
    except FileNotFoundError:
        return []
    found: list[Sighting] = []
    for line in lines:
        # A line may be torn: the machine may have died while it was written.
        with contextlib.suppress(msgspec.DecodeError):
            found.append(msgspec.json.decode(line, type=Sighting))
    return found


def _write(path: Path, there: list[Sighting], new: list[Sighting]) -> None:
    text = _lines(new)
    size = path.stat().st_size if there else 0
    if size + len(text) > LARGEST:
        _replace(path, _lines([*there[len(there) // 2 :], *new]))
        return
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    with os.fdopen(os.open(path, flags, 0o600), "ab") as file:
        file.write(text)


def _replace(path: Path, text: bytes) -> None:
    beside = path.with_suffix(f".{os.getpid()}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
    with os.fdopen(os.open(beside, flags, 0o600), "wb") as file:
        file.write(text)
    os.replace(beside, path)


def _lines(sightings: Iterable[Sighting]) -> bytes:
    return b"".join(msgspec.json.encode(each) + b"\n" for each in sightings)
