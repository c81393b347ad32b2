"""Module files made for tests: small ELF files with the fields of modinfo."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

_SECTION: Final = "IIQQQQIIQQ"
NOTE, PROGBITS, SYMTAB, STRTAB = 7, 1, 2, 3


class Function(msgspec.Struct, frozen=True):
    """A function symbol: its section, where it begins and how long it is, in bytes."""

    name: str
    start: int
    size: int
    section: str = ".text"


def module(
    build_id: str = "",
    source: str = "",
    functions: Sequence[Function] = (),
    crcs: Mapping[str, int] = {},
    *,
    extended: bool = False,
    order: str = "<",
) -> bytes:
    """Return a module file. `extended` writes checksums as kernels since 6.13 do."""
    parts: list[tuple[str, int, bytes, int]] = []
    if build_id:
        identity = bytes.fromhex(build_id)
        head = struct.pack(f"{order}III", 4, len(identity), 3)
        parts.append((".note.gnu.build-id", NOTE, head + b"GNU\0" + identity, 0))
    info = f"license=GPL\0srcversion={source}\0" if source else "license=GPL\0"
    parts.append((".modinfo", PROGBITS, info.encode(), 0))
    if crcs and extended:
        values = b"".join(struct.pack(f"{order}I", crc) for crc in crcs.values())
        names = "".join(f"{name}\0" for name in crcs).encode()
        parts.append(("__version_ext_crcs", PROGBITS, values, 0))
        parts.append(("__version_ext_names", PROGBITS, names, 0))
    elif crcs:
        rows = (struct.pack(f"{order}Q56s", crc, name.encode()) for name, crc in crcs.items())
        parts.append(("__versions", PROGBITS, b"".join(rows), 0))
    sections = dict.fromkeys(function.section for function in functions)
    parts += [(name, PROGBITS, b"\x90" * 16, 0) for name in sections]
    titles = ["", *(name for name, *_ in parts)]
    if functions:
        strings, symbols = b"\0", b"\0" * 24
        for f in functions:
            where = titles.index(f.section)
            row = (len(strings), 2, 0, where, f.start, f.size)
            symbols += struct.pack(f"{order}IBBHQQ", *row)
            strings += f.name.encode() + b"\0"
        parts.append((".symtab", SYMTAB, symbols, len(parts) + 2))
        parts.append((".strtab", STRTAB, strings, 0))
    return _assemble(parts, order)


def _assemble(parts: list[tuple[str, int, bytes, int]], order: str) -> bytes:
    names = b"\0"
    body = b""
    rows = [struct.pack(order + _SECTION, *[0] * 10)]
    for title, kind, data, link in (*parts, (".shstrtab", STRTAB, b"", 0)):
        at = len(names)
        names += title.encode() + b"\0"
        data = names if title == ".shstrtab" else data
        row = (at, kind, 0, 0, 64 + len(body), len(data), link, 0, 1, 0)
        rows.append(struct.pack(order + _SECTION, *row))
        body += data
    ident = b"\x7fELF\x02" + (b"\x01" if order == "<" else b"\x02") + b"\x01" + b"\0" * 9
    fields = (1, 62, 1, 0, 0, 64 + len(body), 0, 64, 0, 0, 64, len(rows), len(rows) - 1)
    return ident + struct.pack(order + "HHIQQQIHHHHHH", *fields) + body + b"".join(rows)
