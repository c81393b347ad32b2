"""What a log comes packed in, opened layer by layer until there are lines to read.

All of it is bounded, archives in archives included: a small file may claim to hold a huge one.
What lies in a pipe or is unpacked goes by way of temporary files that have no name.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import IO, Final

import msgspec

from pagefault_doctor.klog.input import archive, compression, pstore, structured
from pagefault_doctor.klog.input.input_file import FileBytes, InputFile, Sequential
from pagefault_doctor.klog.input.text_forms import text_forms
from pagefault_doctor.klog.text import after_zeros
from pagefault_doctor.model.untrusted import clean_line

UnpackProgram = Callable[[str, str, str], str | None]
"""Unpacks with a program of this machine: `journal`, `journals` (a folder of them) or `zstd`, from
one path to another. Returns why it could not, or None."""
Progress = Callable[[str, int, int, int], None]
"""Is called now and then with what is done (`taking in`, `unpacking`, `searching`, `reading`), how
many bytes are through, how many there are (0: unknown), and how many reports were found so far."""
Bytes = bytes | FileBytes

EMPTY: Final = "empty"
NO_TEXT: Final = "not a text log"
MOST: Final = 1 << 30
"""Bytes that are unpacked and kept, or taken from a pipe, to be read."""
MOST_UNPACKED: Final = 1 << 33
"""Bytes that are unpacked, most of which may be members of an archive that are no logs."""
_DEEPEST: Final = 4
_HEAD: Final = 1 << 16
_STEP: Final = 1 << 18
_MOST_PARTS: Final = 1 << 24
"""Bytes of pstore records in an archive; a pstore holds some hundred kilobytes."""
_JOURNAL: Final = (
    "a binary journal; read it with: journalctl --file FILE _TRANSPORT=kernel -o export"
    " | pfdoctor diagnose -"
)
_NO_LOGS: Final = "an archive without logs that are known"
_TOO_DEEP: Final = "packed too many times over"
_CUT_OFF: Final = "only the first gigabyte was read"
_UNPACKED: Final = "what it unpacks to is too large; only the beginning was read"
_MORE_LOGS: Final = "the archive holds more than is looked at"
_REORDERED: Final = "the parts were put in order; lines are counted in that order"


class UnpackedLog(msgspec.Struct, frozen=True):
    """A log: its name, its lines, and what was wrong. `size` is that of what could not be read.

    `input` is the file that it is read from, which knows what kept a part from being read.
    """

    source: str
    data: Bytes
    note: str | None = None
    size: int = 0
    input: InputFile | None = None


class Unpacker:
    """Opens one input."""

    def __init__(
        self, progress: Progress | None = None, helper: UnpackProgram | None = None
    ) -> None:
        self._progress = progress
        self._helper = helper
        self._notes: list[str] = []
        self._input: InputFile | None = None
        self._kept = MOST
        self._unpacked = MOST_UNPACKED
        self._members = archive.MOST_MEMBERS
        self._logs = archive.MOST_LOGS

    def logs(self, file: IO[bytes], source: str) -> Iterator[UnpackedLog]:
        """Yield each log in a file that stands at its beginning; its data lasts until the next."""
        yield from self._file(file, source, 0)
        yield from self._rest(source)

    def folder(self, path: Path) -> Iterator[UnpackedLog]:
        """Yield the log in a folder of binary journals, as /var/log/journal/ID is one."""
        with self._helped("journals", str(path.absolute())) as file:
            yield from self._file(file, str(path), 1) if file else ()
        yield from self._rest(str(path))

    def in_memory(self, data: bytes, source: str) -> Iterator[UnpackedLog]:
        """Yield each log in data."""
        yield from self._opened(io.BytesIO(data), data, source, 0)
        yield from self._rest(source)

    def _rest(self, source: str) -> Iterator[UnpackedLog]:
        """Yield the notes that no log has taken."""
        if self._notes:
            yield self._found(source, b"")

    def _file(self, file: IO[bytes], source: str, depth: int) -> Iterator[UnpackedLog]:
        opened = InputFile(file)
        self._input = self._input if depth else opened
        data = FileBytes(opened) if opened.is_stored else None
        file = io.BufferedReader(Sequential(opened), _HEAD)
        if data is None and not depth:
            file = _buffered(self._taking(_pieces(file)))
        yield from self._opened(file, data, source, depth)
        if opened.problem and opened is not self._input:
            self._fail(opened.problem)

    def _opened(
        self, file: IO[bytes], data: Bytes | None, source: str, depth: int
    ) -> Iterator[UnpackedLog]:
        """Yield the logs in data, or in a file of which nothing has been read yet."""
        head = data[:_HEAD] if data is not None else _peek(file)
        size = len(data) if data is not None else 0
        name = compression.packed_as(head)
        if not head:
            yield self._found(source, b"", EMPTY)
        elif depth > _DEEPEST:
            yield self._found(source, b"", _TOO_DEEP, size)
        elif head.startswith(compression.JOURNAL):
            yield from self._by_program("journal", _JOURNAL, file, source, depth, size)
        elif name and compression.can_unpack(name):
            pieces = self._unpacking(compression.Unpacked(file, name), file, size)
            yield from self._opened(_buffered(pieces), None, source, depth + 1)
        elif name:
            yield from self._by_program("zstd", compression.NO_ZSTD, file, source, depth, size)
        elif archive.is_tar(head):
            yield from self._archive(file, source, depth)
        else:
            yield from self._text(file, data, head, source)

    def _text(
        self, file: IO[bytes], data: Bytes | None, head: bytes, source: str
    ) -> Iterator[UnpackedLog]:
        """Yield the log in text, out of the forms that it has."""
        if forms := tuple(text_forms(head)):
            self._notes += [form.note for form in forms if form.note]
            pieces = _pieces(file)
            for form in forms:
                pieces = form.decode(pieces)
            file, data = _buffered(pieces), None
            head = _peek(file)
        yield from self._lines(file, data, head, source)

    def _lines(
        self, file: IO[bytes], data: Bytes | None, head: bytes, source: str
    ) -> Iterator[UnpackedLog]:
        """Yield the log in text, or in fields that stand for lines."""
        if reader := structured.reader_of(head[:8192]):
            with self._spooled(reader(structured.lines_of(file), self._notes)) as lines:
                yield self._found(source, lines)
        elif compression.is_binary(_first_text(head, data)):
            yield self._found(source, b"", NO_TEXT, len(data) if data is not None else 0)
        else:
            opened = self._spooled(_pieces(file)) if data is None else nullcontext(data)
            with opened as whole:
                if not pstore.first_record(head):
                    yield self._found(source, whole)
                    return
                with self._spooled(pstore.in_order(whole)) as lines:
                    self._notes.append(_REORDERED)
                    yield self._found(source, lines)

    def _found(
        self, source: str, data: Bytes, note: str | None = None, size: int = 0
    ) -> UnpackedLog:
        """Return the log with all notes on how it was opened."""
        notes = [] if note == EMPTY and self._notes else [note] if note else []
        notes += self._notes
        self._notes.clear()
        note = "; ".join(dict.fromkeys(notes)) or None
        return UnpackedLog(clean_line(source), data, note, size, self._input)

    def _archive(self, file: IO[bytes], source: str, depth: int) -> Iterator[UnpackedLog]:
        """Yield each log of an archive, the records of a pstore as one."""
        parts, name, logs = b"", "", self._logs
        for member in archive.members(file, self._notes):
            self._members -= 1
            if member is None and self._members > 0:
                continue
            if member is None or self._logs <= 0 or self._kept <= 0:
                self._notes.append(_MORE_LOGS)
                break
            self._logs -= 1
            inside = _buffered(member.pieces)
            if pstore.first_record(_peek(inside)):
                name = name or f"{source}:{clean_line(member.name)}"
                parts += inside.read(max(0, _MOST_PARTS - len(parts)))
                continue
            yield from self._opened(inside, None, f"{source}:{clean_line(member.name)}", depth + 1)
        if parts:
            yield from self._opened(io.BytesIO(parts), parts, name, depth + 1)
        if logs == self._logs:
            yield self._found(source, b"", _NO_LOGS)

    def _by_program(
        self, what: str, otherwise: str, file: IO[bytes], source: str, depth: int, size: int
    ) -> Iterator[UnpackedLog]:
        """Yield the logs in what a program of this machine unpacks; without one, `otherwise`."""
        if self._helper is None:
            yield self._found(source, b"", otherwise, size)
            return
        with contextlib.ExitStack() as stack:
            if depth or not size:
                copy = stack.enter_context(_named() if what == "journal" else _unnamed())
                self._copy(_pieces(file), copy)
                file = copy
            unpacked = stack.enter_context(self._helped(what, _path_of(file)))
            if unpacked is None:
                yield self._found(source, b"", None, size)
            else:
                yield from self._file(unpacked, source, depth + 1)

    @contextlib.contextmanager
    def _helped(self, what: str, path: str) -> Iterator[IO[bytes] | None]:
        """Give the file that the helper wrote, or None where it wrote nothing."""
        assert self._helper is not None
        if self._unpacked <= 0:
            self._notes.append(_UNPACKED)
            yield None
            return
        with _unnamed() as file:
            if problem := self._helper(what, path, _path_of(file)):
                self._notes.append(problem)
            size = os.fstat(file.fileno()).st_size
            self._unpacked -= size
            if size >= MOST:
                self._notes.append(_CUT_OFF)
            yield file if size else None

    def _taking(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """Yield what comes out of a pipe, and report how much that is."""
        done = 0
        for piece in pieces:
            done += len(piece)
            if self._progress:
                self._progress("taking in", done, 0, 0)
            yield piece

    def _unpacking(
        self, unpacked: compression.Unpacked, file: IO[bytes], size: int
    ) -> Iterator[bytes]:
        for piece in unpacked:
            self._unpacked -= len(piece)
            if self._unpacked < 0:
                self._notes.append(_UNPACKED)
                return
            if self._progress:
                done = file.tell() if size else MOST_UNPACKED - self._unpacked
                self._progress("unpacking", done, size, 0)
            yield piece
        if unpacked.note:
            self._notes.append(unpacked.note)

    @contextlib.contextmanager
    def _spooled(self, pieces: Iterable[bytes]) -> Iterator[Bytes]:
        with _unnamed() as file:
            self._copy(pieces, file)
            copy = InputFile(file)
            yield FileBytes(copy) if copy.is_stored else b""

    def _copy(self, pieces: Iterable[bytes], file: IO[bytes]) -> None:
        """Write the pieces to a file, as many as are kept, and go to its beginning."""
        try:
            for piece in pieces:
                self._kept -= len(piece)
                if self._kept < 0:
                    self._notes.append(_CUT_OFF)
                    break
                file.write(piece)
            file.flush()
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
                raise
            import tempfile

            where = tempfile.gettempdir()
            self._fail(f"only a part was read: {where} is full; name another by TMPDIR")
        file.seek(0)

    def _fail(self, problem: str) -> None:
        """Keep what is wrong with this machine, for which the input can do nothing."""
        self._notes.append(problem)
        if self._input:
            self._input.problem = self._input.problem or problem


class _Pieces(io.RawIOBase):
    """Pieces of bytes as a file."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._held = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Fill the buffer: only at the end it may stay less than full."""
        filled = 0
        while filled < len(buffer):
            if not self._held:
                piece = next(self._pieces, None)
                if piece is None:
                    break
                self._held = memoryview(piece)
            size = min(len(buffer) - filled, len(self._held))
            buffer[filled : filled + size] = self._held[:size]
            self._held = self._held[size:]
            filled += size
        return filled


def _buffered(pieces: Iterator[bytes]) -> io.BufferedReader:
    return io.BufferedReader(_Pieces(pieces), _HEAD)


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    return iter(lambda: file.read(_STEP), b"")


def _peek(file: IO[bytes]) -> bytes:
    """Return how a file begins, without reading it."""
    assert isinstance(file, io.BufferedReader)
    return file.peek(_HEAD)[:_HEAD]


def _first_text(head: bytes, data: Bytes | None) -> bytes:
    """Return how data begins, or its text after zeros where the head is nothing but those."""
    if data is None or head.strip(b"\0"):
        return head
    place = after_zeros(data, 0)
    return data[place : place + _HEAD]


def _unnamed() -> IO[bytes]:
    """Return a new file without a name, which is gone when it is closed, however that happens."""
    import tempfile

    return tempfile.TemporaryFile()


def _named() -> IO[bytes]:
    """Return a new file with the name of a journal: journalctl opens no file without one."""
    import tempfile

    return tempfile.NamedTemporaryFile(prefix="pfdoctor-", suffix=".journal")


def _path_of(file: IO[bytes]) -> str:
    """Return a path of an open file that other programs of ours can open too (proc(5))."""
    return f"/proc/{os.getpid()}/fd/{file.fileno()}"
