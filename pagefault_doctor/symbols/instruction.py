"""The faulting instruction, decoded from the `Code:` line of a report.

Register names and calling conventions follow the System V psABI and AAPCS64.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from pagefault_doctor.symbols import machine_code
from pagefault_doctor.symbols.load_store import load_store
from pagefault_doctor.symbols.machine_code import first

_DETAILED: Final = frozenset({"x86_64", "i386", "x86", "x86_32", "arm64", "s390x"})
"""Architectures of which capstone knows every operand in memory; see `load_store` of the others."""


_NO_ACCESS: Final = frozenset({"lea", "la", "lay"})
"""Mnemonics with an operand as one in memory has it, of which only the address is worked out."""
_MEMORY: Final = 3
"""CS_OP_MEM: the same for every architecture."""
_STORES: Final = {"arm64": ("st",), "s390x": ("st", "mv")}
"""How the mnemonics of stores begin, where capstone does not tell what an instruction accesses."""
_LOADS: Final = {"arm64": ("ld",), "s390x": ("",)}


class Instruction(msgspec.Struct, frozen=True, kw_only=True):
    """One instruction and its memory operand, if any.

    `text` is what a disassembler prints (AT&T syntax for x86, as objdump). Register names are in
    lower case, without `%`. `displacement` is in bytes, `size` is the width of the access in bytes
    (0 if unknown). `is_write` and `is_read` are about the memory operand. `source` is the register
    of the second memory operand, which string instructions read from. `code` holds the bytes of
    the instruction.
    """

    text: str
    mnemonic: str
    base: str | None = None
    index: str | None = None
    scale: int = 1
    segment: str | None = None
    displacement: int = 0
    size: int = 0
    is_write: bool = False
    is_read: bool = False
    has_memory: bool = False
    source: str | None = None
    code: bytes = b""

    def address(self, registers: Mapping[str, int], bits: int = 64) -> int | None:
        """Return the address of the memory operand, or None if a register it needs is unknown."""
        if not self.has_memory or self.segment:
            return None
        total = self.displacement
        for name, factor in ((self.base, 1), (self.index, self.scale)):
            if name is None:
                continue
            if name not in registers:
                return None
            total += registers[name] * factor
        return total & ((1 << bits) - 1)


def _reads_and_writes(found: Any, operand: Any, arch: str) -> tuple[bool, bool]:
    if arch in _STORES:
        writes = found.mnemonic.startswith(_STORES[arch])
        return not writes and found.mnemonic.startswith(_LOADS[arch]), writes
    # Branches have a memory operand without an access flag, but read their target from it.
    return bool(operand.access & 1) or not operand.access, bool(operand.access & 2)


def memory_operands(found: Any) -> list[Any]:
    """Return the operands of a capstone instruction that are in memory."""
    return [operand for operand in found.operands if operand.type == _MEMORY]


def _name(found: Any, register: int) -> str | None:
    name = found.reg_name(register) if register else None
    return f"r{name}" if name and name.isdigit() else name  # s390


def _segment(found: Any, operand: Any) -> str | None:
    """Return `fs` or `gs` if the operand uses it; reports do not print their base."""
    name = _name(found, getattr(operand.mem, "segment", 0))
    return name if name in ("fs", "gs") else None


def _arm64_size(found: Any) -> int:
    """Return the width of a load or store in bytes, from the mnemonic or the register; else 0."""
    mnemonic = found.mnemonic
    if not mnemonic.startswith(("ld", "st")):
        return 0
    if mnemonic.endswith(("b", "h")):
        return 1 if mnemonic.endswith("b") else 2
    name = str(found.reg_name(found.operands[0].reg) or "")
    return 4 if name.startswith("w") or mnemonic.endswith("sw") else 8 if name[:1] == "x" else 0


def _build(found: Any, text: str, arch: str) -> Instruction:
    plain = Instruction(text=text, mnemonic=found.mnemonic, code=bytes(found.bytes))
    operands = [] if found.mnemonic in _NO_ACCESS else memory_operands(found)
    if not operands:
        return plain
    operand, *more = operands
    is_read, is_write = _reads_and_writes(found, operand, arch)
    return msgspec.structs.replace(
        plain,
        base=_name(found, operand.mem.base),
        index=_name(found, operand.mem.index),
        scale=getattr(operand.mem, "scale", 1),
        segment=_segment(found, operand),
        displacement=operand.mem.disp,
        size=_arm64_size(found) if arch == "arm64" else getattr(operand, "size", 0),
        is_write=is_write,
        is_read=is_read,
        has_memory=True,
        source=_name(found, more[0].mem.base) if more else None,
    )


def _build_load_store(found: Any, text: str, arch: str) -> Instruction:
    plain = Instruction(text=text, mnemonic=found.mnemonic, code=bytes(found.bytes))
    does = load_store(found.mnemonic, found.op_str, arch)
    if does is None:
        return plain
    return msgspec.structs.replace(plain, has_memory=True, **msgspec.structs.asdict(does))


def decode(code: str, arch: str) -> Instruction | None:
    """Return the instruction at the mark of a `Code:` line, or None if it cannot be decoded.

    `arch` is that of the report.
    """
    if not machine_code.is_known(arch):
        return None
    data = machine_code.marked_bytes(code, arch)
    return decode_bytes(data, arch) if data else None


def decode_bytes(data: bytes, arch: str) -> Instruction | None:
    """Return the first instruction in the bytes, or None.

    `arch` is as for `decode`.
    """
    found = first(arch, data) if machine_code.is_known(arch) else None
    if found is None:
        return None
    build = _build if arch in _DETAILED else _build_load_store
    return build(found, shown(data, arch), arch)


def shown(data: bytes, arch: str) -> str:
    """Return the first instruction as a disassembler prints it (AT&T syntax for x86)."""
    found = first(arch, data, att=True)
    return " ".join(f"{found.mnemonic} {found.op_str}".split()).replace(", ", ",") if found else ""


CALLS: Final = frozenset({"call", "bl", "blr"})
"""Mnemonics of calls."""
ENDS: Final = frozenset({"jmp", "ret", "ud2", "iretq", "int3", "hlt", "b", "br", "brk", "udf"})
"""Mnemonics that never continue with the next instruction."""

ARGUMENTS: Final = {
    "x86_64": ("rdi", "rsi", "rdx", "rcx", "r8", "r9"),
    "arm64": tuple(f"x{number}" for number in range(8)),
}
"""The registers of the first arguments."""
RESULT: Final = {"x86_64": "rax", "arm64": "x0"}
"""The register of a function's result."""
CLOBBERED: Final = {
    "x86_64": frozenset("rax rcx rdx rsi rdi r8 r9 r10 r11".split()),
    "arm64": frozenset({*(f"x{number}" for number in range(19)), "x30"}),
}
"""The registers that a call may change."""

_X86_PARTS: Final = (
    *((f"r{n}x", (f"e{n}x", f"{n}x", f"{n}l", f"{n}h")) for n in "abcd"),
    *((f"r{n}", (f"e{n}", n, f"{n}l")) for n in ("si", "di", "bp", "sp")),
    *((f"r{n}", (f"r{n}d", f"r{n}w", f"r{n}b")) for n in range(8, 16)),
)
_X86_WHOLE: Final = {part: whole for whole, parts in _X86_PARTS for part in parts}
_ARM64_ALSO: Final = {"fp": "x29", "lr": "x30"}


def name(arch: str, instruction: Any, register: int) -> str:
    """Return the full register (`rax` for `eax`) of a capstone register number."""
    part = str(instruction.reg_name(register) or "")
    if arch == "arm64":
        part = _ARM64_ALSO.get(part, part)
        return f"x{part[1:]}" if part.startswith("w") else part
    return _X86_WHOLE.get(part, part)


def written(arch: str, instruction: Any) -> set[str]:
    """Return the full registers that a capstone instruction writes."""
    return {name(arch, instruction, register) for register in instruction.regs_access()[1]}
