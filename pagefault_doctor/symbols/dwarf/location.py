"""Where a variable is, by a location expression of DWARF (section 2.5 and 2.6).

A fault leaves the registers and nothing else, so an expression is worked out as far as a register
plus a number. What needs memory, a caller's registers or arithmetic of another kind is unknown.
"""

from __future__ import annotations

from typing import Final

import msgspec

from pagefault_doctor.symbols.dwarf.form import sleb, uleb

FRAME: Final = -1
"""In place of a register: the canonical frame address, where the caller's frame ends."""

_X86_64: Final = (
    *("rax", "rdx", "rcx", "rbx", "rsi", "rdi", "rbp", "rsp"),
    *(f"r{n}" for n in range(8, 16)),
)
"""System V psABI for x86_64, figure 3.36."""
_AARCH64: Final = (*(f"x{n}" for n in range(31)), "sp")
"""DWARF for the Arm 64-bit Architecture, section 4.1."""
REGISTERS: Final = {"x86_64": _X86_64, "arm64": _AARCH64}
_ALIASES: Final = {"fp": "x29", "lr": "x30"}

_OPERANDS: Final = {
    0x03: 8, 0x08: 1, 0x09: 1, 0x0A: 2, 0x0B: 2, 0x0C: 4, 0x0D: 4, 0x0E: 8, 0x0F: 8,
}  # fmt: skip
_SIGNED: Final = frozenset({0x09, 0x0B, 0x0D, 0x0F})
_ADDR, _CONSTU, _CONSTS, _DUP, _PLUS, _MINUS, _PLUS_UCONST = (
    0x03,
    0x10,
    0x11,
    0x12,
    0x22,
    0x1C,
    0x23,
)
_LIT0, _REG0, _BREG0, _REGX, _FBREG, _BREGX = 0x30, 0x50, 0x70, 0x90, 0x91, 0x92
_PIECE, _NOP, _CFA, _IMPLICIT_VALUE, _STACK_VALUE = 0x93, 0x96, 0x9C, 0x9E, 0x9F
_MOST: Final = 256
_WRAP: Final = (1 << 64) - 1


class RegisterOffset(msgspec.Struct, frozen=True):
    """A register plus a number; without a register the number alone.

    `is_address` tells the number of a section's place from one that is just a number.
    """

    register: int | None
    offset: int
    is_address: bool = False

    def plus(self, number: int) -> RegisterOffset:
        """Return the sum with a number added."""
        return msgspec.structs.replace(self, offset=self.offset + number)


class VariableLocation(msgspec.Struct, frozen=True):
    """Where a variable, or a piece of it, is.

    `at` is its value, or the address of its memory where `in_memory`. `start` is the first byte
    of the variable that is there, `size` how many of them; None means all.
    """

    at: RegisterOffset
    in_memory: bool
    start: int = 0
    size: int | None = None


class _Unknown(Exception):
    """The expression needs what a report does not tell."""


def number_of(register: str, arch: str | None) -> int | None:
    """Return the number that DWARF gives a register, by its name in a report, or None."""
    names = REGISTERS.get(arch or "", ())
    name = _ALIASES.get(register, register)
    return names.index(name) if name in names else None


def name_of(number: int, arch: str | None) -> str | None:
    """Return the name of a register as a report prints it, or None."""
    names = REGISTERS.get(arch or "", ())
    return names[number] if 0 <= number < len(names) else None


def places(code: bytes, frame_base: bytes | None = None) -> tuple[VariableLocation, ...]:
    """Return where a variable is; empty where that cannot be told.

    `frame_base` is the DW_AT_frame_base of its function. Raises IndexError or ValueError on an
    expression that breaks off.
    """
    found: list[VariableLocation] = []
    at, start = 0, 0
    while at < len(code):
        try:
            place, at = _one(code, at, frame_base)
        except _Unknown:
            return tuple(found)
        size = None
        if at < len(code) and code[at] == _PIECE:
            size, at = uleb(code, at + 1)
        elif at < len(code):
            return ()
        if place is not None:
            found.append(msgspec.structs.replace(place, start=start, size=size))
        start += size or 0
    return tuple(found)


def _one(code: bytes, at: int, frame_base: bytes | None) -> tuple[VariableLocation | None, int]:
    """Return the place that the next simple description tells, and where that ends."""
    stack: list[RegisterOffset] = []
    while at < len(code) and code[at] != _PIECE:
        op, at = code[at], at + 1
        if _REG0 <= op < _BREG0 or op == _REGX:
            register, at = (op - _REG0, at) if op != _REGX else uleb(code, at)
            return VariableLocation(RegisterOffset(register, 0), False), at
        if op == _STACK_VALUE:
            return VariableLocation(_top(stack), False), at
        if op == _IMPLICIT_VALUE:
            length, at = uleb(code, at)
            value = int.from_bytes(code[at : at + length], "little")
            return VariableLocation(RegisterOffset(None, value), False), at + length
        at = _push(stack, op, code, at, frame_base)
        if len(stack) > _MOST:
            raise _Unknown
    return (VariableLocation(_top(stack), True) if stack else None), at


def _top(stack: list[RegisterOffset]) -> RegisterOffset:
    if not stack:
        raise _Unknown
    return stack[-1]


def _push(
    stack: list[RegisterOffset], op: int, code: bytes, at: int, frame_base: bytes | None
) -> int:
    """Carry out one operation and return where the next begins."""
    if _BREG0 <= op < _REGX or op in (_BREGX, _FBREG):
        register, at = uleb(code, at) if op == _BREGX else (op - _BREG0, at)
        offset, at = sleb(code, at)
        stack.append(
            _frame(frame_base).plus(offset) if op == _FBREG else RegisterOffset(register, offset)
        )
    elif _LIT0 <= op < _REG0:
        stack.append(RegisterOffset(None, op - _LIT0))
    elif op in _OPERANDS:
        end = at + _OPERANDS[op]
        value = int.from_bytes(code[at:end], "little", signed=op in _SIGNED)
        stack.append(RegisterOffset(None, value, op == _ADDR))
        at = end
    elif op in (_CONSTU, _CONSTS):
        value, at = (uleb if op == _CONSTU else sleb)(code, at)
        stack.append(RegisterOffset(None, value))
    elif op == _CFA:
        stack.append(RegisterOffset(FRAME, 0))
    elif op == _DUP:
        stack.append(_top(stack))
    else:
        at = _compute(stack, op, code, at)
    return at


def _compute(stack: list[RegisterOffset], op: int, code: bytes, at: int) -> int:
    if op == _PLUS_UCONST:
        number, at = uleb(code, at)
        stack.append(_pop(stack).plus(number))
    elif op in (_PLUS, _MINUS):
        second, first = _pop(stack), _pop(stack)
        if op == _PLUS and second.register is not None:
            first, second = second, first
        if second.register is not None or second.is_address:
            raise _Unknown
        stack.append(first.plus(second.offset if op == _PLUS else -second.offset))
    elif op != _NOP:
        raise _Unknown
    return at


def _pop(stack: list[RegisterOffset]) -> RegisterOffset:
    if not stack:
        raise _Unknown
    return stack.pop()


def _frame(frame_base: bytes | None) -> RegisterOffset:
    """Return what DW_OP_fbreg counts from: the frame address, or a register."""
    if not frame_base:
        raise _Unknown
    if frame_base == bytes((_CFA,)):
        return RegisterOffset(FRAME, 0)
    (place,) = places(frame_base) or (None,)
    if place is None:
        raise _Unknown
    return place.at


def value_of(place: VariableLocation, values: dict[int, int]) -> int | None:
    """Return the value that a place holds, by the registers' values, or None."""
    if place.in_memory or place.at.is_address:
        return None
    if place.at.register is None:
        return place.at.offset & _WRAP
    base = values.get(place.at.register)
    return None if base is None else (base + place.at.offset) & _WRAP
