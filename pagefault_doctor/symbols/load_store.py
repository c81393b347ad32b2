"""Loads and stores of arm, MIPS, powerpc and riscv, read from the text of the instruction.

capstone gives some of their operands no details. Only loads and stores touch memory there, and
the mnemonic says which of the two it is, and how wide.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

from pagefault_doctor.model.pattern import regex

_NUMBER: Final = r"-?(?:0x[0-9a-f]+|\d+)"
_OPERANDS: Final = (
    regex(rf"(?P<displacement>{_NUMBER})?\((?P<base>\$?\w+)\)"),
    regex(
        rf"\[(?P<base>\w+)(?:, #(?P<displacement>{_NUMBER})|, (?P<index>\w+)"
        r"(?:, lsl #(?P<shift>\d))?)?\]"
    ),
)
"""`0x10(a5)` and `[r3, #4]`."""
_TWO_REGISTERS: Final = regex(r"^\w+, (?:0|(?P<base>r\d+)), (?P<index>r\d+)$")
"""powerpc's indexed accesses, whose mnemonics end in `x`: 0 stands for no register."""
_MNEMONIC: Final = regex(
    r"^(?:c\.)?f?(?P<kind>ldr|str|l|st?|amo)(?:r\.|c\.|[a-z]+\.)?(?P<width>[bhwd]?)"
)
_WIDTHS: Final = {"b": 1, "h": 2, "w": 4, "d": 8}
_ARM_WIDTH: Final = 4
"""Of `ldr` and `str`, which name none."""
_MIPS: Final = (
    *("zero", "at", "v0", "v1", "a0", "a1", "a2", "a3"),
    *("t0", "t1", "t2", "t3", "t4", "t5", "t6", "t7"),
    *("s0", "s1", "s2", "s3", "s4", "s5", "s6", "s7"),
    *("t8", "t9", "k0", "k1", "gp", "sp", "fp", "ra"),
)
_BY_NUMBER: Final = {name: f"r{number}" for number, name in enumerate(_MIPS)}
_REGISTERS: Final = {"mips": _BY_NUMBER, "mips64": _BY_NUMBER}
"""How a report calls the registers that capstone calls otherwise."""


class LoadStore(msgspec.Struct, frozen=True):
    """What a load or store does: the operand in memory, the width in bytes (0 if unknown)."""

    base: str | None
    index: str | None
    scale: int
    displacement: int
    size: int
    is_read: bool
    is_write: bool


def load_store(mnemonic: str, operands: str, arch: str) -> LoadStore | None:
    """Return what an instruction, as capstone prints it, does with memory; None if nothing."""
    kind = _MNEMONIC.match(mnemonic)
    found = kind and _operand(mnemonic, operands, arch)
    if not kind or not found:
        return None
    part = found.groupdict()
    named = _REGISTERS.get(arch, {})
    base, index = (part["base"] or "").lstrip("$"), part.get("index")
    arm = kind["kind"] in ("ldr", "str")
    return LoadStore(
        base=named.get(base, base) or None,
        index=named.get(index, index) if index else None,
        scale=1 << int(part.get("shift") or 0),
        displacement=int(part.get("displacement") or "0", 0),
        size=_WIDTHS.get(kind["width"], _ARM_WIDTH if arm else 0),
        is_read=not kind["kind"].startswith("s"),
        is_write=not kind["kind"].startswith("l"),
    )


def _operand(mnemonic: str, operands: str, arch: str) -> re.Match[str] | None:
    if arch == "ppc64" and mnemonic.rstrip(".").endswith("x"):
        return _TWO_REGISTERS.match(operands)
    return next((match for row in _OPERANDS if (match := row.search(operands))), None)
