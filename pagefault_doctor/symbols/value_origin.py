"""Where the value of a register came from: back from the fault to the instruction that gave it.

Two sources give the instructions: the bytes of the `Code:` line, and the whole function of a
module's file, which also has the names of what it calls and the places that jumps lead to.

A `Code:` line begins some way before the instruction (`arch/x86/kernel/dumpstack.c` prints 42 bytes
of prologue, `arch/arm64/kernel/traps.c` four words). x86 has no marks between instructions, so the
bytes are cut on the left until they land on the marked one; where several cuts do, they agree on
the last instructions, which is all that is read here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

import msgspec

from pagefault_doctor.symbols import instruction
from pagefault_doctor.symbols.instruction import shown
from pagefault_doctor.symbols.machine_code import bytes_before, disassembler

if TYPE_CHECKING:
    from pagefault_doctor.symbols.function_code import FunctionCode

_CUTS: Final = 16
"""Left cuts that are tried; the longest are of most use."""
_FEWEST: Final = 3
"""Cuts that must reach an instruction before what they agree on counts."""

_FURTHEST: Final = 48
"""Instructions of a whole function that are looked at, at most."""
_THUNK: Final = "__x86_indirect_thunk"
_TRACER: Final = "__fentry__"
"""What a function calls first, for ftrace; it changes no register."""
_LOW_BITS: Final = 286
"""R_AARCH64_LDST64_ABS_LO12_NC: the second half of the address of what a load reads."""

_BEGINNING: Final = "beginning"
"""What a way back through the instructions ends with where it comes to that of the function."""

_LOADS: Final = ("mov", "ldr", "ldur", "movabs")
_REGISTER: Final = 1
_IMMEDIATE: Final = 2
"""CS_OP_REG and CS_OP_IMM: the same for every architecture."""


class OriginKind(StrEnum):
    """How a register came to its value."""

    LOADED = "loaded"
    RETURNED = "returned"
    CLEARED = "cleared"
    PASSED = "passed"


class ValueOrigin(msgspec.Struct, frozen=True):
    """Where the value of a register came from, as the code before the fault has it.

    `text` is the instruction that gave it (empty for an argument). Of a load, `base` is the
    register it went through, if that still holds at the fault, and `displacement` the bytes added.
    Of an argument, `number` counts from 1. `distance` is in bytes, back from the faulting one.
    """

    how: OriginKind
    text: str = ""
    base: str | None = None
    displacement: int = 0
    number: int = 0
    distance: int = 0


def origin(code: str, arch: str, register: str, offset: int | None) -> ValueOrigin | None:
    """Return where a register's value came from, None where the bytes do not show it.

    `code` is the `Code:` line, `arch` is `x86_64` or `arm64`, `register` a name such as `rax`.
    `offset` is that of the fault in its function: the function begins that far before it.
    """
    if arch not in instruction.RESULT:
        return None
    data = bytes_before(code, arch)
    whole = offset is not None and offset <= len(data)
    try:
        if offset is not None and whole:
            before = _straight(data[len(data) - offset :], arch)
        else:
            before = _straight(data, arch) if arch == "arm64" else _agreed(data, arch)
    except ImportError:  # A file that was carried to another platform has no capstone for it.
        return None
    return _traced(before, arch, register, whole)


def _straight(data: bytes, arch: str) -> list[Any]:
    """Return the instructions of bytes that begin with one; nothing where they do not fit."""
    found = list(disassembler(arch).disasm(data, 0))
    return found if sum(each.size for each in found) == len(data) else []


def _agreed(data: bytes, arch: str) -> list[Any]:
    """Return the last instructions that most of the left cuts agree on."""
    cuts = [found for start in range(min(len(data), _CUTS)) if (found := _cut(data[start:], arch))]
    votes = Counter(distance for cut in cuts for distance in cut)
    agreed = 0
    for distance in reversed(cuts[0] if cuts else []):
        able = sum(cut[0] >= distance for cut in cuts)
        if able < _FEWEST or votes[distance] * 2 <= able:
            break
        agreed = distance
    return _straight(data[len(data) - agreed :], arch) if agreed else []


def _cut(data: bytes, arch: str) -> list[int]:
    """Return how far before the end each instruction of a cut begins; empty where it misses it."""
    found = list(disassembler(arch).disasm_lite(data, 0))
    landed = found and found[-1][0] + found[-1][1] == len(data)
    return [len(data) - address for address, *_ in found] if landed else []


def _traced(before: list[Any], arch: str, register: str, whole: bool) -> ValueOrigin | None:
    """Follow a register back, through its copies, to the instruction that gave it its value."""
    changed: set[str] = set()
    end = before[-1].address + before[-1].size if before else 0
    path = _led_here(before)
    while (found := _last_write(path, arch, register, changed)) not in (None, _BEGINNING):
        distance = end - found.address
        if found.mnemonic in instruction.CALLS:
            text = shown(bytes(found.bytes), arch)
            return ValueOrigin(OriginKind.RETURNED, text, distance=distance)
        other = _copied(found, arch)
        if other is None:
            return _given(found, arch, changed | instruction.written(arch, found), distance)
        register = other
    arguments = instruction.ARGUMENTS[arch]
    if found == _BEGINNING and whole and before and register in arguments:
        return ValueOrigin(OriginKind.PASSED, number=arguments.index(register) + 1, distance=end)
    return None


def _last_write(path: Iterator[Any], arch: str, register: str, changed: set[str]) -> Any | None:
    """Return the last instruction that gave a register its value, _BEGINNING, or None.

    `path` gives what ran before, the last first. Of a call it is known which registers it may
    change and where its result is (System V psABI, figure 3.4; the Procedure Call Standard for the
    Arm 64-bit Architecture, section 6.1). Registers written after it are put into `changed`.
    """
    for each in path:
        if each == _BEGINNING:
            return each
        written = instruction.written(arch, each)
        if each.mnemonic in instruction.CALLS:
            if register == instruction.RESULT[arch]:
                return each
            written |= instruction.CLOBBERED[arch]
            if register in written:
                return None
        elif register in written:
            return each
        changed |= written
    return None


def _led_here(before: list[Any]) -> Iterator[Any]:
    """Give what ran before the end, the last first, over the only jump to where none falls in."""
    path = before
    while path:
        each = path[-1]
        path = path[:-1]
        if each.mnemonic not in instruction.ENDS:
            yield each
            continue
        jumps = [i for i, jump in enumerate(path) if _target(jump) == each.address + each.size]
        if len(jumps) != 1:
            return
        path = path[: jumps[0]]
    yield _BEGINNING


def _target(each: Any) -> int | None:
    """Return where a jump goes, None of any other instruction."""
    if not each.mnemonic.startswith(("j", "b.", "cb", "tb")) and each.mnemonic != "b":
        return None
    last = each.operands[-1] if each.operands else None
    return int(last.imm) if last is not None and last.type == _IMMEDIATE else None


def _copied(each: Any, arch: str) -> str | None:
    """Return the register that the instruction copies another from, None where it does not."""
    operands = each.operands
    if each.mnemonic != "mov" or len(operands) != 2 or operands[1].type != _REGISTER:
        return None
    return instruction.name(arch, each, operands[1].reg)


def _given(each: Any, arch: str, changed: set[str], distance: int) -> ValueOrigin | None:
    """Return where the value of a register came from, by the instruction that set it."""
    text, operands = shown(bytes(each.bytes), arch), each.operands
    if each.mnemonic == "xor" and len({operand.reg for operand in operands}) == 1:
        return ValueOrigin(OriginKind.CLEARED, text, distance=distance)
    memory = next(iter(instruction.memory_operands(each)), None)
    if memory is None or each.mnemonic not in _LOADS or memory.mem.index:
        return None
    if getattr(memory.mem, "segment", 0):  # relative to a processor's own data
        return ValueOrigin(OriginKind.LOADED, text, distance=distance)
    base = instruction.name(arch, each, memory.mem.base) if memory.mem.base else None
    # A base that changed since, the load itself included, no longer holds what is printed.
    if base in (None, "rip") or base in changed:
        return ValueOrigin(OriginKind.LOADED, text, distance=distance)
    return ValueOrigin(OriginKind.LOADED, text, base, memory.mem.disp, distance=distance)


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


def origin_in_function(code: FunctionCode, register: str, at: int) -> TracedValue | None:
    """Return where the value came from that a register has before the instruction at an offset.

    Only what surely ran is followed: straight-line code, up to a place that a jump leads to. None
    where that is uncertain.
    """
    if not code.is_clear or at not in code.places:
        return None
    path = _straight_before(code, code.places.index(at))
    found = _last_write(path, code.arch, register, set())
    if found == _BEGINNING:
        return TracedValue("entry", code.places[0], register)
    if found is None:
        return None
    if found.mnemonic not in instruction.CALLS:
        return _source(code, found)
    name = code.callee(found)
    is_known = name is not None and not name.startswith(_THUNK)
    return TracedValue("call", found.address, callee=name if is_known else None)


def _straight_before(code: FunctionCode, index: int) -> Iterator[Any]:
    """Give the instructions before one of a function, the last first, while no jump leads in."""
    for here in range(index, max(0, index - _FURTHEST), -1):
        before = None if code.places[here] in code.targets else code.decoded(code.places[here - 1])
        if before is None or before.mnemonic in instruction.ENDS:
            return
        if before.mnemonic not in instruction.CALLS or code.callee(before) != _TRACER:
            yield before
    if index <= _FURTHEST:
        yield _BEGINNING


def _source(code: FunctionCode, found: Any) -> TracedValue | None:
    """Return what the last instruction that wrote a register made its value of."""
    take = _x86_source if code.arch == "x86_64" else _arm64_source
    source = take(found, lambda number: instruction.name(code.arch, found, number))
    if source is None:
        return None
    how, base, add = source
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
