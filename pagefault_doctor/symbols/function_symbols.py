"""The functions of a file by name: where each begins, and how far the next one is."""

from __future__ import annotations

import re
from array import array
from bisect import bisect_right
from functools import cached_property
from typing import Final

import msgspec

from pagefault_doctor.symbols.elf_sections import SYMBOL, Sections

_SHF_EXECINSTR: Final = 4
_TYPES: Final = frozenset({0, 2, 10})
"""STT_NOTYPE as in assembly, STT_FUNC, STT_GNU_IFUNC (elf(5))."""
_MAPPING: Final = re.compile(rb"(?<=\0)\$[adtx]")
"""Symbols that tell code from data on Arm and RISC-V, which kallsyms leaves out."""
_SEARCHES: Final = 500
"""Names that are searched for in the table of strings; for more, a dictionary takes less time."""


class FunctionSymbol(msgspec.Struct, frozen=True):
    """A function: its section, its address or offset there, its size, and how far the next is."""

    section: int
    value: int
    size: int
    reach: int

    def fits(self, size: int) -> bool:
        """Return whether the kernel prints that size: it counts up to the next symbol.

        `kernel/kallsyms.c` (get_symbol_pos), `kernel/module/kallsyms.c` (find_kallsyms_symbol).
        """
        return size in (self.size, self.reach)

    def holds(self, offset: int) -> bool:
        """Return whether an offset is before the next symbol; true where no end is known."""
        end = max(self.size, self.reach)
        return not end or offset < end


class FunctionSymbols:
    """The symbols of code in a file. Methods raise what `module_file.elf_errors` lists."""

    def __init__(self, sections: Sections) -> None:
        elf = sections.elf
        numbers = range(elf.num_sections())
        self._code = {n for n in numbers if elf.get_section(n)["sh_flags"] & _SHF_EXECINSTR}
        self._table = sections.symbols()
        self._strings = sections.data(".strtab")
        self._searched = 0

    def named(self, name: str) -> list[FunctionSymbol]:
        """Return the functions of exactly that name."""
        text = name.encode() + b"\0"
        self._searched += 1
        if self._searched > _SEARCHES:
            places = self._by_name.get(text, [])
        else:
            places = [at for at in self._ends(text) if at in self._name_places]
        found = []
        for at in places:
            for row in self._rows(at):
                _, info, _, section, value, size = row
                if section in self._code and info & 0xF in _TYPES:
                    found.append(FunctionSymbol(section, value, size, self._reach(section, value)))
        return found

    def best(self, name: str, size: int | None) -> list[FunctionSymbol]:
        """Return the functions of that name which fit a size; all, if none does."""
        found = self.named(name)
        fitting = [symbol for symbol in found if size is not None and symbol.fits(size)]
        return fitting or found

    def _ends(self, text: bytes) -> list[int]:
        """Return where in the table of strings a text ends one: linkers let names share ends."""
        found, at = [], self._strings.find(text)
        while at >= 0:
            found.append(at)
            at = self._strings.find(text, at + 1)
        return found

    def _rows(self, name_at: int) -> list[tuple[int, ...]]:
        """Return the symbols whose name is at an offset in the table of strings."""
        wanted, found = name_at.to_bytes(4, "little"), []
        at = self._table.find(wanted)
        while at >= 0:
            if at % SYMBOL.size == 0:
                found.append(SYMBOL.unpack_from(self._table, at))
            at = self._table.find(wanted, at + 1)
        return found

    @cached_property
    def _name_column(self) -> list[int]:
        return _column(self._table, "I", 0)

    @cached_property
    def _name_places(self) -> frozenset[int]:
        return frozenset(self._name_column)

    @cached_property
    def _by_name(self) -> dict[bytes, list[int]]:
        """Where each name is in the table of strings, with the zero at its end."""
        places: dict[bytes, list[int]] = {}
        for at in self._name_places:
            end = self._strings.find(b"\0", at)
            places.setdefault(self._strings[at : end + 1], []).append(at)
        return places

    def _reach(self, section: int, value: int) -> int:
        """Return the bytes up to the next symbol of the section, 0 after the last."""
        starts = self._starts.get(section, [])
        at = bisect_right(starts, value)
        return starts[at] - value if at < len(starts) else 0

    @cached_property
    def _starts(self) -> dict[int, list[int]]:
        starts: dict[int, set[int]] = {section: set() for section in self._code}
        ignored = {match.start() for match in _MAPPING.finditer(self._strings)}
        sections, values = _column(self._table, "H", 3), _column(self._table, "Q", 1)
        for section, value, name in zip(sections, values, self._name_column, strict=True):
            if section in starts and name not in ignored:
                starts[section].add(value)
        return {section: sorted(values) for section, values in starts.items()}


def _column(table: bytes, code: str, place: int) -> list[int]:
    """Return a field of each symbol, by its type and its place among fields of that type."""
    values = array(code, table)
    if (1).to_bytes(2, "little") != array("H", [1]).tobytes():
        values.byteswap()
    return values[place :: SYMBOL.size // values.itemsize].tolist()
