"""The instructions of one function in a module's file, and where jumps lead to in it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from typing import Any, Final

from pagefault_doctor.model.pattern import regex
from pagefault_doctor.symbols.elf_sections import SYMBOL, DamagedElf, Sections
from pagefault_doctor.symbols.instruction import disassembler
from pagefault_doctor.symbols.module_file import CodePlace

_MOST_CODE: Final = 1 << 16
_MOST_RELOCATIONS: Final = 32 << 20
"""Bytes of a section's relocations."""
_TARGET_TABLES: Final = ("__jump_table", "__ex_table")
"""Sections that name places which are jumped to without a jump in sight (`asm goto`, fixups)."""
_UNLIKELY: Final = ".text.unlikely"
_SHF_EXECINSTR: Final = 4
_FUNCTION: Final = 2
"""STT_FUNC."""
_JUMPS: Final = ("j", "loop", "b.", "cb", "tb")
_ADDRESS: Final = regex(r"#?(0x[0-9a-f]+|\d)")
"""The operand of a direct jump or call."""


class FunctionCode:
    """The instructions of one function. Places are offsets in its section.

    `is_clear` is false where any of them may be the target of a jump. Its methods raise what
    `module_file.broken` lists, the constructor also ImportError where there is no capstone.
    """

    def __init__(self, sections: Sections, arch: str, placed: CodePlace, debug: Sections) -> None:
        self.arch, self._sections, self._debug = arch, sections, debug
        self._section = placed.section
        self._name = sections.elf.get_section(placed.section).name
        end = placed.start + min(placed.size, _MOST_CODE)
        self._start, self._data = placed.start, sections.data(self._name)[placed.start : end]
        self.places: list[int] = []
        self.targets = {*self._told_by_tables(), *self._from_elsewhere()}
        self.is_clear = bool(self._data)
        for at, _, mnemonic, operands in disassembler(arch).disasm_lite(self._data, self._start):
            self.places.append(at)
            self._note_target(mnemonic, operands)

    def _note_target(self, mnemonic: str, operands: str) -> None:
        is_jump = mnemonic.startswith(_JUMPS) or mnemonic in ("b", "br", "notrack jmp")
        if not is_jump:
            return
        target = _ADDRESS.fullmatch(operands.rpartition(" ")[2])
        if target:
            self.targets.add(int(target[1], 16))
        else:
            # Through a register or a table: any instruction may be where it leads.
            self.is_clear = False

    def _all(self, name: str) -> Iterator[tuple[int, int]]:
        """Yield what each relocation of a section refers to: a section, and a place in it.

        Raises Damaged where there are more than is sensible.
        """
        if len(self._sections.data(f".rela{name}")) > _MOST_RELOCATIONS:
            raise DamagedElf(f"{name} has too many relocations")
        for _, _, number, addend in self._sections.relocations(name, 0, 1 << 62):
            symbol = self._sections.symbol(number)
            yield symbol.section, symbol.value + addend

    def _told_by_tables(self) -> Iterator[int]:
        for table in _TARGET_TABLES:
            yield from (place for section, place in self._all(table) if section == self._section)

    def _from_elsewhere(self) -> Iterator[int]:
        """Yield where the rarely run half of a function, in a section of its own, leads to here."""
        behind = 4 if self.arch == "x86_64" else 0
        for section in self._sections.elf.iter_sections():
            name = section.name
            if not section["sh_flags"] & _SHF_EXECINSTR or name == self._name:
                continue
            if self._name.startswith(_UNLIKELY) or name.startswith(_UNLIKELY):
                found = self._all(name)
                yield from (place + behind for number, place in found if number == self._section)

    def start_of(self, at: int) -> int | None:
        """Return where the instruction begins that a place lies in, or None."""
        index = bisect_right(self.places, at) - 1
        return self.places[index] if index >= 0 else None

    def bytes_at(self, at: int) -> bytes:
        """Return the bytes of the function from a place on, as many as an instruction may have."""
        return self._data[at - self._start : at - self._start + 16] if at >= self._start else b""

    def decoded(self, at: int) -> Any | None:
        """Return the instruction that begins at a place, with its operands, or None."""
        return next(disassembler(self.arch).disasm(self.bytes_at(at), at, 1), None)

    def relocation(self, found: Any) -> tuple[int, int, int, int] | None:
        """Return the relocation in an instruction, or None; see `Sections.relocations`."""
        end = found.address + found.size
        return next(iter(self._sections.relocations(self._name, found.address, end)), None)

    def callee(self, found: Any) -> str | None:
        """Return the function that a call leads to, or None where that is not in the file."""
        relocation = self.relocation(found)
        if relocation is None:
            target = _ADDRESS.fullmatch(found.op_str)
            return self._function_at(self._section, int(target[1], 16)) if target else None
        _, _, number, addend = relocation
        name = self._sections.symbol_name(number)
        symbol = self._sections.symbol(number)
        behind = 4 if self.arch == "x86_64" else 0
        return name or self._function_at(symbol.section, symbol.value + addend + behind)

    def _function_at(self, section: int, at: int) -> str | None:
        for number, row in enumerate(SYMBOL.iter_unpack(self._sections.symbols())):
            _, info, _, index, value, _ = row
            if info & 0xF == _FUNCTION and (index, value) == (section, at):
                return self._sections.symbol_name(number) or None
        return None

    def static_place(self, found: Any) -> int | None:
        """Return the place, in the file with debug information, of what an instruction addresses.

        That is for an operand relative to the instruction itself, which a relocation fills in.
        """
        relocation = self.relocation(found)
        if relocation is None:
            return None
        offset, _, number, addend = relocation
        symbol = self._sections.symbol(number)
        if not symbol.section:
            return None
        place = symbol.value + addend
        if self.arch == "x86_64":
            place += found.address + found.size - offset
        name = self._sections.elf.get_section(symbol.section).name
        section = self._debug.elf.get_section_index(name)
        return self._debug.place(section, place) if section else None
