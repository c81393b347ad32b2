"""Which architecture a report comes from, by the words that only that architecture prints."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from pagefault_doctor.klog.line import LogLine
from pagefault_doctor.model.pattern import regex

_SIGNS: Final = tuple(
    (name, word, regex(pattern, re.MULTILINE))
    for name, word, pattern in (
        ("x86_64", "RIP: ", r"RIP: [0-9a-f]{4}:"),
        ("x86_64", "RAX: ", r"RAX: [0-9a-f]{16}"),
        ("x86_64", "P4D ", r"\bP4D "),
        ("x86_64", "entry_SYSCALL_64", "entry_SYSCALL_64"),
        ("x86_64", "do_syscall_64", "do_syscall_64"),
        ("x86_64", "__x64_sys_", "__x64_sys_"),
        ("x86_64", ".x86_64", r"\.x86_64\b"),
        ("i386", "EIP", r"\bEIP(?:: [0-9a-f]{4}:| is at)"),
        ("i386", "EAX: ", r"EAX: [0-9a-f]{8}\b"),
        ("i386", "86", r"\.i[3-6]86\b"),
        ("arm64", "x", r"x[0-2](?<!\w\w\w)\d?: [0-9a-f]{16}"),
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
        ("ppc", "NIP: ", r"\bNIP: +(?:[0-9a-f]{8}|[0-9A-F]{8}) (?:LR|XER):"),
        ("ppc", "GPR", r"\bGPR\d\d: (?:[0-9a-f]{8}|[0-9A-F]{8}) "),
        ("ppc64", "NIP", r"\bNIP \[|NIP: +[0-9a-f]{16}"),
        ("ppc64", "DAR: ", r"\bDAR: "),
        ("ppc64", "GPR", r"\bGPR\d\d: "),
        ("ppc64", "[c0000", r"^\[c0000"),
        ("ppc64", "Faulting", r"^Faulting instruction address: 0x"),
        ("s390x", "Krnl ", "Krnl PSW|Krnl GPRS"),
        ("s390x", "ilc:", r"ilc:\d"),
        ("s390x", "virtual kernel ", "virtual kernel address space"),
        ("loongarch64", "era", r"\bera *(?:[:=]|==) [0-9a-f]{16}"),
        ("loongarch64", "ERA", r"\bERA *(?:[:=]|==) [0-9a-f]{16}"),
        ("loongarch64", "PRMD: ", r"\bPRMD: "),
        ("mips64", "epc", r"^epc +: [0-9a-f]{16} |, epc == [0-9a-f]{16}"),
        ("mips64", "BadVA", r"\bBadVA +: [0-9a-f]{16}"),
        ("mips64", "$ 0", r"^\$ 0 +: [0-9a-f]{16} "),
        ("mips", "Cp0", r"\bCp0"),
        ("mips", "epc", r"^epc +: [0-9a-f]{8}|, epc == "),
        ("mips", "BadVA", r"\bBadVA +: "),
        ("mips", "Status: ", r"Status: [0-9a-f]{8}\b"),
        ("x86_64", "[<ffffffff", r"\[<ffffffff[0-9a-f]{8}>\]"),
        ("x86_64", "ffff88", r"ffff88[0-9a-f]{10}"),
    )
)
"""Machine, a word of a line of its reports, and what in that line is proof of it."""


def arch_of(lines: Sequence[LogLine]) -> str | None:
    """Return the machine name (as `uname -m` prints it) that a report gives away, or None."""
    text = "\n".join([line.text for line in lines])
    return next((name for name, word, sign in _SIGNS if word in text and sign.search(text)), None)
