"""The source lines of many `function+offset` in one file: a vmlinux, or a module with debug files.

The symbols are read once, and of the debug information only the units that are asked for. What is
found equals `addr2line -i` at the same address.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from pagefault_doctor.model.pointer import InlinedCall
from pagefault_doctor.model.untrusted import clean_line
from pagefault_doctor.symbols.dwarf import line_table
from pagefault_doctor.symbols.dwarf.entry import Dwarf, Unit
from pagefault_doctor.symbols.dwarf.line_rows import LineRows
from pagefault_doctor.symbols.dwarf.scope import STMT_LIST, scopes_in
from pagefault_doctor.symbols.dwarf.unit_index import FunctionRange, UnitIndex, functions_of
from pagefault_doctor.symbols.elf_sections import WIDTHS, Sections
from pagefault_doctor.symbols.function_symbols import FunctionSymbols
from pagefault_doctor.symbols.module_file import find_code

if TYPE_CHECKING:
    from elftools.elf.elffile import ELFFile

_COMP_DIR: Final = 0x1B
"""DW_AT_comp_dir: the folder that the compiler ran in."""
_MAX_UNITS: Final = 64
_BASE: Final = ("kernel_init", "/init/main.c")
"""A function that every kernel has and its file, from whose path the tree's own is known."""


class CodeLine(msgspec.Struct, frozen=True):
    """A source line with the calls that were inlined there, the innermost first.

    `line` is None where the compiler names none. Paths are as in the debug information.
    """

    file: str
    line: int | None
    inlined: tuple[InlinedCall, ...] = ()


class _UnitLines(msgspec.Struct, frozen=True):
    """What is kept of a unit: its lines and its functions."""

    unit: Unit
    rows: LineRows | None
    functions: list[FunctionRange]


class CodeLines:
    """The lines of one open file. Every method raises what `module_file.elf_errors` lists."""

    def __init__(self, path: Path, elf: ELFFile) -> None:
        self.path, self.elf = path, elf
        self._units: dict[int, _UnitLines] = {}

    @cached_property
    def tree(self) -> str:
        """The folder of the kernel's source, as in the debug information; empty if unknown."""
        function, file = _BASE
        found = self.find(function, 0, None, before=False)
        path = found.file if found else ""
        return path.removesuffix(file) if path.endswith(file) else ""

    def fits(self, function: str, size: int) -> bool | None:
        """Return whether a function of that size is in the file; None if no such function is."""
        symbols = self._symbols.named(function) if self._is_indexed else []
        return any(symbol.fits(size) for symbol in symbols) if symbols else None

    def find(
        self, function: str, offset: int, size: int | None, *, before: bool
    ) -> CodeLine | None:
        """Return the line of `function`+`offset`, or None if that is unknown.

        `size` tells functions of one name apart. `before` is for a return address: the call is
        before it.
        """
        if not self._is_indexed:
            return self._by_line_table(function, offset - before, size)
        lines = {
            self.at(symbol.section, symbol.value + offset - before)
            for symbol in self._symbols.best(function, size)
            if symbol.holds(offset - before)
        }
        return lines.pop() if len(lines) == 1 else None

    @cached_property
    def _is_indexed(self) -> bool:
        """Whether this file is of a machine whose sections can be read at once."""
        is_plain = self.elf.elfclass == 64 and self.elf.little_endian
        return is_plain and (self.elf["e_type"] != "ET_REL" or self.elf["e_machine"] in WIDTHS)

    @cached_property
    def _sections(self) -> Sections:
        return Sections(self.elf)

    @cached_property
    def _symbols(self) -> FunctionSymbols:
        return FunctionSymbols(self._sections)

    @cached_property
    def _dwarf(self) -> Dwarf:
        return Dwarf(self._sections)

    @cached_property
    def _index(self) -> UnitIndex:
        return UnitIndex(self._dwarf)

    def _by_line_table(self, function: str, offset: int, size: int | None) -> CodeLine | None:
        at = find_code(self.elf, function, offset, size)
        row = line_table.lookup(self.elf, at.section, at.at) if at else None
        return CodeLine(clean_line(row[0]), row[1] or None) if row else None

    def at(self, section: int, value: int) -> CodeLine | None:
        """Return the line of a place, as symbols have it: a section, and an address or offset."""
        address = self._sections.place(section, value)
        self._dwarf.renew()
        unit = self._index.find(address)
        known = self._unit(unit) if unit else None
        row = known.rows.at(address) if known and known.rows else None
        if known is None or known.rows is None or row is None:
            return None
        inlined = tuple(self._inlined(known, known.rows, address))
        return CodeLine(clean_line(row[0]), row[1] or None, inlined)

    def _unit(self, unit: Unit) -> _UnitLines:
        if unit.start not in self._units:
            if len(self._units) >= _MAX_UNITS:
                self._units.clear()
            start = unit.root.number(STMT_LIST)
            folder = self._dwarf.text(unit.root, _COMP_DIR) or ""
            rows = LineRows(self._sections, start, folder) if start is not None else None
            self._units[unit.start] = _UnitLines(unit, rows, functions_of(self._dwarf, unit))
        return self._units[unit.start]

    def _inlined(self, known: _UnitLines, rows: LineRows, address: int) -> list[InlinedCall]:
        around = [f for f in known.functions if f.begin <= address < f.end]
        smallest = min(around, key=lambda f: f.end - f.begin, default=None)
        function = known.unit.entry(smallest.offset) if smallest else None
        if function is None:
            return []
        inner = scopes_in(self._dwarf, function, address)[1:]
        return [
            InlinedCall(
                clean_line(scope.name),
                None if scope.call_file is None else clean_line(rows.path(scope.call_file)),
                scope.call_line,
            )
            for scope in reversed(inner)
        ]
