"""What a log may be packed in: gzip, bzip2, xz, zstd."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from typing import IO, Any, Final

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
_CONTROLS: Final = bytes({*range(0x20), 0x7F} - {*b"\a\b\t\n\v\f\r\x1b"})
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
