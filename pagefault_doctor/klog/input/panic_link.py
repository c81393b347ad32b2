"""The log in the link that the kernel's panic screen shows as a picture.

`drivers/gpu/drm/drm_panic_qr.rs` packs the end of the log with zlib and writes it in decimal digits
behind `z=` or `zl=`: since 6.14 seven bytes as 17 digits, the lowest first, before that 13 bits as
four digits, the highest first.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Final

from pagefault_doctor.model.pattern import regex

_LINK: Final = regex(rb"[#?&]zl?=(\d{40,20000})")
_SIGNS: Final = (b"z=", b"zl=")
_BLOCK: Final = 17
_BYTES: Final = {3: 1, 5: 2, 8: 3, 10: 4, 13: 5, 15: 6, 17: 7}
"""Bytes that so many digits stand for: the last block is a short one."""
_MOST: Final = 1 << 18
"""Bytes of a log that are unpacked; a picture holds some kilobytes."""
_LONGEST: Final = 1 << 16
"""Bytes of a text that is a link and little else."""


def has_link(head: bytes) -> bool:
    """Whether a text holds such a link."""
    head = head[:_LONGEST] if any(map(head.__contains__, _SIGNS)) else b""
    return any(_log_of(match[1]) for match in _LINK.finditer(head))


def unpacked(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the text with the log in place of each link."""
    held = b""
    for piece in pieces:
        held += piece
        if len(held) >= _LONGEST:
            yield _in_place(held)
            held = b""
    yield _in_place(held)


def _in_place(text: bytes) -> bytes:
    return _LINK.sub(lambda match: b"\n" + (_log_of(match[1]) or match[0]) + b"\n", text)


def _log_of(digits: bytes) -> bytes | None:
    for packed in (_of_blocks, _of_bits):
        with suppress(zlib.error, OverflowError):
            # What is cut off at the end of a link is lost, and nothing else.
            if text := zlib.decompressobj().decompress(packed(digits), _MOST):
                return text
    return None


def _of_blocks(digits: bytes) -> bytes:
    blocks = (digits[i : i + _BLOCK] for i in range(0, len(digits), _BLOCK))
    return b"".join(
        int(block).to_bytes(_BYTES[len(block)], "little")
        for block in blocks
        if len(block) in _BYTES
    )


def _of_bits(digits: bytes) -> bytes:
    bits = "".join(f"{int(digits[i : i + 4]):013b}" for i in range(0, len(digits) // 4 * 4, 4))
    return bytes(int(bits[i : i + 8], 2) for i in range(0, len(bits) - 7, 8))
