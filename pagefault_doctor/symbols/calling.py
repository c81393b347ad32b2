"""What calls do to registers, and the names of registers (System V psABI, AAPCS64)."""

from __future__ import annotations

from typing import Any, Final

CALLS: Final = frozenset({"call", "bl", "blr"})
"""Mnemonics of calls."""
ENDS: Final = frozenset({"jmp", "ret", "ud2", "iretq", "int3", "hlt", "b", "br", "brk", "udf"})
"""Mnemonics after which the next instruction is only reached from elsewhere."""

ARGUMENTS: Final = {
    "x86_64": ("rdi", "rsi", "rdx", "rcx", "r8", "r9"),
    "arm64": tuple(f"x{number}" for number in range(8)),
}
"""The registers of the first arguments."""
RESULT: Final = {"x86_64": "rax", "arm64": "x0"}
CLOBBERED: Final = {
    "x86_64": frozenset("rax rcx rdx rsi rdi r8 r9 r10 r11".split()),
    "arm64": frozenset({*(f"x{number}" for number in range(19)), "x30"}),
}
"""The registers that a call need not leave as they were."""

_X86_PARTS: Final = (
    *((f"r{n}x", (f"e{n}x", f"{n}x", f"{n}l", f"{n}h")) for n in "abcd"),
    *((f"r{n}", (f"e{n}", n, f"{n}l")) for n in ("si", "di", "bp", "sp")),
    *((f"r{n}", (f"r{n}d", f"r{n}w", f"r{n}b")) for n in range(8, 16)),
)
_X86_WHOLE: Final = {part: whole for whole, parts in _X86_PARTS for part in parts}
_ARM64_ALSO: Final = {"fp": "x29", "lr": "x30"}


def name(arch: str, instruction: Any, register: int) -> str:
    """Return the name of the whole register that capstone's number is, or is a part of."""
    part = str(instruction.reg_name(register) or "")
    if arch == "arm64":
        part = _ARM64_ALSO.get(part, part)
        return f"x{part[1:]}" if part.startswith("w") else part
    return _X86_WHOLE.get(part, part)


def written(arch: str, instruction: Any) -> set[str]:
    """Return the whole registers that capstone's instruction writes to."""
    return {name(arch, instruction, register) for register in instruction.regs_access()[1]}
