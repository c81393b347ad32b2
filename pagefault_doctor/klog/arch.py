"""Which architecture a report comes from, told by the words only that architecture prints."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from pagefault_doctor.model.pattern import regex

_SIGNS: Final = tuple(
    (name, regex(pattern, re.MULTILINE))
    for name, pattern in (
        ("x86_64", r"\bRIP: [0-9a-f]{4}:|\bRAX: [0-9a-f]{16}|\bP4D |entry_SYSCALL_64|\.x86_64\b"),
        ("i386", r"\bEIP: [0-9a-f]{4}:|EIP is at|\bEAX: [0-9a-f]{8}\b|\.i[3-6]86\b"),
        ("arm64", r"\bx\d\d?: [0-9a-f]{16}|\bpstate: |\bESR = 0x"
                  r"|el[01]_?[a-z]*_?(?:64_)?(?:sync|irq|svc)|\.aarch64\b"),
        ("arm", r"\bpsr: [0-9a-f]{8}|ISA ARM|\] (?:PREEMPT )?(?:SMP )?ARM\b|PC is at|__dabt_svc"),
        ("riscv64", r"\bepc : [0-9a-z_]+\+?.* ra : |\bbadaddr: "),
        ("ppc64", r"\bNIP \[|\bDAR: |\bGPR\d\d: |NIP: +[0-9a-f]{16}|^\[c0000"),
        ("s390x", r"Krnl PSW|Krnl GPRS|ilc:\d|virtual kernel address space"),
        ("loongarch64", r"\b(?:era|ERA) *(?:[:=]|==) [0-9a-f]{16}|\bPRMD: |, era == "),
        ("mips", r"\bCp0_?\w*|^epc +: [0-9a-f]{8}|, epc == |\bBadVA +: |Status: [0-9a-f]{8}\b"),
        ("x86_64", r"\[<ffffffff[0-9a-f]{8}>\]|ffff88[0-9a-f]{10}|__x64_sys_|do_syscall_64"),
    )
)  # fmt: skip


def arch_of(lines: Sequence[str]) -> str | None:
    """Return the machine name (as `uname -m` says it) that the lines give away, or None."""
    text = "\n".join(lines)
    return next((name for name, sign in _SIGNS if sign.search(text)), None)
