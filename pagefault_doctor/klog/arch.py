"""Which architecture a report comes from, told by the words only that architecture prints."""

from __future__ import annotations

from typing import Final

from pagefault_doctor.klog.body import Body
from pagefault_doctor.model.pattern import regex

_SIGNS: Final = tuple(
    (name, word, regex(pattern))
    for name, word, pattern in (
        ("x86_64", "RIP: ", r"\bRIP: [0-9a-f]{4}:"),
        ("x86_64", "RAX: ", r"\bRAX: [0-9a-f]{16}"),
        ("x86_64", "P4D ", r"\bP4D "),
        ("x86_64", "entry_SYSCALL_64", "entry_SYSCALL_64"),
        ("x86_64", ".x86_64", r"\.x86_64\b"),
        ("i386", "EIP", r"\bEIP: [0-9a-f]{4}:|EIP is at"),
        ("i386", "EAX: ", r"\bEAX: [0-9a-f]{8}\b"),
        ("i386", "86", r"\.i[3-6]86\b"),
        ("arm64", "x0", r"\bx0\d?: [0-9a-f]{16}"),
        ("arm64", "x1", r"\bx1\d?: [0-9a-f]{16}"),
        ("arm64", "x2", r"\bx2\d?: [0-9a-f]{16}"),
        ("arm64", "pstate: ", r"\bpstate: "),
        ("arm64", "ESR = 0x", r"\bESR = 0x"),
        ("arm64", "el0", r"el0_?[a-z]*_?(?:64_)?(?:sync|irq|svc)"),
        ("arm64", "el1", r"el1_?[a-z]*_?(?:64_)?(?:sync|irq|svc)"),
        ("arm64", ".aarch64", r"\.aarch64\b"),
        ("arm", "psr: ", r"\bpsr: [0-9a-f]{8}"),
        ("arm", "ARM", r"ISA ARM|\] (?:PREEMPT )?(?:SMP )?ARM\b"),
        ("arm", "PC is at", "PC is at"),
        ("arm", "__dabt_svc", "__dabt_svc"),
        ("riscv64", "epc : ", r"\bepc : [0-9a-z_]+\+?.* ra : "),
        ("riscv64", "badaddr: ", r"\bbadaddr: "),
        ("ppc64", "NIP", r"\bNIP \[|NIP: +[0-9a-f]{16}"),
        ("ppc64", "DAR: ", r"\bDAR: "),
        ("ppc64", "GPR", r"\bGPR\d\d: "),
        ("ppc64", "[c0000", r"^\[c0000"),
        ("s390x", "Krnl ", "Krnl PSW|Krnl GPRS"),
        ("s390x", "ilc:", r"ilc:\d"),
        ("s390x", "virtual kernel ", "virtual kernel address space"),
        ("loongarch64", "era", r"\bera *(?:[:=]|==) [0-9a-f]{16}"),
        ("loongarch64", "ERA", r"\bERA *(?:[:=]|==) [0-9a-f]{16}"),
        ("loongarch64", "PRMD: ", r"\bPRMD: "),
        ("mips", "Cp0", r"\bCp0"),
        ("mips", "epc", r"^epc +: [0-9a-f]{8}|, epc == "),
        ("mips", "BadVA", r"\bBadVA +: "),
        ("mips", "Status: ", r"Status: [0-9a-f]{8}\b"),
        ("x86_64", "[<ffffffff", r"\[<ffffffff[0-9a-f]{8}>\]"),
        ("x86_64", "ffff88", r"ffff88[0-9a-f]{10}"),
        ("x86_64", "__x64_sys_", "__x64_sys_"),
        ("x86_64", "do_syscall_64", "do_syscall_64"),
    )
)
"""Machine, a word of a line of its reports, and what in that line tells it for sure."""


def arch_of(body: Body) -> str | None:
    """Return the machine name (as `uname -m` says it) that a report gives away, or None."""
    for name, word, sign in _SIGNS:
        if word in body.text and any(sign.search(line.text) for line in body.holding(word)):
            return name
    return None
