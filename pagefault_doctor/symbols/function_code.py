"""The instructions of one function in a module's file, and the targets of jumps in it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from typing import Any, Final

from pagefault_doctor.model.pattern import regex
from pagefault_doctor.symbols.elf_sections import SYMBOL, DamagedElf, Sections
from pagefault_doctor.symbols.machine_code import disassembler
from pagefault_doctor.symbols.module_file import CodeLocation

_MAX_CODE_BYTES: Final = 1 << 16
_MAX_RELOCATION_BYTES: Final = 32 << 20
_TARGET_TABLES: Final = ("__jump_table", "__ex_table")
"""Sections that list jump targets without a jump instruction (`asm goto`, exception fixups)."""
_COLD_SECTION: Final = ".text.unlikely"
_SHF_EXECINSTR: Final = 4
_STT_FUNC: Final = 2
_JUMPS: Final = ("j", "loop", "b.", "cb", "tb")
_DIRECT_TARGET: Final = regex(r"#?(0x[0-9a-f]+|\d)")
"""The operand of a direct jump or call."""


class FunctionCode:
    """The instructions of one function. `places` and `targets` are offsets in its section.

    `is_clear` is false if any instruction may be the target of a jump, because of an indirect jump.
    The methods raise what `module_file.elf_errors` lists, the constructor also ImportError without
    capstone.
    """

    def __init__(
        self, sections: Sections, arch: str, location: CodeLocation, debug: Sections
    ) -> None:
        self.arch, self._sections, self._debug = arch, sections, debug
        self._section = location.section
        self._name = sections.elf.get_section(location.section).name
        end = location.start + min(location.size, _MAX_CODE_BYTES)
        self._start, self._data = location.start, sections.data(self._name)[location.start : end]
        self.places: list[int] = []
        self.targets = {*self._targets_in_tables(), *self._targets_from_cold_part()}
        self.is_clear = bool(self._data)
        for at, _, mnemonic, operands in disassembler(arch).disasm_lite(self._data, self._start):
            self.places.append(at)
            self._note_target(mnemonic, operands)

    def _note_target(self, mnemonic: str, operands: str) -> None:
        is_jump = mnemonic.startswith(_JUMPS) or mnemonic in ("b", "br", "notrack jmp")
        if not is_jump:
            return
        target = _DIRECT_TARGET.fullmatch(operands.rpartition(" ")[2])
        if target:
            self.targets.add(int(target[1], 16))
        else:
            # An indirect jump: any instruction may be its target.
            self.is_clear = False

    def _relocation_targets(self, name: str) -> Iterator[tuple[int, int]]:
        """Yield the target of each relocation of a section: section number and offset in it.

        Raises DamagedElf if there are too many.
        """
        if len(self._sections.data(f".rela{name}")) > _MAX_RELOCATION_BYTES:
            raise DamagedElf(f"{name} has too many relocations")
        for _, _, number, addend in self._sections.relocations(name, 0, 1 << 62):
            symbol = self._sections.symbol(number)
            yield symbol.section, symbol.value + addend

    def _targets_in_tables(self) -> Iterator[int]:
        for table in _TARGET_TABLES:
            yield from (
                place
                for section, place in self._relocation_targets(table)
                if section == self._section
            )

    def _targets_from_cold_part(self) -> Iterator[int]:
        """Yield the jump targets here of the cold half of a function, which has its own section.

        The compiler puts code that rarely runs into `.text.unlikely`, and jumps go both ways.
        """
        # On x86 the displacement counts from the end of its 4 bytes.
        bias = 4 if self.arch == "x86_64" else 0
        for section in self._sections.elf.iter_sections():
            name = section.name
            if not section["sh_flags"] & _SHF_EXECINSTR or name == self._name:
                continue
            if self._name.startswith(_COLD_SECTION) or name.startswith(_COLD_SECTION):
                found = self._relocation_targets(name)
                yield from (place + bias for number, place in found if number == self._section)

    def start_of(self, at: int) -> int | None:
        """Return the offset of the instruction that contains `at`, or None."""
        index = bisect_right(self.places, at) - 1
        return self.places[index] if index >= 0 else None

    def bytes_at(self, at: int) -> bytes:
        """Return up to 16 bytes of the function from an offset on: one instruction or more."""
        return self._data[at - self._start : at - self._start + 16] if at >= self._start else b""

    def decoded(self, at: int) -> Any | None:
        """Return the capstone instruction at an offset, with its operands, or None."""
        return next(disassembler(self.arch).disasm(self.bytes_at(at), at, 1), None)

    def relocation(self, found: Any) -> tuple[int, int, int, int] | None:
        """Return the relocation inside an instruction (see `Sections.relocations`), or None."""
        end = found.address + found.size
        return next(iter(self._sections.relocations(self._name, found.address, end)), None)

    def callee(self, found: Any) -> str | None:
        """Return the name of the called function, or None if the file does not name it."""
        relocation = self.relocation(found)
        if relocation is None:
            target = _DIRECT_TARGET.fullmatch(found.op_str)
            return self._function_at(self._section, int(target[1], 16)) if target else None
        _, _, number, addend = relocation
        name = self._sections.symbol_name(number)
        symbol = self._sections.symbol(number)
        bias = 4 if self.arch == "x86_64" else 0
        return name or self._function_at(symbol.section, symbol.value + addend + bias)

    def _function_at(self, section: int, at: int) -> str | None:
        for number, row in enumerate(SYMBOL.iter_unpack(self._sections.symbols())):
            _, info, _, index, value, _ = row
            if info & 0xF == _STT_FUNC and (index, value) == (section, at):
                return self._sections.symbol_name(number) or None
        return None

    def static_place(self, found: Any) -> int | None:
        """Return the address that an instruction refers to by relocation, or None.

        It is an address in the file with debug information, as `Sections.place` counts them.
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
