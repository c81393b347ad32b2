"""Modules made to mislead: a real one with sections replaced."""

from __future__ import annotations

import struct
import zlib
from typing import Final

from pagefault_doctor.playbook import shelf

MODULE: Final = shelf.scenario_folder("err-ptr") / "fwsize.ko"
COMPRESSED: Final = 0x800
"""SHF_COMPRESSED (elf(5))."""
NOBITS: Final = 8
_HEADER: Final = struct.Struct("<IIQQQQIIQQ")
"""Elf64_Shdr: name, type, flags, address, offset, size, link, info, alignment, entry size."""


def bomb(size: int) -> bytes:
    """Return what unpacks to that many zero bytes, a multiple of 1 MiB.

    One MiB is packed, up to a full flush (zlib.h), and repeated: packing all of it takes seconds.
    """
    packer = zlib.compressobj(9, wbits=-15)
    piece = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    end = zlib.compressobj(9, wbits=-15).flush()
    # The sum is Adler-32 (RFC 1950), of which zeros change the upper half only.
    checksum = ((size % 65521) << 16 | 1).to_bytes(4, "big")
    return b"\x78\xda" + piece * (size >> 20) + end + checksum


def announced(size: int, packed: bytes) -> bytes:
    """Return a section with the header of compression (Elf64_Chdr), which announces a size."""
    return struct.pack("<IIQQ", 1, 0, size, 1) + packed


def with_sections(
    sections: dict[str, bytes],
    flags: int = 0,
    kind: int | None = None,
    size: int | None = None,
    rename: str = "",
) -> bytes:
    """Return the module with other contents of some sections, at the end of the file.

    They get the flags, and the type and the size in the headers where those are given. `rename`
    comes before the names of those sections, after their dot.
    """
    data = bytearray(MODULE.read_bytes())
    (table,) = struct.unpack_from("<Q", data, 0x28)
    count, names_index = struct.unpack_from("<HH", data, 0x3C)
    rows = [list(_HEADER.unpack_from(data, table + _HEADER.size * n)) for n in range(count)]
    begin, length = rows[names_index][4:6]
    names = bytes(data[begin : begin + length])
    for row in rows:
        name = names[row[0] : names.index(b"\0", row[0])].decode()
        if name not in sections:
            continue
        if rename:
            row[0] = len(names)
            names += f".{rename}{name[1:]}".encode() + b"\0"
        content = sections[name]
        row[2] |= flags
        row[1] = row[1] if kind is None else kind
        row[4], row[5] = len(data), len(content) if size is None else size
        data += content
    rows[names_index][4:6] = len(data), len(names)
    data += names
    for number, row in enumerate(rows):
        _HEADER.pack_into(data, table + _HEADER.size * number, *row)
    return bytes(data)
