"""The machine code that a report prints: its bytes, and a disassembler for them.

x86 prints bytes and marks the one at the instruction pointer as `<0f>`
(`arch/x86/kernel/dumpstack.c`). The others print words: arm64 and arm `(f9400000)`
(`arch/arm64/kernel/traps.c`, `arch/arm/kernel/traps.c`), riscv half words, of which an instruction
has one or two, `(2603) ff05` (`arch/riscv/kernel/traps.c`), MIPS and powerpc `<8c46fff0>`
(`arch/mips/kernel/traps.c`, `arch/powerpc/kernel/process.c`). s390 prints an instruction a line, of
which klog makes such a line (`arch/s390/kernel/dis.c`).
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final, Literal

import msgspec

from pagefault_doctor.model.pattern import regex

_MARK: Final = regex(r"[<(](?=[0-9a-fA-F]+[>)])")
_WORD: Final = regex(r"\b[0-9a-fA-F]+\b")
_MAX_BYTES: Final = 15
"""Bytes of the longest instruction, which x86 has."""
_BYTES, _HALVES, _WORDS = (frozenset({digits}) for digits in (2, 4, 8))


class _Row(msgspec.Struct, frozen=True):
    """How code is printed, in words of so many `digits`, and capstone's names for it."""

    kind: str
    modes: tuple[str, ...]
    digits: frozenset[int]
    order: Literal["little", "big"] = "little"


_X86_32: Final = _Row("X86", ("32",), _BYTES)
_ROWS: Final = {
    "x86_64": _Row("X86", ("64",), _BYTES),
    "i386": _X86_32,
    "x86": _X86_32,
    "x86_32": _X86_32,
    "arm64": _Row("ARM64", ("ARM",), _WORDS),
    "arm": _Row("ARM", ("ARM",), _WORDS),
    "riscv64": _Row("RISCV", ("RISCV64", "RISCVC"), _HALVES),
    # The words are printed as numbers, whatever the order of their bytes in memory.
    "mips": _Row("MIPS", ("MIPS32", "BIG_ENDIAN"), _WORDS, "big"),
    "mips64": _Row("MIPS", ("MIPS64", "BIG_ENDIAN"), _WORDS, "big"),
    "s390x": _Row("SYSZ", ("BIG_ENDIAN",), frozenset({4, 8, 12}), "big"),
    "ppc64": _Row("PPC", ("64", "BIG_ENDIAN"), _WORDS, "big"),
}
"""By architecture, as a report's `arch`."""


def is_known(arch: str) -> bool:
    """Whether code of that architecture can be read."""
    return arch in _ROWS


def marked_bytes(code: str, arch: str) -> bytes:
    """Return the bytes from the mark of a `Code:` line on, those of an instruction at most."""
    mark = _MARK.search(code)
    return _bytes(code[mark.start() :], arch)[:_MAX_BYTES] if mark else b""


def bytes_before(code: str, arch: str) -> bytes:
    """Return the bytes before the mark of a `Code:` line; none where there is no mark."""
    mark = _MARK.search(code)
    return _bytes(code[: mark.start()], arch) if mark else b""


def _bytes(code: str, arch: str) -> bytes:
    row = _ROWS[arch]
    words = (word for word in _WORD.findall(code) if len(word) in row.digits)
    return b"".join(int(word, 16).to_bytes(len(word) // 2, row.order) for word in words)


@cache
def disassembler(arch: str, att: bool = False) -> Any:
    """Return a capstone disassembler: with details, or in AT&T syntax without them.

    Raises ImportError without capstone, KeyError for an architecture that is not known.
    """
    import capstone

    row = _ROWS[arch]
    mode = sum(getattr(capstone, f"CS_MODE_{name}") for name in row.modes)
    tool = capstone.Cs(getattr(capstone, f"CS_ARCH_{row.kind}"), mode)
    if att and row.kind == "X86":
        tool.syntax = capstone.CS_OPT_SYNTAX_ATT
    # capstone's access flags are wrong in AT&T syntax, so the details come from Intel syntax.
    tool.detail = not att
    return tool


def first(arch: str, data: bytes, att: bool = False) -> Any | None:
    """Return the first capstone instruction in the bytes, or None if there is none."""
    try:
        return next(disassembler(arch, att).disasm(data, 0, 1), None)
    except ImportError:  # pfdoctor.pyz on another platform has no capstone for it.
        return None
