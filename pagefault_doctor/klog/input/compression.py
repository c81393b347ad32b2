"""What a log may be packed in: gzip, bzip2, xz, zstd; and text in other forms than UTF-8 lines."""

from __future__ import annotations

import binascii
import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import IO, Any, Final, NamedTuple

from pagefault_doctor.klog.input.wrapped import unwrapped, wrap_of

MAGIC: Final = {
    b"\x1f\x8b\x08": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
}
"""How a file begins: RFC 1952, bzip2, the .xz file format, RFC 8878."""
JOURNAL: Final = b"LPKSHHRH"
"""How a binary journal begins: systemd, "Journal File Format"."""
NO_ZSTD: Final = (
    "nothing here unpacks zstd: install the program zstd, or the Python package zstandard"
)
BROKEN_OFF: Final = "the compressed data breaks off; what is whole was read"
NO_ROOM: Final = (
    "the compressed data asks for more memory than is given to unpack it; unpack it by hand first"
)
JOINED: Final = "lines that a mail or a terminal broke are read as one"
_CONTROLS: Final = bytes({*range(0x20), 0x7F} - {*b"\a\b\t\n\v\f\r\x1b"})
_QUOTED_PRINTABLE_LINE: Final = 76
"""Characters of a line at most, the mark of a soft break among them."""
_FEWEST_BREAKS: Final = 3
_STEP: Final = 1 << 18
_SMALL: Final = 1 << 12
"""Bytes of zstd that are read at once: what comes out cannot be bounded everywhere."""


def can_unpack(name: str) -> bool:
    """Whether this Python can unpack a compression itself."""
    return _MAKERS[name]() is not None


def packed_as(head: bytes) -> str | None:
    """Return the name of the compression that the first bytes show, or None."""
    return next((name for magic, name in MAGIC.items() if head.startswith(magic)), None)


class Unpacked:
    """The bytes in compressed data, in pieces; `note` is what was wrong, in the end."""

    def __init__(self, file: IO[bytes], name: str) -> None:
        self._file = file
        self._name = name
        self.note: str | None = None

    def __iter__(self) -> Iterator[bytes]:
        maker = _MAKERS[self._name]()
        assert maker is not None, "the caller asks can_unpack first"
        try:
            yield from self._pieces(maker)
        except Exception as error:
            if not isinstance(error, (OSError, EOFError, ValueError, zlib.error, *_errors())):
                raise
            self.note = NO_ROOM if "emory" in str(error) else BROKEN_OFF

    def _pieces(self, maker: Callable[[], Any]) -> Iterator[bytes]:
        unpacker, begun = maker(), False
        while data := self._file.read(_STEP if self._name != "zstd" else _SMALL):
            while data:
                if unpacker.eof:
                    if packed_as(data[:8]) != self._name:
                        return
                    unpacker = maker()
                yield (piece := _step(unpacker, data))
                begun = begun or bool(piece)
                while piece and not unpacker.eof and _has_more(unpacker):
                    yield (piece := _step(unpacker, getattr(unpacker, "unconsumed_tail", b"")))
                data = unpacker.unused_data if unpacker.eof else b""
        if not unpacker.eof:
            self.note = BROKEN_OFF


def _step(unpacker: Any, data: bytes) -> bytes:
    """Unpack no more than a piece at once: a thousand times as much may come out."""
    bounded = hasattr(unpacker, "needs_input") or hasattr(unpacker, "unconsumed_tail")
    piece: bytes = unpacker.decompress(data, _STEP) if bounded else unpacker.decompress(data)
    return piece


def _has_more(unpacker: Any) -> bool:
    if hasattr(unpacker, "needs_input"):
        return not unpacker.needs_input
    return bool(getattr(unpacker, "unconsumed_tail", b""))


def _gzip() -> Callable[[], Any]:
    return lambda: zlib.decompressobj(wbits=31)


def _bzip2() -> Callable[[], Any]:
    import bz2

    return bz2.BZ2Decompressor


def _xz() -> Callable[[], Any]:
    import lzma

    return lambda: lzma.LZMADecompressor(memlimit=1 << 27)


class _Zstandard:
    """The unpacker of the package zstandard, which knows no bound for what comes out."""

    def __init__(self, unpacker: Any) -> None:
        self._unpacker = unpacker
        self.decompress = unpacker.decompress

    @property
    def eof(self) -> bool:
        return bool(self._unpacker.eof)

    @property
    def unused_data(self) -> bytes:
        return bytes(self._unpacker.unused_data)


def _zstd() -> Callable[[], Any] | None:
    from importlib import import_module

    for module, maker in (("compression.zstd", "ZstdDecompressor"), ("zstandard", "")):
        try:
            found = import_module(module)
        except ImportError:
            continue
        if maker:
            made: Callable[[], Any] = getattr(found, maker)
            return made
        return lambda: _Zstandard(found.ZstdDecompressor(max_window_size=1 << 27).decompressobj())
    return None


_MAKERS: Final[dict[str, Callable[[], Callable[[], Any] | None]]] = {
    "gzip": _gzip,
    "bzip2": _bzip2,
    "xz": _xz,
    "zstd": _zstd,
}


def _errors() -> tuple[type[Exception], ...]:
    """Return the errors of the unpackers that are loaded and have one of their own."""
    import sys

    found = [getattr(sys.modules.get("_lzma"), "LZMAError", None)]
    found += [getattr(sys.modules.get(m), "ZstdError", None) for m in ("zstandard", "_zstd")]
    return tuple(error for error in found if error is not None)


def is_binary(head: bytes) -> bool:
    """Whether the beginning of a file shows that it holds no text to read.

    One byte in ten of compressed or random data is a control character that no log prints. Zeros do
    not count: a crash leaves runs of them in a log that was being written.
    """
    text = head.replace(b"\0", b"")
    controls = len(text) - len(text.translate(None, _CONTROLS))
    return controls * 12 > len(text) or not text


class OtherText(NamedTuple):
    """What makes UTF-8 lines of text in another form, and a note where they differ from it."""

    decode: Callable[[Iterable[bytes]], Iterator[bytes]]
    note: str | None = None


def other_text(head: bytes) -> OtherText | None:
    """Return the form that text has by its beginning, None for ordinary text.

    That is UTF-16 (a copy from Windows), lines that end with CR or that something broke, or a mail
    in quoted-printable (RFC 2045, 6.7).
    """
    if encoding := _utf_16(head):
        return OtherText(lambda pieces: _decoded(pieces, encoding))
    if b"\n" not in head and head.count(b"\r") > 1:
        return OtherText(lambda pieces: (piece.replace(b"\r", b"\n") for piece in pieces))
    if _is_quoted_printable(head):
        return OtherText(_unquoted, JOINED)
    if wrap := wrap_of(head):
        return OtherText(lambda pieces: unwrapped(pieces, wrap), JOINED)
    return None


def _is_quoted_printable(head: bytes) -> bool:
    """Whether lines are short, and many of them end with the mark of a soft break."""
    lines = [line.rstrip(b"\r") for line in head.split(b"\n")[:-1]]
    broken = [line for line in lines if line.endswith(b"=")]
    is_short = all(len(line) <= _QUOTED_PRINTABLE_LINE for line in lines)
    full = sum(len(line) >= _QUOTED_PRINTABLE_LINE - 2 for line in broken)
    return is_short and len(broken) >= _FEWEST_BREAKS and full * 2 > len(broken)


def _unquoted(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield a mail's text; the lines after a soft break keep their numbers."""
    rest, joined = b"", 0
    for piece in pieces:
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            text = line.rstrip(b"\r")
            is_broken = text.endswith(b"=")
            yield binascii.a2b_qp(text[:-1] if is_broken else text)
            joined += is_broken
            if not is_broken:
                yield b"\n" * (1 + joined)
                joined = 0
    yield binascii.a2b_qp(rest)


def _utf_16(head: bytes) -> str | None:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    if head[1::2].count(0) * 10 > len(head) * 4 and head[::2].count(0) * 10 < len(head):
        return "utf-16-le"
    if head[::2].count(0) * 10 > len(head) * 4 and head[1::2].count(0) * 10 < len(head):
        return "utf-16-be"
    return None


def _decoded(pieces: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    import codecs

    decoder = codecs.getincrementaldecoder(encoding)("replace")
    for piece in pieces:
        yield decoder.decode(piece).encode("utf-8", "replace")
    yield decoder.decode(b"", True).encode("utf-8", "replace")
