"""What led up to the faulting instruction: where its pointer came from, by the bytes before it.

A `Code:` line begins some way before the instruction (`arch/x86/kernel/dumpstack.c` prints 42 bytes
of prologue, `arch/arm64/kernel/traps.c` four words). x86 has no marks between instructions, so the
bytes are cut on the left until they land on the marked one; where several cuts do, they agree on
the last instructions, which is all that is read here.
"""

from __future__ import annotations

import re
from collections import Counter
from enum import StrEnum
from typing import Any, Final

import msgspec

from pagefault_doctor.symbols import instruction
from pagefault_doctor.symbols.instruction import disassembler, shown

_CUTS: Final = 16
"""Left cuts that are tried; the longest are of most use."""
_FEWEST: Final = 3
"""Cuts that must have had a say before what they agree on counts."""

_WORD: Final = re.compile(r"\b[0-9a-fA-F]{8}\b")
_BYTE: Final = re.compile(r"\b[0-9a-fA-F]{2}\b")
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
    """Return where a register's value came from, None where the bytes do not tell.

    `code` is the `Code:` line, `arch` is `x86_64` or `arm64`, `register` a name such as `rax`.
    `offset` is that of the fault in its function, which tells where the function begins.
    """
    if arch not in instruction.RESULT:
        return None
    data = _bytes_before(code, arch)
    whole = offset is not None and offset <= len(data)
    try:
        if offset is not None and whole:
            before = _straight(data[len(data) - offset :], arch)
        else:
            before = _straight(data, arch) if arch == "arm64" else _agreed(data, arch)
    except ImportError:  # A file that was carried to another platform has no capstone for it.
        return None
    return _traced(before, arch, register, whole)


def _bytes_before(code: str, arch: str) -> bytes:
    head, mark, _ = code.replace("(", "<").partition("<")
    if not mark:
        return b""
    if arch == "arm64":
        return b"".join(int(word, 16).to_bytes(4, "little") for word in _WORD.findall(head))
    return bytes.fromhex("".join(_BYTE.findall(head)))


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
    """Follow a register back to the instruction that gave it its value."""
    changed: set[str] = set()
    end = before[-1].address + before[-1].size if before else 0
    path = list(before)
    while path:
        each = path.pop()
        distance = end - each.address
        if each.mnemonic in instruction.ENDS:
            jumped = _jumped(path, each.address + each.size)
            if jumped is None:
                return None
            path = jumped
            continue
        written = instruction.written(arch, each)
        if each.mnemonic in instruction.CALLS:
            if register == instruction.RESULT[arch]:
                return ValueOrigin(
                    OriginKind.RETURNED, shown(bytes(each.bytes), arch), distance=distance
                )
            written |= instruction.CLOBBERED[arch]
            if register in written:
                return None
        elif register in written:
            if other := _copied(each, arch):
                register = other
                continue
            return _given(each, arch, changed | written, distance)
        changed |= written
    if whole and before and register in instruction.ARGUMENTS[arch]:
        return ValueOrigin(
            OriginKind.PASSED, number=instruction.ARGUMENTS[arch].index(register) + 1, distance=end
        )
    return None


def _jumped(before: list[Any], target: int) -> list[Any] | None:
    """Return what led to the only jump to `target`, None where there is none, or several."""
    jumps = [i for i, each in enumerate(before) if _target(each) == target]
    return before[: jumps[0]] if len(jumps) == 1 else None


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
    """Return what the instruction that set the register tells of the value."""
    text, operands = shown(bytes(each.bytes), arch), each.operands
    if each.mnemonic == "xor" and len({operand.reg for operand in operands}) == 1:
        return ValueOrigin(OriginKind.CLEARED, text, distance=distance)
    memory = next((operand for operand in operands if operand.type == _memory(arch)), None)
    if memory is None or each.mnemonic not in _LOADS or memory.mem.index:
        return None
    if getattr(memory.mem, "segment", 0):  # relative to a processor's own data
        return ValueOrigin(OriginKind.LOADED, text, distance=distance)
    base = instruction.name(arch, each, memory.mem.base) if memory.mem.base else None
    # A base that changed since, the load itself included, no longer holds what is printed.
    known = base not in (None, "rip") and base not in changed
    return ValueOrigin(
        OriginKind.LOADED,
        text,
        base if known else None,
        memory.mem.disp if known else 0,
        0,
        distance,
    )


def _memory(arch: str) -> int:
    import capstone

    return int(capstone.arm64.ARM64_OP_MEM if arch == "arm64" else capstone.x86.X86_OP_MEM)
