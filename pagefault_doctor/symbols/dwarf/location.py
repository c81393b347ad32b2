"""Where a variable is, from a DWARF location expression (sections 2.5 and 2.6).

A report has the registers and no memory, so an expression is evaluated to a register plus an
offset. If it needs memory, a caller's registers or other arithmetic, the location is unknown.
"""

from __future__ import annotations

from typing import Final

import msgspec

from pagefault_doctor.symbols.dwarf.form import read_sleb, read_uleb

FRAME: Final = -1
"""The canonical frame address, used as a register number: where the caller's frame ends."""

_X86_64: Final = (
    *("rax", "rdx", "rcx", "rbx", "rsi", "rdi", "rbp", "rsp"),
    *(f"r{n}" for n in range(8, 16)),
)
"""System V psABI for x86_64, figure 3.36."""
_AARCH64: Final = (*(f"x{n}" for n in range(31)), "sp")
"""DWARF for the Arm 64-bit Architecture, section 4.1."""
REGISTERS: Final = {"x86_64": _X86_64, "arm64": _AARCH64}
"""Register names by DWARF number, for each architecture."""
_ALIASES: Final = {"fp": "x29", "lr": "x30"}

_OPERANDS: Final = {
    0x03: 8, 0x08: 1, 0x09: 1, 0x0A: 2, 0x0B: 2, 0x0C: 4, 0x0D: 4, 0x0E: 8, 0x0F: 8,
}  # fmt: skip
_SIGNED: Final = frozenset({0x09, 0x0B, 0x0D, 0x0F})
_ADDR, _CONSTU, _CONSTS, _DUP = 0x03, 0x10, 0x11, 0x12
_MINUS, _PLUS, _PLUS_UCONST = 0x1C, 0x22, 0x23
_LIT0, _REG0, _BREG0, _REGX, _FBREG, _BREGX = 0x30, 0x50, 0x70, 0x90, 0x91, 0x92
_PIECE, _NOP, _CFA, _IMPLICIT_VALUE, _STACK_VALUE = 0x93, 0x96, 0x9C, 0x9E, 0x9F
_MAX_STACK: Final = 256
_ADDRESS_MASK: Final = (1 << 64) - 1


class RegisterOffset(msgspec.Struct, frozen=True):
    """A register plus an offset; without a register, the offset alone.

    `is_address` is true if the offset is an address in a section, not just a number.
    """

    register: int | None
    offset: int
    is_address: bool = False

    def plus(self, number: int) -> RegisterOffset:
        """Return the sum with a number."""
        return msgspec.structs.replace(self, offset=self.offset + number)


class VariableLocation(msgspec.Struct, frozen=True):
    """Where a variable, or a piece of it, is.

    `at` is its value, or its address if `in_memory`. `start` is the first byte of the variable in
    this piece, `size` the number of bytes; None means all.
    """

    at: RegisterOffset
    in_memory: bool
    start: int = 0
    size: int | None = None


class _UnknownLocation(Exception):
    """The expression needs something that a report does not show."""


def register_number(register: str, arch: str | None) -> int | None:
    """Return the DWARF number of a register, by its name in a report, or None."""
    names = REGISTERS.get(arch or "", ())
    name = _ALIASES.get(register, register)
    return names.index(name) if name in names else None


def register_name(number: int | None, arch: str | None) -> str | None:
    """Return the name of a register, as a report prints it, or None."""
    names = REGISTERS.get(arch or "", ())
    return names[number] if number is not None and 0 <= number < len(names) else None


def variable_locations(
    code: bytes, frame_base: bytes | None = None
) -> tuple[VariableLocation, ...]:
    """Return where a variable is, one location for each piece; empty if unknown.

    `frame_base` is the DW_AT_frame_base of its function. Raises IndexError or ValueError on an
    expression that is cut off.
    """
    found: list[VariableLocation] = []
    at, start = 0, 0
    while at < len(code):
        try:
            location, at = _read_location(code, at, frame_base)
        except _UnknownLocation:
            return tuple(found)
        size = None
        if at < len(code) and code[at] == _PIECE:
            size, at = read_uleb(code, at + 1)
        elif at < len(code):
            return ()
        if location is not None:
            found.append(msgspec.structs.replace(location, start=start, size=size))
        start += size or 0
    return tuple(found)


def _read_location(
    code: bytes, at: int, frame_base: bytes | None
) -> tuple[VariableLocation | None, int]:
    """Return the next simple location and the offset behind it."""
    stack: list[RegisterOffset] = []
    while at < len(code) and code[at] != _PIECE:
        op, at = code[at], at + 1
        if _REG0 <= op < _BREG0 or op == _REGX:
            register, at = (op - _REG0, at) if op != _REGX else read_uleb(code, at)
            return VariableLocation(RegisterOffset(register, 0), False), at
        if op == _STACK_VALUE:
            return VariableLocation(_top(stack), False), at
        if op == _IMPLICIT_VALUE:
            length, at = read_uleb(code, at)
            value = int.from_bytes(code[at : at + length], "little")
            return VariableLocation(RegisterOffset(None, value), False), at + length
        at = _execute(stack, op, code, at, frame_base)
        if len(stack) > _MAX_STACK:
            raise _UnknownLocation
    return (VariableLocation(_top(stack), True) if stack else None), at


def _top(stack: list[RegisterOffset]) -> RegisterOffset:
    if not stack:
        raise _UnknownLocation
    return stack[-1]


def _execute(
    stack: list[RegisterOffset], op: int, code: bytes, at: int, frame_base: bytes | None
) -> int:
    """Execute one operation on the stack; return the offset of the next operation."""
    if _BREG0 <= op < _REGX or op in (_BREGX, _FBREG):
        register, at = read_uleb(code, at) if op == _BREGX else (op - _BREG0, at)
        offset, at = read_sleb(code, at)
        stack.append(
            _frame_base_value(frame_base).plus(offset)
            if op == _FBREG
            else RegisterOffset(register, offset)
        )
    elif _LIT0 <= op < _REG0:
        stack.append(RegisterOffset(None, op - _LIT0))
    elif op in _OPERANDS:
        end = at + _OPERANDS[op]
        value = int.from_bytes(code[at:end], "little", signed=op in _SIGNED)
        stack.append(RegisterOffset(None, value, op == _ADDR))
        at = end
    elif op in (_CONSTU, _CONSTS):
        value, at = (read_uleb if op == _CONSTU else read_sleb)(code, at)
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
        number, at = read_uleb(code, at)
        stack.append(_pop(stack).plus(number))
    elif op in (_PLUS, _MINUS):
        second, first = _pop(stack), _pop(stack)
        if op == _PLUS and second.register is not None:
            first, second = second, first
        if second.register is not None or second.is_address:
            raise _UnknownLocation
        stack.append(first.plus(second.offset if op == _PLUS else -second.offset))
    elif op != _NOP:
        raise _UnknownLocation
    return at


def _pop(stack: list[RegisterOffset]) -> RegisterOffset:
    if not stack:
        raise _UnknownLocation
    return stack.pop()


def _frame_base_value(frame_base: bytes | None) -> RegisterOffset:
    """Return the base of DW_OP_fbreg: the frame address, or a register."""
    if not frame_base:
        raise _UnknownLocation
    if frame_base == bytes((_CFA,)):
        return RegisterOffset(FRAME, 0)
    (location,) = variable_locations(frame_base) or (None,)
    if location is None:
        raise _UnknownLocation
    return location.at


def value_of(location: VariableLocation, values: dict[int, int]) -> int | None:
    """Return the value at a location, from the register values, or None if it is in memory."""
    if location.in_memory or location.at.is_address:
        return None
    if location.at.register is None:
        return location.at.offset & _ADDRESS_MASK
    base = values.get(location.at.register)
    return None if base is None else (base + location.at.offset) & _ADDRESS_MASK
