"""The lines of a log as bytes, nothing left out: for whoever prints them again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import IO, Any, Final

from pagefault_doctor.klog.input.compression import Unpacked, can_unpack, packed_as
from pagefault_doctor.model.errors import UsageError

LONGEST: Final = 1 << 16
"""Bytes of a line that are given at once; a longer one comes in pieces."""
_HEAD: Final = 8


class RawLines:
    """The lines of a file, which may be compressed; `note` is what was wrong, in the end.

    Lines end with their newline. Raises UsageError for what cannot be unpacked here, and OSError.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file = _Source(file)
        self.note: str | None = None

    def __iter__(self) -> Iterator[bytes]:
        name = packed_as(self._file.head)
        if name is None:
            yield from _lines(iter(self._file.read, b""))
            return
        if not can_unpack(name):
            raise UsageError(f"nothing here unpacks {name}", "unpack it first")
        unpacked = Unpacked(self._file, name)  # type: ignore[arg-type]
        yield from _lines(unpacked)
        self.note = unpacked.note


class _Source:
    """Reads what is there, without waiting for more, as from a program that goes on printing."""

    def __init__(self, file: IO[bytes]) -> None:
        self._read: Any = getattr(file, "read1", file.read)
        self.head = b""
        while len(self.head) < _HEAD and (piece := self._read(LONGEST)):
            self.head += piece
        self._first: bytes | None = self.head

    def read(self, size: int = LONGEST) -> bytes:
        first, self._first = self._first, None
        data: bytes = first or self._read(size)
        return data or b""


def _lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    rest = b""
    for piece in pieces:
        rest += piece
        *lines, rest = rest.split(b"\n")
        yield from (line + b"\n" for line in lines)
        while len(rest) >= LONGEST:
            yield rest[:LONGEST]
            rest = rest[LONGEST:]
    if rest:
        yield rest
