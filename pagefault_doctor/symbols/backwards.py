"""Where the value of a register came from: a few instructions backwards from the fault.

Only what surely ran is followed: straight-line code, up to a place that a jump leads to. Of a call
it is known which registers it may change and where its result is (System V psABI, figure 3.4; the
Procedure Call Standard for the Arm 64-bit Architecture, section 6.1).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec

from pagefault_doctor.symbols import instruction
from pagefault_doctor.symbols.function_code import FunctionCode

_FURTHEST: Final = 48
"""Instructions that are looked at, at most."""
_THUNK: Final = "__x86_indirect_thunk"
_TRACER: Final = "__fentry__"
"""What a function calls first, for ftrace; it changes no register."""
_LOW_BITS: Final = 286
"""R_AARCH64_LDST64_ABS_LO12_NC: the second half of the address of what a load reads."""


class TracedValue(msgspec.Struct, frozen=True):
    """Where a value came from, by the instruction at `at`, an offset in the section.

    `register` held it then, less `add`, where `how` is `copy`. It lay in memory at `register` plus
    `add` where `how` is `load`, or at the place `add` (see `sections`) where `register` is None. It
    is the result of `callee` where `how` is `call`, and what the function was called with where
    `how` is `entry`.
    """

    how: str
    at: int
    register: str | None = None
    add: int = 0
    callee: str | None = None


def origin(code: FunctionCode, register: str, at: int) -> TracedValue | None:
    """Return where the value came from that a register has before the instruction at an offset.

    None where that cannot be told for sure.
    """
    if not code.is_clear or at not in code.places:
        return None
    index = code.places.index(at)
    for here in range(index, max(0, index - _FURTHEST), -1):
        if code.places[here] in code.targets:
            return None
        before = code.decoded(code.places[here - 1])
        if before is None or before.mnemonic in instruction.ENDS:
            return None
        if before.mnemonic in instruction.CALLS:
            if code.callee(before) == _TRACER:
                continue
            if register == instruction.RESULT[code.arch]:
                return _called(code, before)
            if register in instruction.CLOBBERED[code.arch]:
                return None
        elif register in instruction.written(code.arch, before):
            return _source(code, before)
    return TracedValue("entry", code.places[0], register) if index <= _FURTHEST else None


def _called(code: FunctionCode, found: Any) -> TracedValue:
    name = code.callee(found)
    is_known = name is not None and not name.startswith(_THUNK)
    return TracedValue("call", found.address, callee=name if is_known else None)


def _source(code: FunctionCode, found: Any) -> TracedValue | None:
    """Return what the last instruction that wrote a register made its value of."""
    take = _x86_source if code.arch == "x86_64" else _arm64_source
    told = take(found, lambda number: instruction.name(code.arch, found, number))
    if told is None:
        return None
    how, base, add = told
    relocation = code.relocation(found)
    if relocation is None and base not in ("rip", ""):
        return TracedValue(how, found.address, base, add)
    is_static = base == "rip" or (relocation is not None and relocation[1] == _LOW_BITS)
    place = code.static_place(found) if how == "load" and is_static else None
    return TracedValue(how, found.address, None, place) if place is not None else None


_Source = tuple[str, str, int]
"""How a value was come by, by which register, and the number that was added."""


def _x86_source(found: Any, name: Callable[[int], str]) -> _Source | None:
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


def _arm64_source(found: Any, name: Callable[[int], str]) -> _Source | None:
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
