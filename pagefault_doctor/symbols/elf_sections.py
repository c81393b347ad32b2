"""The sections of an ELF file as bytes, with the relocations of the part that is read applied.

In a module every section begins at address 0, and what DWARF says of addresses is filled in by
relocations. Here each section gets addresses of its own: its number, shifted up. So a place in a
section is one number (see `place`), and nothing but the part that is read has to be relocated.
"""

from __future__ import annotations

import struct
from bisect import bisect_left
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from elftools.elf.elffile import ELFFile

SECTION_SHIFT: Final = 40
"""Sections get addresses of their own, this far apart in bits."""
WIDTHS: Final = {
    "EM_X86_64": {1: 8, 10: 4, 11: 4},
    "EM_AARCH64": {257: 8, 258: 4},
}
"""Absolute relocations of each machine, with their width in bytes (System V psABI, ELF for Arm)."""
RELA: Final = struct.Struct("<QQq")
SYMBOL: Final = struct.Struct("<IBBHQQ")
_LARGEST: Final = 512 << 20
_SHF_ALLOC: Final = 2
_SHT_NOBITS: Final = "SHT_NOBITS"


class DamagedElf(ValueError):
    """An ELF or DWARF file that breaks its own rules, or asks for more than is sensible."""


class Symbol:
    """What a relocation refers to: a number of a section, and an offset in it."""

    __slots__ = ("name_at", "section", "value")

    def __init__(self, section: int, value: int, name_at: int) -> None:
        self.section, self.value, self.name_at = section, value, name_at


class Sections:
    """The sections of one file. Every method raises what `module_file.broken` lists."""

    def __init__(self, elf: ELFFile) -> None:
        if elf.elfclass != 64 or not elf.little_endian:
            raise DamagedElf("not a little-endian 64-bit file")
        self.elf = elf
        self.machine: str = elf["e_machine"]
        self.is_relocatable: bool = elf["e_type"] == "ET_REL"
        self._known: dict[str, bytes] = {}

    def data(self, name: str) -> bytes:
        """Return a section as it lies in the file, decompressed; empty where there is none."""
        if name not in self._known:
            section = self.elf.get_section_by_name(name)
            if section is None or section["sh_type"] == _SHT_NOBITS:
                self._known[name] = b""
            elif max(section.data_size, section["sh_size"]) > _LARGEST:
                raise DamagedElf(f"{name} is too large")
            else:
                self._known[name] = section.data()
        return self._known[name]

    def read(self, name: str, start: int, end: int) -> bytes:
        """Return the bytes from start to end of a section, relocated."""
        data = self.data(name)
        end = min(end, len(data))
        out = bytearray(data[start:end])
        widths = WIDTHS.get(self.machine, {})
        for offset, kind, number, addend in self.relocations(name, start, end):
            width = widths.get(kind, 0)
            if width and offset + width <= end:
                value = self._value(number, addend, width) & ((1 << 8 * width) - 1)
                out[offset - start : offset - start + width] = value.to_bytes(width, "little")
        return bytes(out)

    def relocations(self, name: str, start: int, end: int) -> list[tuple[int, int, int, int]]:
        """Return those of a part of a section: offset, kind, number of the symbol, addend.

        The assembler writes them in the order of their places.
        """
        table = self.data(f".rela{name}") if self.is_relocatable else b""
        count = len(table) // RELA.size

        def offset_of(index: int) -> int:
            return int(RELA.unpack_from(table, index * RELA.size)[0])

        found = []
        for index in range(bisect_left(range(count), start, key=offset_of), count):
            offset, info, addend = RELA.unpack_from(table, index * RELA.size)
            if offset >= end:
                break
            found.append((offset, info & 0xFFFFFFFF, info >> 32, addend))
        return found

    def _value(self, number: int, addend: int, width: int) -> int:
        symbol = self.symbol(number)
        value = symbol.value + addend
        return value + (symbol.section << SECTION_SHIFT) if width == 8 else value

    def symbols(self) -> bytes:
        """Return the symbol table, whole rows only."""
        table = self.data(".symtab")
        return table[: len(table) // SYMBOL.size * SYMBOL.size]

    def symbol(self, number: int) -> Symbol:
        """Return a symbol by its number."""
        name_at, _, _, section, value, _ = SYMBOL.unpack_from(
            self.data(".symtab"), number * SYMBOL.size
        )
        return Symbol(section, value, name_at)

    def symbol_name(self, number: int) -> str:
        """Return the name of a symbol by its number."""
        return text_at(self.data(".strtab"), self.symbol(number).name_at)

    def place(self, section: int, offset: int) -> int:
        """Return a place in a section as one number."""
        return (section << SECTION_SHIFT) + offset if self.is_relocatable else offset


def text_at(data: bytes, at: int) -> str:
    """Return the text that begins there and ends with a zero byte."""
    if not 0 <= at < len(data):
        raise DamagedElf("a text beyond the end of its section")
    end = data.find(b"\0", at, at + 4096)
    return str(data[at : end if end >= 0 else at + 4096], "utf-8", "replace")
