"""Names of registers: how reports and disassemblers write them, and what each holds."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

NO_DATA: Final = (
    *("rip", "rsp", "eip", "esp", "pc", "sp", "cr2", "cr3", "cr0", "cr4", "eflags", "pstate"),
    *("epc", "badaddr", "status", "cause"),
)
"""Registers that hold no data of the code that ran."""
FIRST_ARGUMENT: Final = {
    "x86_64": "rdi", "arm64": "x0", "riscv64": "a0", "ppc64": "r3", "s390x": "r2", "arm": "r0"
}  # fmt: skip
"""The register of a function's first argument, which a function that has begun may have changed."""
_ARCHITECTURES: Final = (
    ("rip", "x86_64"),
    ("rax", "x86_64"),
    ("rsp", "x86_64"),
    ("eax", "i386"),
    ("x29", "arm64"),
    ("x0", "arm64"),
    ("fp", "arm"),
    ("epc", "riscv64"),
)


def canonical(name: str) -> str:
    """Return a register's name as a disassembler writes it: x86 pads `R08`, powerpc has `GPR08`."""
    name = name.lower()
    name = name[2:] if name.startswith("gpr") else name
    return f"r{name[2:]}" if name[:2] == "r0" and len(name) == 3 else name


def arch_of(names: Iterable[str]) -> str | None:
    """Return the architecture that has registers of these names, or None."""
    known = set(names)
    return next((arch for name, arch in _ARCHITECTURES if name in known), None)
