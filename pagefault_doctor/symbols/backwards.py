"""Where the value of a register came from: a few instructions backwards from the fault.

Only what surely ran is followed: straight-line code, up to a place that a jump leads to. Of a call
it is known which registers it may change and where its result is (System V psABI, figure 3.4; the
Procedure Call Standard for the Arm 64-bit Architecture, section 6.1).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from pagefault_doctor.symbols.instruction import disassembler
from pagefault_doctor.symbols.sections import SECTION_SHIFT, Sections

_MOST_CODE: Final = 1 << 16
_FURTHEST: Final = 48
"""Instructions that are looked at, at most."""
_TARGET_TABLES: Final = ("__jump_table", "__ex_table")
"""Sections that name places which are jumped to without a jump in sight (`asm goto`, fixups)."""
_UNLIKELY: Final = ".text.unlikely"
_SHF_EXECINSTR: Final = 4
_KEPT: Final = {
    "x86_64": frozenset({"rbx", "rbp", "r12", "r13", "r14", "r15", "rsp"}),
    "arm64": frozenset({*(f"x{n}" for n in range(19, 30)), "sp"}),
}
_RESULT: Final = {"x86_64": "rax", "arm64": "x0"}
_X86_PARTS: Final = (
    *((f"r{n}x", (f"e{n}x", f"{n}x", f"{n}l", f"{n}h")) for n in "abcd"),
    *((f"r{n}", (f"e{n}", n, f"{n}l")) for n in ("si", "di", "bp", "sp")),
    *((f"r{n}", (f"r{n}d", f"r{n}w", f"r{n}b")) for n in range(8, 16)),
)
_X86_WHOLE: Final = {part: whole for whole, parts in _X86_PARTS for part in parts}
_CALLS: Final = frozenset({"call", "bl", "blr"})
_ENDS: Final = frozenset({"jmp", "ret", "ud2", "iretq", "int3", "hlt", "b", "br", "brk", "udf"})


class Origin(msgspec.Struct, frozen=True):
    """Where a value came from, at the instruction at `at` (a place, see `sections`).

    `register` held it then, plus `add`, where `how` is `copy`. It lay in memory at `register` plus
    `add` where `how` is `load`, or at the place `add` of a section where `register` is None. It is
    the result of `callee` where `how` is `call`.
    """

    how: str
    at: int
    register: str | None = None
    add: int = 0
    callee: str | None = None


class Code:
    """The instructions of one function, up to one of them, looked at backwards.

    `name` is the section, `start` and `at` are offsets in it, `end` is where the function ends.
    """

    def __init__(self, sections: Sections, arch: str, section: int, start: int, end: int) -> None:
        self.arch, self._sections, self._section = arch, sections, section
        self._name = sections.elf.get_section(section).name
        self._start = start
        data = sections.data(self._name)[start : min(end, start + _MOST_CODE)]
        self._data = data
        self._places: list[int] = []
        self._targets = {*self._jump_tables(), *self._from_elsewhere()}
        self._is_clear = bool(data)
        for address, _, mnemonic, operands in disassembler(arch).disasm_lite(data, start):
            self._places.append(address)
            self._note_target(mnemonic, operands)

    def _note_target(self, mnemonic: str, operands: str) -> None:
        is_jump = mnemonic.startswith(("j", "loop", "b.", "cb", "tb")) or mnemonic == "b"
        if not is_jump and mnemonic not in ("br", "notrack jmp"):
            return
        target = operands.rpartition(" ")[2].lstrip("#")
        try:
            self._targets.add(int(target, 16))
        except ValueError:
            # Through a register or a table: any instruction may be where it leads.
            self._is_clear = False

    def _jump_tables(self) -> Iterator[int]:
        for table in _TARGET_TABLES:
            size = len(self._sections.data(table))
            for _, _, number, addend in self._sections.relocations(table, 0, size):
                symbol = self._sections.symbol(number)
                if symbol.section == self._section:
                    yield symbol.value + addend

    def _from_elsewhere(self) -> Iterator[int]:
        """Yield where the rarely run half of a function, in a section of its own, leads to here."""
        own = self._name.startswith(_UNLIKELY)
        for section in self._sections.elf.iter_sections():
            name = section.name
            if not section["sh_flags"] & _SHF_EXECINSTR or name == self._name:
                continue
            if own or name.startswith(_UNLIKELY):
                behind = 4 if self.arch == "x86_64" else 0
                for _, _, number, addend in self._sections.relocations(
                    name, 0, len(self._sections.data(name))
                ):
                    symbol = self._sections.symbol(number)
                    if symbol.section == self._section:
                        yield symbol.value + addend + behind

    def origin(self, register: str, at: int) -> Origin | None:
        """Return where the value that a register has at an offset came from, or None."""
        if not self._is_clear or at not in self._places:
            return None
        index = self._places.index(at)
        for here in range(index, max(0, index - _FURTHEST), -1):
            if self._places[here] in self._targets:
                return None
            before = self._decoded(here - 1)
            if before is None or before.mnemonic in _ENDS:
                return None
            if before.mnemonic in _CALLS:
                if register == _RESULT[self.arch]:
                    return self._called(before)
                if register not in _KEPT[self.arch]:
                    return None
            elif register in self._written(before):
                return self._source(before, register)
        return None

    def _decoded(self, index: int) -> Any | None:
        begin = self._places[index] - self._start
        data = self._data[begin : begin + 16]
        return next(disassembler(self.arch).disasm(data, self._places[index], 1), None)

    def _name_of(self, found: Any, register: int) -> str:
        name = str(found.reg_name(register) or "")
        if self.arch == "arm64":
            name = {"fp": "x29", "lr": "x30"}.get(name, name)
            return f"x{name[1:]}" if name.startswith("w") else name
        return _X86_WHOLE.get(name, name)

    def _written(self, found: Any) -> set[str]:
        return {self._name_of(found, register) for register in found.regs_access()[1]}

    def _place(self, offset: int) -> int:
        return self._sections.place(self._section, offset)

    def _called(self, found: Any) -> Origin | None:
        name = self._symbol_name(found)
        is_known = name is not None and not name.startswith("__x86_indirect_thunk")
        at = self._place(found.address)
        return Origin("call", at, callee=name if is_known else None)

    def _relocation(self, found: Any) -> tuple[int, int, int, int] | None:
        end = found.address + found.size
        return next(iter(self._sections.relocations(self._name, found.address, end)), None)

    def _symbol_name(self, found: Any) -> str | None:
        """Return the function that a call leads to, by its relocation."""
        relocation = self._relocation(found)
        return (self._sections.symbol_name(relocation[2]) or None) if relocation else None

    def _source(self, found: Any, register: str) -> Origin | None:
        """Return what the last instruction that wrote the register made its value of."""
        take = _x86_source if self.arch == "x86_64" else _arm64_source
        told = take(found, lambda number: self._name_of(found, number))
        if told is None or told[1] is None:
            return None
        how, base, add = told
        if base in ("rip", ""):
            return self._static(found) if how == "load" else None
        if self._relocation(found):
            return None
        return Origin(how, self._place(found.address), base, add)

    def _static(self, found: Any) -> Origin | None:
        """Return the place of a variable that is addressed relative to the instruction."""
        relocation = self._relocation(found)
        if relocation is None:
            return None
        offset, _, number, addend = relocation
        symbol = self._sections.symbol(number)
        if not symbol.section:
            return None
        place = symbol.value + addend + found.address + found.size - offset
        return Origin(
            "load", self._place(found.address), None, (symbol.section << SECTION_SHIFT) + place
        )


def _x86_source(found: Any, name: Any) -> tuple[str, str | None, int] | None:
    from capstone import x86_const

    if len(found.operands) != 2 or found.operands[0].type != x86_const.X86_OP_REG:
        return None
    into, given = found.operands
    if into.size != 8:
        return None
    if given.type == x86_const.X86_OP_MEM:
        if given.mem.segment or given.mem.index or found.mnemonic not in ("mov", "lea"):
            return None
        how = "load" if found.mnemonic == "mov" else "copy"
        return how, name(given.mem.base) if given.mem.base else "", given.mem.disp
    if found.mnemonic == "mov" and given.type == x86_const.X86_OP_REG:
        return "copy", name(given.reg), 0
    if found.mnemonic in ("add", "sub") and given.type == x86_const.X86_OP_IMM:
        return "copy", name(into.reg), given.imm if found.mnemonic == "add" else -given.imm
    return None


def _arm64_source(found: Any, name: Any) -> tuple[str, str | None, int] | None:
    from capstone import arm64_const as arm

    operands = found.operands
    if not operands or not str(found.reg_name(operands[0].reg) or "").startswith("x"):
        return None
    kinds = [operand.type for operand in operands]
    if found.mnemonic in ("ldr", "ldur") and kinds == [arm.ARM64_OP_REG, arm.ARM64_OP_MEM]:
        memory = operands[1].mem
        return None if memory.index or found.writeback else ("load", name(memory.base), memory.disp)
    if found.mnemonic == "mov" and kinds == [arm.ARM64_OP_REG, arm.ARM64_OP_REG]:
        return "copy", name(operands[1].reg), 0
    plain = kinds == [arm.ARM64_OP_REG, arm.ARM64_OP_REG, arm.ARM64_OP_IMM]
    if found.mnemonic in ("add", "sub") and plain and not operands[2].shift.value:
        number = operands[2].imm
        return "copy", name(operands[1].reg), number if found.mnemonic == "add" else -number
    return None
