"""Which architecture a report comes from, told by the words only that architecture prints."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from pagefault_doctor.model.pattern import regex

_SIGNS: Final = tuple(
    (name, words.split("|"), regex(pattern, re.MULTILINE))
    for name, words, pattern in (
        ("x86_64", "RIP: |RAX: |P4D |entry_SYSCALL_64|.x86_64",
         r"\bRIP: [0-9a-f]{4}:|\bRAX: [0-9a-f]{16}|\bP4D |entry_SYSCALL_64|\.x86_64\b"),
        ("i386", "EIP|EAX: |86",
         r"\bEIP: [0-9a-f]{4}:|EIP is at|\bEAX: [0-9a-f]{8}\b|\.i[3-6]86\b"),
        ("arm64", "x0|x1|x2|pstate: |ESR = 0x|el0|el1|.aarch64",
         r"\bx\d\d?: [0-9a-f]{16}|\bpstate: |\bESR = 0x"
         r"|el[01]_?[a-z]*_?(?:64_)?(?:sync|irq|svc)|\.aarch64\b"),
        ("arm", "psr: |ARM|PC is at|__dabt_svc",
         r"\bpsr: [0-9a-f]{8}|ISA ARM|\] (?:PREEMPT )?(?:SMP )?ARM\b|PC is at|__dabt_svc"),
        ("riscv64", "epc : |badaddr: ", r"\bepc : [0-9a-z_]+\+?.* ra : |\bbadaddr: "),
        ("ppc64", "NIP|DAR: |GPR|[c0000",
         r"\bNIP \[|\bDAR: |\bGPR\d\d: |NIP: +[0-9a-f]{16}|^\[c0000"),
        ("s390x", "Krnl |ilc:|virtual kernel ",
         r"Krnl PSW|Krnl GPRS|ilc:\d|virtual kernel address space"),
        ("loongarch64", "era|ERA|PRMD",
         r"\b(?:era|ERA) *(?:[:=]|==) [0-9a-f]{16}|\bPRMD: |, era == "),
        ("mips", "Cp0|epc|BadVA|Status: ",
         r"\bCp0_?\w*|^epc +: [0-9a-f]{8}|, epc == |\bBadVA +: |Status: [0-9a-f]{8}\b"),
        ("x86_64", "[<ffffffff|ffff88|__x64_sys_|do_syscall_64",
         r"\[<ffffffff[0-9a-f]{8}>\]|ffff88[0-9a-f]{10}|__x64_sys_|do_syscall_64"),
    )
)  # fmt: skip
"""Machine, words of which a report of it holds at least one, and what tells it for sure."""


def arch_of(lines: Sequence[str]) -> str | None:
    """Return the machine name (as `uname -m` says it) that the lines give away, or None."""
    text = "\n".join(lines)
    for name, words, sign in _SIGNS:
        if any(word in text for word in words) and sign.search(text):
            return name
    return None
