"""The access that failed: address, direction, reason, error code.

`arch/x86/mm/fault.c` (show_fault_oops), `arch/arm64/mm/fault.c` (mem_abort_decode),
`arch/powerpc/mm/fault.c`, `arch/riscv/mm/fault.c`, `mm/kasan/report.c`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from pagefault_doctor.klog.line import LogLine
from pagefault_doctor.klog.text import ReportText
from pagefault_doctor.model.fence import UnreadableError
from pagefault_doctor.model.pattern import regex
from pagefault_doctor.model.report import Access, Fault, Kind

_WordedRows = Sequence[tuple[str, re.Pattern[str]]]
PAGE_FAULTS: Final = frozenset(
    {Kind.PAGE_FAULT, Kind.NULL_POINTER, Kind.USER_ACCESS, Kind.STACK_GUARD, Kind.DOUBLE_FAULT}
)
_TRAPS: Final = PAGE_FAULTS | {Kind.GENERAL_PROTECTION, Kind.TRAP}
"""Kinds that print something about the access even where they print no address."""
_PADDED: Final = r"((?:[0-9a-f]{8}){1,2})(?![0-9a-f])"
_WHOLE: Final = r"([0-9a-f]{16}(?![0-9a-f])|[0-9a-f]+(?=:))"
"""An address as `%08lx` and `%016lx` print it, and as `%lx` does, where the line was not cut."""
_ADDRESS: Final = tuple(
    (word, regex(p))
    for word, p in (
        # Who copies it from a screen may leave zeros out.
        (
            "dereference, ad",
            r"kernel NULL pointer dereference, address:? (?:0x)?(?:0*\.\.+|0*\u2026)?([0-9a-f]+)",
        ),
        ("page fault for", r"page fault for address: (?:0x)?([0-9a-f]+)"),
        # A colon follows (`arch/x86/kernel/traps.c`, exc_general_protection), or the line was cut.
        ("non-canonical", rf"non-canonical address (?:0x)?{_WHOLE}"),
        ("maybe for", rf"maybe for address (?:0x)?{_WHOLE}"),
        ("at virtual", rf"at virtual (?:kernel )?address (?:0x)?{_PADDED}"),
        ("paging request", r"paging request for \w+ at address (?:0x)?([0-9a-f]+)"),
        ("attempted to", r"Kernel attempted to \w+ user page \(([0-9a-f]+)\)"),
        ("tried to", r"tried to execute \S+ page \(([0-9a-f]+)\)"),
        (
            "to handle kernel",
            r"to handle kernel (?:paging request|NULL pointer dereference) at (?:0x)?([0-9a-f]+)",
        ),
        ("paging request", r"^paging request at (?:0x)?([0-9a-f]+)"),
        ("at addr", r"Kernel Fault: Code=.*? at addr ([0-9a-f]+)"),
        ("(code ", r"\(pid \d+\): .* at ([0-9a-f]{8,16}) \(code \d+\)"),
        ("ess at", r"kernel (?:data|unaligned) access at (?:0x)?([0-9a-f]+)"),
        (" on ", r"(?:dereference|access) on (?:read|write) at (?:0x)?([0-9a-f]+)"),
        ("instruction fetch", r"instruction fetch.*? at (?:0x)?([0-9a-f]+)"),
        ("Unhandled", r"Unhandled (?:prefetch )?(?:fault|abort):.* at (?:0x)?([0-9a-f]+)"),
        ("at addr", r"(?:Read|Write) (?:of size \d+ )?at addr ([0-9a-f]+)"),
        ("Free of", r"Free of addr ([0-9a-f]+)"),
        (" 0x", r"(?:Invalid|bounds|after-free) (?:read|write|free) (?:at|of) 0x([0-9a-f]+)"),
        ("linear address", r"Faulting linear address: ([0-9a-f]+)"),
        ("ailing", r"[Ff]ailing address: ([0-9a-f]+)"),
        ("guard page", r"guard page was hit at (?:0x)?([0-9a-f]+)"),
        ("segfault", r"segfault at ([0-9a-f]+)"),
    )
)
"""A word that the line must hold, and how the address is written there."""
_NULL_WORD: Final = regex(r"(?:dereference|paging request|address) (?:at )? *\(null\)")
_X86_CODE: Final = regex(r"#PF: error_code\((0x[0-9a-f]+)\) - (.+)")
_X86_ACCESS: Final = regex(
    r"#PF: (supervisor|user) (read|write|instruction fetch)(?: access)? in (kernel|user) mode"
)
_X86_OOPS: Final = regex(r"\bOops: (?:Oops: )?([0-9a-f]{4}) \[#")
_TRAP_CODE: Final = regex(r"(?:fault|segment|opcode|error|int3)[^\n]*: ([0-9a-f]{4}) \[#")
_FAULTED: Final = (
    ("CR2: ", regex(r"\bCR2: (?:0x)?([0-9a-f]{8,16})\b")),
    ("badaddr: ", regex(r"\bbadaddr: ([0-9a-f]{8,16})\b")),
    ("DAR: ", regex(r"\bDAR: ([0-9a-f]{8,16})\b")),
    ("BADV", regex(r"\bBADV: ([0-9a-f]{8,16})\b")),
    ("BadVA", regex(r"\bBadVA\s*: ([0-9a-f]{8,16})\b")),
    ("IOR: ", regex(r"\bIOR: ([0-9a-f]{8,16})\b")),
    ("eff addr=", regex(r"\beff addr=([0-9a-f]{8})\b")),
    ("DEAR: ", regex(r"\bDEAR: ([0-9A-Fa-f]{8,16})\b")),
    ("@ 0x", regex(r"@ 0x([0-9a-f]{8}) by insn")),
)
"""Registers that hold the address of a page fault, for when its headline is lost."""
_CAUSE: Final = regex(r"\bcause: (?:0x)?0*([0-9a-f]{1,2})\b")
_CAUSES: Final = {0xC: Access.EXECUTE, 0xD: Access.READ, 0xF: Access.WRITE}
"""`arch/riscv/include/asm/csr.h`, EXC_INST_PAGE_FAULT and the next two."""
_EXC_CODE: Final = regex(r"\(ExcCode ([0-9a-f]{2})\)")
_EXC_CODES: Final = {
    0x01: (Access.WRITE, "permissions violation"),
    0x02: (Access.READ, None),
    0x03: (Access.WRITE, None),
    0x04: (Access.READ, "misaligned, or no address of the kernel"),
    0x05: (Access.WRITE, "misaligned, or no address of the kernel"),
    0x06: (Access.EXECUTE, None),
}
"""`arch/mips/include/asm/mipsregs.h`, EXCCODE_MOD and the next five."""
_FETCHED: Final = (("Faulting instruction", regex(r"Faulting instruction address: 0x([0-9a-f]+)")),)
"""Of a fetch, powerpc prints the address of the instruction alone."""
_EPC: Final = regex(r"^epc +: ([0-9a-f]{8,16}) ")
_DSISR: Final = regex(r"\bDSISR: ([0-9a-f]{8})\b")
_DSISR_STORE: Final = 0x02000000
_DSISR_REASONS: Final = (
    (0x40000000, "not-present page"),
    (0x08000000, "permissions violation"),
    (0x00200000, "protection key"),
)
"""`arch/powerpc/include/asm/reg.h`: DSISR_ISSTORE; DSISR_NOHPTE, _PROTFAULT and _KEYFAULT."""
_TEID: Final = regex(r"\bTEID: ([0-9a-f]{16})\b")
_TEID_FSI: Final = {0x400: Access.WRITE, 0x800: Access.READ}
"""`arch/s390/include/asm/fault.h`, TEID_FSI_STORE and TEID_FSI_FETCH."""
_PSW: Final = regex(r"Krnl PSW : [0-9a-f]{16} ([0-9a-f]{16})\b")
_PAGE: Final = 0x1000
_S390: Final = regex(r"\b([0-9a-f]{4}) ilc:\d \[#")
_S390_REASONS: Final = {
    0x04: "permissions violation",
    **dict.fromkeys((0x10, 0x11, 0x38, 0x39, 0x3A, 0x3B), "not-present page"),
}
"""`arch/s390/kernel/pgm_check.S`: do_protection_exception and do_dat_exception."""
_ESR: Final = regex(r"\bESR = 0x([0-9a-f]+)")
_ESR_DIGITS: Final = (16, 8)
"""`arch/arm64/mm/fault.c` (mem_abort_decode) prints 16, older kernels 8."""
_WNR: Final = regex(r"\bWnR = ([01])")
_FSC: Final = regex(r"FSC = 0x[0-9a-f]+: (.+)")
_INTERNAL: Final = regex(r"Internal error: .*?:? ?([0-9a-f]+) \[#")
_SAN: Final = regex(r"\b([Rr]ead|[Ww]rite) (?:of size|at addr|at 0x)")
_ARM_OOPS: Final = regex(r"Internal error: .*?: ([0-9a-f]{1,4}) \[#.* ARM\b")
_ARM_WRITE: Final = 1 << 11
"""Bit WnR of the fault status register of ARM (`arch/arm/mm/fault.h`, FSR_WRITE)."""
_ARM_PERMISSION: Final = (0xD, 0xF)
_ARM_LPAE: Final = 1 << 9
_ARM_LPAE_PERMISSION: Final = (0xD, 0xE, 0xF)
"""Its status of permission faults, with two levels of page tables and, where bit 9 is set, three
(`arch/arm/mm/fsr-2level.c`, `fsr-3level.c`)."""
_WORDS: Final = (
    ("write to read-only", Access.WRITE, "write to read-only memory"),
    ("execute from non-executable", Access.EXECUTE, "execute from non-executable memory"),
    ("read from unreadable", Access.READ, "read from unreadable memory"),
    ("[when write]", Access.WRITE, None),
    ("when write", Access.WRITE, None),
    ("when read", Access.READ, None),
    ("when execute", Access.EXECUTE, None),
    (" on write at", Access.WRITE, None),
    (" on read at", Access.READ, None),
    ("instruction fetch", Access.EXECUTE, None),
    ("Free of addr", Access.FREE, None),
    ("NX-protected page", Access.EXECUTE, "no-execute page"),
    ("non-canonical address", None, "non-canonical address"),
)
_ADDRESS_WORDS: Final = ("(null)", *(word for word, _ in _ADDRESS))
_WORDS_OF_ACCESS: Final = (
    *(words for words, _, _ in _WORDS),
    "#", "Internal error", " = ", "cause: ", "(ExcCode ", "DSISR: ", "TEID: ", "ilc:",
    " of size", " at addr", " at 0x", "Krnl PSW : ", "epc ",
)  # fmt: skip
"""A line about the access, or about its address, holds one of these."""
_PAST_THE_LARGEST: Final = 1 << 64
_PRESENT, _WRITE, _USER, _RESERVED, _FETCH = 1, 2, 4, 8, 16


def x86_reason(code: int) -> str:
    """Return the words that show_fault_oops has for an x86 page-fault error code."""
    if not code & _PRESENT:
        return "not-present page"
    return "reserved bit violation" if code & _RESERVED else "permissions violation"


def x86_access(code: int) -> Access:
    """Return the access that an x86 page-fault error code means."""
    if code & _FETCH:
        return Access.EXECUTE
    return Access.WRITE if code & _WRITE else Access.READ


class _AccessFields:
    def __init__(self) -> None:
        self.address: str | None = None
        self.access: Access | None = None
        self.mode: str | None = None
        self.reason: str | None = None
        self.code: str | None = None
        self.line: int | None = None
        self.instruction: str | None = None


def fault_of(body: ReportText, kind: Kind) -> tuple[Fault | None, int | None]:
    """Return the access that the lines describe and the line of its address, if any is."""
    found = _AccessFields()
    is_page_fault = kind in PAGE_FAULTS
    for line in body.holding(*_ADDRESS_WORDS):
        _address(line, _ADDRESS, found)
    if found.address is None and kind not in _TRAPS:
        return None, None
    for line in body.holding(*_WORDS_OF_ACCESS):
        text = line.text
        _x86(text, found, is_page_fault)
        _arm64(text, found)
        _others(text, found)
        for words, access, reason in _WORDS:
            if words in text:
                found.access = found.access or access
                found.reason = found.reason or reason
        if found.access is None and (match := _SAN.search(text)):
            found.access = Access(match[1].lower())
    if found.access is Access.EXECUTE:
        for line in body.holding("Faulting instruction"):
            _address(line, _FETCHED, found)
    if is_page_fault and found.address is None:
        for line in body.holding(*(word for word, _ in _FAULTED)):
            _address(line, _FAULTED, found)
    if found.instruction and found.instruction == found.address:
        found.access = Access.EXECUTE
    if not (found.address or found.code):
        return None, None
    mode = found.mode or "kernel"
    return Fault(found.address, found.access, mode, found.reason, found.code), found.line


def _address(line: LogLine, rows: _WordedRows, found: _AccessFields) -> None:
    if found.address:
        return
    if "(null)" in line.text and _NULL_WORD.search(line.text):
        found.address, found.line = "0x0", line.number
        return
    for word, pattern in rows:
        if word in line.text and (match := pattern.search(line.text)) and len(match[1]) <= 16:
            found.address, found.line = f"0x{int(match[1], 16):x}", line.number
            return


def _x86(text: str, found: _AccessFields, is_page_fault: bool) -> None:
    if "#" not in text:
        return
    if match := _X86_ACCESS.search(text):
        word = match[2]
        found.access = Access.EXECUTE if word == "instruction fetch" else Access(word)
        found.mode = match[3]
    if match := _X86_CODE.search(text):
        found.code = found.code or _short(match[1])
        found.reason = match[2].strip()
    if found.code is None and (match := _X86_OOPS.search(text)):
        code = int(match[1], 16)
        found.code = f"0x{code:x}"
        if is_page_fault:
            found.access = found.access or x86_access(code)
            found.reason = found.reason or x86_reason(code)
    if found.code is None and (match := _TRAP_CODE.search(text)):
        found.code = _short(match[1])


def _arm64(text: str, found: _AccessFields) -> None:
    internal = "Internal error" in text
    if not internal and " = " not in text:
        return
    if found.code is None and (match := _ESR.search(text)):
        found.code = _esr(match[1])
    if internal and (match := _ARM_OOPS.search(text)):
        status = int(match[1], 16)
        found.access = found.access or (Access.WRITE if status & _ARM_WRITE else Access.READ)
        refused = _ARM_LPAE_PERMISSION if status & _ARM_LPAE else _ARM_PERMISSION
        found.reason = "permissions violation" if status & 0xF in refused else None
    if match := _WNR.search(text):
        found.access = found.access or (Access.WRITE if match[1] == "1" else Access.READ)
    if found.reason is None and (match := _FSC.search(text)):
        found.reason = match[1].strip()
    if internal and found.code is None and (match := _INTERNAL.search(text)):
        found.code = _short(match[1])


def _others(text: str, found: _AccessFields) -> None:
    """Read the registers in which riscv, MIPS, powerpc and s390 describe the fault."""
    if "cause: " in text and (match := _CAUSE.search(text)):
        found.code = found.code or _short(match[1])
        found.access = found.access or _CAUSES.get(int(match[1], 16))
    if text.startswith("epc ") and (match := _EPC.search(text)):
        found.instruction = f"0x{int(match[1], 16):x}"
    if "(ExcCode " in text and (match := _EXC_CODE.search(text)):
        found.code = found.code or _short(match[1])
        access, reason = _EXC_CODES.get(int(match[1], 16), (None, None))
        found.access, found.reason = found.access or access, found.reason or reason
    if "DSISR: " in text and (match := _DSISR.search(text)):
        found.code = found.code or _short(match[1])
        stored = int(match[1], 16) & _DSISR_STORE
        found.access = found.access or (Access.WRITE if stored else Access.READ)
        reasons = (words for bit, words in _DSISR_REASONS if int(match[1], 16) & bit)
        found.reason = found.reason or next(reasons, None)
    if "TEID: " in text and (match := _TEID.search(text)):
        found.access = found.access or _TEID_FSI.get(int(match[1], 16) & 0xC00)
    if not found.address and "Krnl PSW : " in text and (match := _PSW.search(text)):
        _s390_null_call(int(match[1], 16), found)
    if found.address and "Krnl PSW : " in text and (match := _PSW.search(text)):
        _s390_fetch(int(match[1], 16), int(found.address, 16), found)
    if found.code is None and "ilc:" in text and (match := _S390.search(text)):
        found.code = _short(match[1])
        found.reason = found.reason or _S390_REASONS.get(int(match[1], 16))


def _s390_fetch(instruction: int, page: int, found: _AccessFields) -> None:
    """Take a fault on the very page of the instruction for one of its fetch, unless it wrote."""
    if page == instruction & -_PAGE and found.access is not Access.WRITE:
        found.access, found.address = Access.EXECUTE, f"0x{instruction:x}"


def _s390_null_call(instruction: int, found: _AccessFields) -> None:
    """Take code in the first page for a call through NULL: s390 can read what is there.

    It is no code, so the first of it is an illegal operation, and the PSW is behind that.
    """
    if instruction < _PAGE:
        found.access, found.address = Access.EXECUTE, "0x0"


def _short(digits: str) -> str:
    """Return the code as `Fault.error_code` has it. Raises UnreadableError: it is too long."""
    value = int(digits, 16)
    if value >= _PAST_THE_LARGEST:
        raise UnreadableError(digits)
    return f"0x{value:x}"


def _esr(digits: str) -> str:
    """Return an ESR. Raises UnreadableError: it has not the digits that the kernel prints."""
    if len(digits) not in _ESR_DIGITS:
        raise UnreadableError(digits)
    return _short(digits)
