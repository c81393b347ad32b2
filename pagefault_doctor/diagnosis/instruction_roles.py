"""Instructions that fault for what they are, not for the address they use."""

from __future__ import annotations

from typing import Final

from pagefault_doctor.symbols.instruction import Instruction

_PRIVILEGED: Final = frozenset(
    {
        *("invpcid", "wrmsr", "rdmsr", "xsetbv", "rdpmc", "wrfsbase", "wrgsbase", "lgdt", "lidt"),
        *("ltr", "lldt", "lmsw", "clts", "swapgs", "invlpg", "cli", "sti", "hlt", "in", "out"),
    }
)
"""Instructions that fault for what they are asked, whatever they point to."""
_CONTROL: Final = ("%cr0", "%cr2", "%cr3", "%cr4", "%cr8", "%db", "%dr")
"""Registers that only privileged instructions name."""
_TRAPS: Final = ("ud0", "ud1", "ud2", "udf")
"""What compilers put where code must not get to, and where a check of theirs failed: x86, arm64.

The kernel itself reports arm64's brk as an assertion (`arch/arm64/kernel/traps.c`).
"""


def is_privileged(instruction: Instruction | None) -> bool:
    """Whether the processor may refuse an instruction for what it is asked."""
    return instruction is not None and instruction.mnemonic in _PRIVILEGED


def names_control_register(instruction: Instruction) -> bool:
    """Whether an instruction names a control or debug register of x86."""
    return any(map(instruction.text.__contains__, _CONTROL))


def stops_code(instruction: Instruction | None) -> bool:
    """Whether an instruction is there to stop whatever runs into it."""
    return instruction is not None and instruction.mnemonic in _TRAPS
