"""What a log may be packed in. Only gzip so far; every other container has its place here."""

from __future__ import annotations

from typing import Final

_GZIP: Final = b"\x1f\x8b\x08"
_CONTROLS: Final = bytes({*range(0x20), 0x7F} - {*b"\a\b\t\n\v\f\r\x1b"})
_MOST: Final = 1 << 30
"""Bytes that are unpacked at most: a small file may claim to hold a very large one."""


def is_packed(head: bytes) -> bool:
    """Whether the first bytes are those of a container that can be unpacked."""
    return head.startswith(_GZIP)


def unpacked(data: bytes) -> bytes:
    """Return the text in a container, as far as it is whole; other data as it is."""
    if not is_packed(data[:8]):
        return data
    import zlib

    unpacker = zlib.decompressobj(wbits=31)
    try:
        return unpacker.decompress(data, _MOST) or data
    except zlib.error:
        return data


def is_binary(head: bytes) -> bool:
    """Whether the beginning of a file shows that it holds no text to read.

    One byte in ten of compressed or random data is a control character that no log prints.
    """
    controls = len(head) - len(head.translate(None, _CONTROLS))
    return controls * 12 > len(head)
