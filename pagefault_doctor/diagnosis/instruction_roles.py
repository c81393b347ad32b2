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
_BASIC: Final = frozenset(
    {
        *("mov", "push", "pop", "call", "ret", "jmp", "lea", "add", "sub", "and", "or", "xor"),
        *("cmp", "test", "inc", "dec", "neg", "not", "shl", "shr", "sar", "nop", "leave", "cld"),
        *("sbb", "adc", "xchg", "bt", "bts", "btr", "imul", "movabs", "sti", "cli", "hlt"),
        *("je", "jne", "jb", "jbe", "ja", "jae", "js", "jns", "jg", "jge", "jl", "jle"),
        *("movzx", "movsx", "movsxd", "rep movsq", "rep movsb", "rep stosq", "rep stosb"),
        *("lock cmpxchg", "lock add", "lock sub", "lock inc", "lock dec", "lock xadd", "lock or"),
    }
)
"""Mnemonics that every x86 processor has. What has `lock` before it must use memory."""
_BASIC_ELSEWHERE: Final = frozenset(
    {
        *("mov", "add", "sub", "and", "or", "orr", "xor", "eor", "cmp", "ldr", "str", "ldp", "stp"),
        *("b", "bl", "bx", "ret", "push", "pop", "nop", "cbz", "cbnz", "mr", "li", "lis", "addi"),
        *("lwz", "stw", "ld", "std", "stdu", "lw", "sw", "sd", "addiu", "move", "jr", "jal"),
        *("beq", "bne", "bnez", "beqz", "ldrb", "strb", "lbz", "stb"),
    }
)
"""The like of ARM, arm64, powerpc, MIPS and riscv."""
_NOT_EVERYWHERE: Final = ("%xmm", "%ymm", "%zmm", "%cr", "%db", "%dr", "%cs", "%es", "%fs", "%gs")
_X86: Final = ("x86_64", "i386", "x86", "x86_32")
_DIVISIONS: Final = ("div", "idiv", "aam")


def is_basic(instruction: Instruction | None, arch: str | None) -> bool:
    """Whether every processor of an architecture knows an instruction, whatever its operands."""
    if instruction is None:
        return False
    if arch not in _X86:
        return instruction.mnemonic in _BASIC_ELSEWHERE
    if any(map(instruction.text.__contains__, _NOT_EVERYWHERE)):
        return False
    alone = not instruction.mnemonic.startswith("lock ") or instruction.has_memory
    return instruction.mnemonic in _BASIC and alone


def divides(instruction: Instruction) -> bool:
    """Whether an instruction of x86 may raise a divide error."""
    return instruction.mnemonic.startswith(_DIVISIONS)


def is_privileged(instruction: Instruction | None) -> bool:
    """Whether the processor may refuse an instruction for what it is asked."""
    return instruction is not None and instruction.mnemonic in _PRIVILEGED


def names_control_register(instruction: Instruction) -> bool:
    """Whether an instruction names a control or debug register of x86."""
    return any(map(instruction.text.__contains__, _CONTROL))


def stops_code(instruction: Instruction | None) -> bool:
    """Whether an instruction is there to stop whatever runs into it."""
    return instruction is not None and instruction.mnemonic in _TRAPS
