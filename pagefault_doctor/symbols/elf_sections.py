"""The sections of an ELF file as bytes; only the part that is read is relocated.

In a module every section begins at address 0, and relocations fill in the addresses in DWARF.
Here each section gets its own address range: its number, shifted left. So a position in a section
is one number (see `Sections.place`).
"""

from __future__ import annotations

import struct
from bisect import bisect_left
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from elftools.elf.elffile import ELFFile

SECTION_SHIFT: Final = 40
"""The address of a section is its number, shifted left by this many bits."""
WIDTHS: Final = {"EM_X86_64": {1: 8, 10: 4, 11: 4}, "EM_AARCH64": {257: 8, 258: 4}}
"""Width in bytes of each absolute relocation type (System V psABI, ELF for Arm)."""
RELA: Final = struct.Struct("<QQq")
"""Elf64_Rela: offset, info (symbol number and type), addend (elf(5))."""
SYMBOL: Final = struct.Struct("<IBBHQQ")
"""Elf64_Sym: name, info, other, section number, value, size (elf(5))."""
_MAX_SECTION_BYTES: Final = 512 << 20
_SHF_ALLOC: Final = 2
_SHT_NOBITS: Final = "SHT_NOBITS"


class DamagedElf(ValueError):
    """An ELF or DWARF file that breaks the format, or exceeds a limit."""


class Symbol:
    """The target of a relocation: a section number, and an offset in that section."""

    __slots__ = ("name_at", "section", "value")

    def __init__(self, section: int, value: int, name_at: int) -> None:
        self.section, self.value, self.name_at = section, value, name_at


class Sections:
    """The sections of one file. Every method raises what `module_file.elf_errors` lists."""

    def __init__(self, elf: ELFFile) -> None:
        if elf.elfclass != 64 or not elf.little_endian:
            raise DamagedElf("not a little-endian 64-bit file")
        self.elf = elf
        self.machine: str = elf["e_machine"]
        self.is_relocatable: bool = elf["e_type"] == "ET_REL"
        self._cache: dict[str, bytes] = {}
        self._places: dict[str, tuple[int, int] | None] = {}

    def data(self, name: str) -> bytes:
        """Return a section from the file, decompressed but not relocated; empty if missing."""
        if name not in self._cache:
            section = self.elf.get_section_by_name(name)
            if section is None or section["sh_type"] == _SHT_NOBITS:
                self._cache[name] = b""
            elif max(section.data_size, section["sh_size"]) > _MAX_SECTION_BYTES:
                raise DamagedElf(f"{name} is too large")
            else:
                self._cache[name] = section.data()
        return self._cache[name]

    def size(self, name: str) -> int:
        """Return the bytes of a section, decompressed; 0 if it is missing."""
        place = self._place_in_file(name)
        return place[1] if place else len(self.data(name))

    def plain(self, name: str, start: int, end: int) -> bytes:
        """Return the bytes from `start` to `end` of a section, not relocated.

        Of a section that is not compressed no more is read than that.
        """
        place = None if name in self._cache else self._place_in_file(name)
        if place is None:
            return self.data(name)[start:end]
        begin, size = place
        self.elf.stream.seek(begin + start)
        return bytes(self.elf.stream.read(max(min(end, size) - start, 0)))

    def _place_in_file(self, name: str) -> tuple[int, int] | None:
        """Return where a section begins in the file and its bytes, None if it has to be made."""
        if name not in self._places:
            section = self.elf.get_section_by_name(name)
            place = None
            if section and section["sh_type"] != _SHT_NOBITS and not section.compressed:
                place = section["sh_offset"], section["sh_size"]
            self._places[name] = place
        return self._places[name]

    def read(self, name: str, start: int, end: int) -> bytes:
        """Return the bytes from `start` to `end` of a section, relocated."""
        if not self.is_relocatable:
            return self.plain(name, start, end)
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
        """Return the relocations in a part of a section: offset, type, symbol number, addend.

        The assembler writes them in ascending order of their offsets, so the first is found by
        bisection.
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
        """Return the bytes of the symbol table, cut to whole entries."""
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
        """Return an offset in a section as one number, unique in the file."""
        return (section << SECTION_SHIFT) + offset if self.is_relocatable else offset


def text_at(data: bytes, at: int) -> str:
    """Return the zero-terminated string at an offset. Raises DamagedElf beyond the end."""
    if not 0 <= at < len(data):
        raise DamagedElf("a text beyond the end of its section")
    end = data.find(b"\0", at, at + 4096)
    return str(data[at : end if end >= 0 else at + 4096], "utf-8", "replace")
