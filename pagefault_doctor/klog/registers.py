"""Registers, the instruction bytes, and the faulting instruction's place.

`arch/x86/kernel/process_64.c` and `process_32.c` (__show_regs), `arch/arm64/kernel/process.c`,
`arch/arm/kernel/process.c`, `arch/riscv/kernel/process.c`, `arch/powerpc/kernel/process.c`,
`arch/s390/kernel/dis.c` (show_code).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from pagefault_doctor.klog.line import LogLine
from pagefault_doctor.klog.stack import BRACES, NAME, SOURCE, frame_from
from pagefault_doctor.klog.text import ReportText
from pagefault_doctor.model.pattern import regex
from pagefault_doctor.model.report import Frame

_PLACE: Final = (
    rf"(?P<function>{NAME})\+(?:0x)?(?P<offset>[0-9a-f]+)(?:/(?:0x)?(?P<size>[0-9a-f]+))?"
    r"(?:\s*\[(?P<module>\d*[A-Za-z][\w-]*)(?:\([A-Z+-]+\))?)?"
)
_PC: Final = (
    r"(?:\[?<?(?:0x)?(?P<address>[0-9a-f]{8,16})>?\]? *)?(?:\[?<?(?:0x)?[0-9a-f]{8,16}>?\]? *)?"
)
_POINTERS: Final = tuple(
    (word, regex(p))
    for word, p in (
        ("}", rf"RIP: 00[01]0:(?:\[?<[0-9a-f]{{8,16}}>\]? *)?{BRACES}"),
        ("[exception RIP: ", rf"\[exception RIP: (?P<function>{NAME})\+(?P<decimal>\d+)\]"),
        (">>", r">>[EN]?[IP][PC][P:]?[;:] *(?P<address>[0-9a-f]{8,16}) <"
               r"(?:\[(?P<old_module>[\w-]+)\])?"
               rf"(?P<function>{NAME})\+(?P<offset>[0-9a-f]+)/(?P<size>[0-9a-f]+)>"),
        ("RIP: ", rf"RIP: 00[01]0:(?P<function>{NAME}) {SOURCE}(?: \[?(?P<module>\w[\w-]*)\]?)?$"),
        ("RIP: ", rf"RIP: +e008:\[<(?P<address>[0-9a-f]{{8,16}})>\] {_PLACE}"),
        ("TPC: <", rf"^\s*TPC: <{_PLACE}"),
        ("TPC [", rf"TPC \[0x(?P<address>[0-9a-f]+)\] <{_PLACE}"),
        ("IAOQ[0]: ", rf"^\s*IAOQ\[0\]: {_PLACE}"),
        ("PC: [<", rf"^\s*PC: \[<(?P<address>[0-9a-f]{{8,16}})>\] {_PLACE}"),
        ("insn @ ", rf"by insn @ {_PLACE}"),
        (" is at ", rf"^\s*[ip][pc] is at {_PLACE}"),
        ("RIP: ", rf"RIP: (?P<selector>[0-9a-f]{{4}}):{_PC}{_PLACE}"),
        ("RIP: ", r"RIP: (?P<selector>[0-9a-f]{4}): ?(?:\[<)?(?:0x)?(?P<address>[0-9a-f]+)"),
        ("IP: ", rf"\b[RE]?IP: {_PC}{_PLACE}"),
        ("EIP is at ", rf"^\s*EIP is at {_PLACE}"),
        ("PC is at ", rf"^\s*PC is at {_PLACE}"),
        ("pc", rf"^\s*e?pc\s*: {_PC}{_PLACE}"),
        ("NIP [", rf"^\s*NIP \[(?P<address>[0-9a-f]+)\] {_PLACE}"),
        ("era", rf"^\s*era *: {_PC}{_PLACE}"),
        ("ERA", rf"^\s*ERA *: {_PC}{_PLACE}"),
        (
            "Krnl PSW : ",
            r"Krnl PSW : (?:[0-9a-f]{16} (?P<address>[0-9a-f]{16}) )?.*?"
            rf"\((?:\[<[0-9a-f]+>\] )?{_PLACE}",
        ),
        ("IP: ", r"\b[RE]?IP: (?:\[<)?(?:0x)?(?P<address>(?!0000[5-7][0-9a-f])[0-9a-f]{8,16})"),
        ("NIP [", r"^\s*NIP \[(?P<address>[0-9a-f]{8,16})\] 0x"),
        ("NIP: ", r"^\s*NIP: +(?P<address>[0-9A-F]{8}) XER:"),
        ("Krnl PSW : ", r"Krnl PSW : [0-9a-f]{16} (?P<address>[0-9a-f]{16}) \(0x"),
        ("pc", r"^\s*(?:pc|epc) *: \[?<?(?:0x)?(?P<address>[0-9a-f]{8,16})"),
    )
)  # fmt: skip
"""A word that the line must hold, and how the place of the instruction is written there."""
_WORDS: Final = tuple(dict.fromkeys(word for word, _ in _POINTERS))
_UNNAMED: Final = (
    "EIP: ",
    regex(r"^\s*EIP: +(?P<selector>[0-9a-f]{4}):\[<(?P<address>[0-9a-f]{8})>\]"),
)
"""As a kernel without names prints it (Linux 2.4, `arch/i386/kernel/traps.c`, show_registers);
later ones add the name in a line below, which counts where it is there."""
_USER_SELECTORS: Final = ("0033", "0023", "0073")
_VALUES: Final = regex(
    r"(?:^|[\s(])(?P<name>R[A-D]X|R[SD]I|R[BS]P|R0[89]|R1[0-5]|E[A-D]X|E[SD]I|E[BS]P|CR[0-4]"
    r"|e[a-d]x|e[sd]i|e[bs]p"
    r"|DR[0-7]|EFLAGS|ORIG_RAX|FS|GS|knlGS|x[12]?\d|x30|sp|fp|ip|lr|ra|gp|tp|[rast]\d{1,2}|badaddr"
    r"|cause|status|DAR|DSISR|MSR|GPR\d\d|pstate|psr|epc|pc) ?[:=] ?(?:[0-9a-f]{4}:)?"
    r"(?:\[?<)?(?:0x)?(?P<value>[0-9a-f]{4,16})(?![0-9a-z])"
)
_ROW: Final = regex(
    r"^\s*(?:Krnl GPRS:|GPR(?P<gpr>\d\d):|\$ ?(?P<mips>\d{1,2}) *:)?"
    r"(?P<values>(?:\s+(?:[0-9a-f]{8,16}|[0-9A-F]{8})){2,8})\s*$"
)
"""Registers without a name of their own: s390, powerpc and MIPS print four in a row, powerpc of 32
bits eight, until 2.6 in capitals (`arch/powerpc/kernel/process.c`, `arch/ppc/kernel/process.c`)."""
_PAIRS: Final = regex(
    r"(?:^|\s)(?P<name>pc|ra|tp|sp|a\d|t\d|u0|s\d|fp) (?P<value>[0-9a-f]{16})(?=\s|$)"
)
"""As LoongArch prints them (`arch/loongarch/kernel/process.c`, __show_regs)."""
_CODE: Final = regex(
    r"^\s*Code: (?:\.{2,3} ?)?"
    r"(?P<code>(?:[(<]?(?:[0-9a-f]{2,8}|X{8})[)>]? *)+|Bad \w+ value.*|Unable .*)"
)
_MARK: Final = "<"
_OF_LINUX_2_4: Final = "stackpage="
"""Linux 2.4 prints the code from the faulting instruction on, and marks none."""
_DUMPED: Final = "Instruction dump:"
_DUMPED_ROWS: Final = 2
"""As powerpc prints it up to 6.2, eight instructions in a row (show_instructions)."""
_DISASSEMBLED: Final = "Krnl Code:"
_INSTRUCTION: Final = regex(
    r"\s*(?P<mark>[#>*]?)(?:[0-9a-f]{8}|[0-9a-f]{16}): (?P<code>(?:[0-9a-f]{4}){1,3})\b"
)
"""An instruction of s390, one a line: `>` is at the PSW, `#` the one before (`show_code`)."""
_INSTRUCTIONS: Final = 10
"""More than s390 prints."""
_NOISE: Final = regex(r"\s*+(?:\?|\[<|[\w.]++\+0x)", re.ASCII)


def pointer_of(body: ReportText) -> Frame | None:
    """Return where the instruction pointer stood in the kernel; a bare address has no function."""
    return _pointer(body, _POINTERS, _WORDS) or _pointer(body, (_UNNAMED,), _UNNAMED[:1])


def _pointer(
    body: ReportText, ways: Sequence[tuple[str, re.Pattern[str]]], words: Sequence[str]
) -> Frame | None:
    for line in body.holding(*words):
        for word, pattern in ways:
            match = pattern.search(line.text) if word in line.text else None
            if match is None:
                continue
            found = match.groupdict()
            if found.get("selector") in _USER_SELECTORS:
                break
            return frame_from(found, line.number)
    return None


def registers_of(lines: Sequence[LogLine]) -> tuple[dict[str, str], dict[str, int]]:
    """Return the first set of registers by lower-case name, and the line that prints each."""
    found: dict[str, str] = {}
    printed: dict[str, int] = {}
    follows: tuple[str, int] | None = None
    for line in lines:
        if line.frame:
            follows = None
            continue
        text = line.text
        row = _row(text, follows)
        names, follows = row if row else (_pairs(text), None)
        if names and names[0][0] in found and names[0][0] not in ("cr2", "rsp"):
            break
        for name, value in names:
            if name not in found:
                found[name], printed[name] = value, line.number
    return found, printed


def _pairs(text: str) -> list[tuple[str, str]]:
    """Return the registers of a line that names each of them."""
    if _NOISE.match(text):
        return []
    if ":" in text or "=" in text:
        return [(name.lower(), "0x" + value) for name, value in _VALUES.findall(text)]
    return [(name, "0x" + value) for name, value in _PAIRS.findall(text)]


def _row(
    text: str, follows: tuple[str, int] | None
) -> tuple[list[tuple[str, str]], tuple[str, int] | None] | None:
    """Return the registers of a line that names the first at most, and what the next is called."""
    named = "GPR" in text or "$" in text
    if not (named or follows) or (match := _ROW.match(text)) is None:
        return None
    name, number = follows or ("r", 0)
    if named:
        name, number = ("gpr" if match["gpr"] else "r"), int(match["gpr"] or match["mips"] or 0)
    values = match["values"].split()
    pattern = "{}{:02}" if name == "gpr" else "{}{}"
    names = [(pattern.format(name, number + i), "0x" + v) for i, v in enumerate(values)]
    after = number + len(values)
    return names, (name, after) if after < 32 else None


def code_of(body: ReportText) -> tuple[str | None, int | None]:
    """Return the instruction bytes of the first `Code:` line, and the line."""
    for index in body.places("Code: ", _DUMPED):
        line = body.lines[index]
        if match := _CODE.match(line.text):
            code = match["code"].strip()
            begins = _MARK not in code and body.places(_OF_LINUX_2_4)
            return f"<{code[:2]}>{code[2:]}" if begins else code, line.number
        if line.text.startswith(_DUMPED):
            words = [row.text.strip() for row in body.lines[index + 1 : index + 1 + _DUMPED_ROWS]]
            dumped = [row for row in words if _CODE.match(f"Code: {row}")]
            return " ".join(dumped) or None, line.number
        if line.text.startswith(_DISASSEMBLED):
            return _disassembled(body.lines[index : index + _INSTRUCTIONS]), line.number
    return None, None


def _disassembled(lines: Sequence[LogLine]) -> str | None:
    """Return the instructions as hex, the one at the PSW in angle brackets, as others print it."""
    found = []
    for line in lines:
        match = _INSTRUCTION.match(line.text.removeprefix(_DISASSEMBLED))
        if match is None:
            break
        found.append(f"<{match['code']}>" if match["mark"] == ">" else match["code"])
    return " ".join(found) or None
