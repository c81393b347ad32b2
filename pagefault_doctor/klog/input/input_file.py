"""The bytes of a file, whatever other programs do to it while it is read.

It is not mapped: a file that becomes shorter while it is mapped ends the process (SIGBUS). Reading
ends where the file does now, and what was wrong is kept as a sentence, never raised.
"""

from __future__ import annotations

import io
import os
import select
import stat
from typing import IO, Final

SHORTER: Final = "the file became shorter while it was read; only what remained was read"
GROWN: Final = "the file grew while it was read; what was added was not read"
OVERWRITTEN: Final = "the file was overwritten while it was read; some reports lack lines"
_WINDOW: Final = 1 << 16
_BEFORE: Final = 1 << 13
"""Bytes around a place that are read at once, since lines around it are asked for next."""


class InputFile:
    """A file that is open for reading; another program may change it.

    `size` is in bytes: of a regular file that stands at its beginning what can be read of it, else
    0. `problem` says what kept a part from being read.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._descriptor = _descriptor_of(file)
        self.size = self._first_size = _size_of(file, self._descriptor)
        self.problem: str | None = None
        self._passed = 0

    @property
    def is_stored(self) -> bool:
        """Whether it has a size, so that each place in it can be read."""
        return self._first_size > 0

    @property
    def lost(self) -> str | None:
        """Why a part of it was not read: it cannot be, or another program took it away; or None."""
        shorter = self._change() < 0 or (self.size < self._first_size and self.problem is None)
        return self.problem or (SHORTER if shorter else None)

    @property
    def grew(self) -> bool:
        """Whether another program added to it since it was opened."""
        return self._change() > 0

    def _change(self) -> int:
        if not self.is_stored or self._descriptor is None:
            return 0
        return os.fstat(self._descriptor).st_size - self._first_size

    def fileno(self) -> int:
        """Return the descriptor. Raises OSError where there is none."""
        return self._file.fileno()

    def read_at(self, place: int, size: int) -> bytes:
        """Return the bytes at a place; fewer only where the file ends or cannot be read."""
        assert self._descriptor is not None, "a file with a size has one"
        data, end = b"", min(place + size, self.size)
        while (missing := end - place - len(data)) > 0:
            try:
                piece = os.pread(self._descriptor, missing, place + len(data))
            except OSError as error:
                self._fails(place + len(data), error)
                piece = b""
            if not piece:
                self.size = min(self.size, place + len(data))
                break
            data = data + piece if data else piece
        return data

    def read_on(self, size: int) -> bytes:
        """Return the next bytes of a stream, as many as are there; none at its end."""
        while self.problem is None:
            try:
                piece = (
                    self._file.read(size)
                    if self._descriptor is None
                    else os.read(self._descriptor, size)
                )
                self._passed += len(piece)
                return piece
            except BlockingIOError:
                select.select([self._file], [], [])
            except OSError as error:
                self._fails(self._passed, error)
        return b""

    def _fails(self, place: int, error: OSError) -> None:
        why = error.strerror or type(error).__name__
        self.problem = self.problem or f"reading failed after {place:,} bytes: {why}"


class Sequential(io.RawIOBase):
    """The bytes of an input file from its beginning on, as a file for who reads forward."""

    def __init__(self, source: InputFile) -> None:
        self._source = source
        self._place = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return self._source.is_stored

    def fileno(self) -> int:
        return self._source.fileno()

    def tell(self) -> int:
        return self._place

    def seek(self, place: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._place, os.SEEK_END: self._source.size}
        self._place = base[whence] + place
        return self._place

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        size = len(buffer)
        source = self._source
        data = source.read_at(self._place, size) if source.is_stored else source.read_on(size)
        buffer[: len(data)] = data
        self._place += len(data)
        return len(data)


class FileBytes:
    """The bytes of an input file with a size, read where they are asked for.

    It has what of `bytes` is used on a log. No more than one part of it is in memory.
    """

    def __init__(self, source: InputFile) -> None:
        self.source = source
        self._begin = 0
        self._window = b""

    def __len__(self) -> int:
        return self.source.size

    def __getitem__(self, part: slice) -> bytes:
        begin, end, _ = part.indices(len(self))
        if begin >= end:
            return b""
        self._load(begin, end)
        return self._window[begin - self._begin : end - self._begin]

    def find(self, words: bytes, begin: int = 0, end: int | None = None) -> int:
        """Return the first place of the words between two places, -1 where there is none."""
        begin, end, _ = slice(begin, end).indices(len(self))
        while begin < end:
            if not self._begin <= begin < self._end:
                self._load(begin, min(begin + _WINDOW, end))
            found = self._window.find(words, begin - self._begin, end - self._begin)
            if found >= 0:
                return self._begin + found
            if self._end >= min(end, len(self)):
                return -1
            # Words may lie across the end of what was loaded.
            begin = max(begin + 1, self._end - len(words) + 1)
            if begin < self._end:
                self._load(begin, min(begin + _WINDOW, end))
        return -1

    def rfind(self, words: bytes, begin: int, end: int) -> int:
        """Return the last place of the words between two places, -1 where there is none."""
        begin, end, _ = slice(begin, end).indices(len(self))
        found = self[begin:end].rfind(words)
        return begin + found if found >= 0 else -1

    @property
    def _end(self) -> int:
        return self._begin + len(self._window)

    def _load(self, begin: int, end: int) -> None:
        """Have a part in memory, with what is around it where it is small."""
        if self._begin <= begin and end <= self._end:
            return
        if end - begin < _WINDOW:
            begin, end = max(0, begin - _BEFORE), begin + _WINDOW
        self._window = b""
        self._begin, self._window = begin, self.source.read_at(begin, end - begin)


def _descriptor_of(file: IO[bytes]) -> int | None:
    try:
        return file.fileno()
    except io.UnsupportedOperation:
        # Bytes in memory that are read like a file.
        return None


def _size_of(file: IO[bytes], descriptor: int | None) -> int:
    if descriptor is None:
        return 0
    state = os.fstat(descriptor)
    # A file that was read from before, as standard input may be, is read on from where it stands.
    return state.st_size if stat.S_ISREG(state.st_mode) and not file.tell() else 0
