"""What words of the log mean, where that has to be worked out: an exit code, taint letters, a gap.

Each function returns a phrase about one detail of a report, empty where there is nothing to add.
"""

from __future__ import annotations

from signal import Signals
from typing import Final

from pagefault_doctor.diagnosis import address
from pagefault_doctor.diagnosis.context import Context
from pagefault_doctor.model.pattern import regex
from pagefault_doctor.model.report import Kind, Report
from pagefault_doctor.model.taint import BY_LETTER

_SIGNAL: Final = 0x7F
_STATUS: Final = 8
"""The exit code of a process: its low bits a signal, the next byte its status (`kernel/exit.c`)."""
_STATUSES: Final = {
    126: "the program could not be run",
    127: "the program, or an interpreter or library that it needs, was not found",
}
"""What shells and the dynamic linker mean by a status (POSIX, 2.8.2)."""
_CONSTRAINTS: Final = {
    "CONSTRAINT_NONE": "no limit was hit: the whole machine ran out of memory",
    "CONSTRAINT_MEMCG": "the limit of a control group was hit, not the end of the machine's memory",
    "CONSTRAINT_CPUSET": "only the memory nodes of a cpuset ran out",
    "CONSTRAINT_MEMORY_POLICY": "only the memory nodes of a policy ran out",
}
"""`mm/oom_kill.c`, oom_constraint_text."""
_TAINTED_BY: Final = ("P", "F", "O", "E", "C", "X", "K")
"""Letters that a module sets and carries itself (`kernel/module/main.c`, module_flags_taint)."""
_SHORT: Final = {
    "P": "proprietary",
    "F": "loaded by force",
    "O": "out-of-tree",
    "E": "unsigned",
    "C": "staging",
    "W": "a warning before",
    "D": "an oops before",
}
_MOST: Final = 4
"""Modules of one letter that are named."""


def exit_code(report: Report, _: Context) -> str:
    """Return how a process ended that the kernel prints the exit code of."""
    value = int(report.details["exitcode"], 16)
    if number := value & _SIGNAL:
        try:
            return f"it was killed by signal {number} ({Signals(number).name})"
        except ValueError:
            return f"it was killed by signal {number}"
    status = value >> _STATUS & 0xFF
    told = _STATUSES.get(status, "")
    return f"it ended itself with status {status}" + (f": {told}" if told else "")


def first_signal(report: Report, _: Context) -> str:
    """Return what a signal means that systemd itself, the first process, caught."""
    return _CAUGHT.get(report.details["first_signal"], "")


_CAUGHT: Final = {
    "ABRT": "systemd stopped itself at a check that failed, or someone sent it this signal",
    "SEGV": "systemd used a bad pointer",
    "BUS": "a file that systemd had mapped could not be read, or an address was not aligned",
    "ILL": "systemd or a library of it is built for another processor, or is damaged",
}


def constraint(report: Report, _: Context) -> str:
    """Return which limit was hit when memory ran out."""
    means = _CONSTRAINTS.get(report.details["constraint"], "")
    group = report.details.get("cgroup")
    return f"{means} ({group})" if group and group != "/" else means


def order(report: Report, _: Context) -> str:
    """Return how much memory in one piece was asked for, where it was more than a page."""
    power = int(report.details["order"])
    return f"{2**power} pages in one piece were asked for" if 0 < power < 32 else ""


def link(report: Report, context: Context) -> str:
    """Return what stands in a broken link of a list."""
    found = context.broken_link
    if found is None:
        return ""
    if found.means:
        return f"{found.actual:#x} is {found.means}"
    return "the two differ in one bit" if found.flipped == 1 else ""


_MAGIC: Final = {
    b"\x63\x82\x53\x63": "the mark of a DHCP message (RFC 2131): a network packet lies there",
    b"\x7fELF": "the begin of a program file (ELF)",
    b"\x1f\x8b\x08": "the begin of gzip data",
    b"PK\x03\x04": "the begin of a ZIP archive",
    b"\x89PNG": "the begin of a PNG picture",
    b"\xff\xd8\xff": "the begin of a JPEG picture",
}
_MANY_BITS: Final = 4
_DIGITS: Final = 16


def page_table_entry(report: Report, context: Context) -> str:
    """Return what an entry of a page table holds, or holds instead, where its value tells.

    Bit 0 of a mapped page is set on x86 (`arch/x86/include/asm/pgtable_types.h`, _PAGE_PRESENT).
    """
    text = report.details["pte"]
    if len(text) > _DIGITS:
        return ""
    value = int(text, 16)
    data = value.to_bytes(8, "little")
    for magic, words in _MAGIC.items():
        if magic in data:
            return f"its bytes {magic.hex(' ')} are {words}, where a page table should"
    if letters := address.printable(value):
        return f"it holds the text {letters!r}, where a page table entry should be"
    if value >> 47 == 0x1FFFF:
        return "it holds a pointer of the kernel, where a page table entry should be"
    if len(text) == _DIGITS and not value & 1 and value.bit_count() >= _MANY_BITS:
        return (
            f"it marks no page (bit 0), and {value.bit_count()} bits of it are set: other data, "
            "not one flipped bit"
        )
    return _mapped(value, report) if context.arch in (None, "x86_64") else ""


_PRESENT, _FRAME = 1, 0x000FFFFFFFFFF000
_TABLE: Final = regex(r"\bpmd:(?P<pmd>[0-9a-f]{4,16})\b")
_FAR: Final = 8
"""How many times further up than its table a page lies that is worth a word."""
_GIB: Final = 1 << 30
_MANY_GIB: Final = 16


def _mapped(value: int, report: Report) -> str:
    """Return where a valid entry of x86 points (`arch/x86/include/asm/pgtable_types.h`), if far.

    The table of the entry is memory too: what it maps is seldom far above all the rest.
    """
    at, table = value & _FRAME, _TABLE.search(report.message)
    near = int(table["pmd"], 16) & _FRAME if table else 0
    if not value & _PRESENT or not near or at <= max(_FAR * near, _MANY_GIB * _GIB):
        return ""
    return (
        f"it maps memory at {at // _GIB} GiB, and its own table lies at {near / _GIB:.1f} GiB: if"
        " the machine has less memory than that, the entry is damaged, by one bit perhaps"
    )


_COUNTS: Final = regex(
    r"\b(?:ref)?count: ?(?P<references>-?\d+)\b.*?\bmapcount: ?(?P<mapped>-?\d+)\b"
)


def page_counts(report: Report, _: Context) -> str:
    """Return what the counters of a page tell (`mm/debug.c`, __dump_page)."""
    found = _COUNTS.search(report.details["page_dump"])
    if found is None:
        return ""
    references, mapped = int(found["references"]), int(found["mapped"])
    told = []
    if mapped < 0:
        told.append(f"mapcount {mapped}: it was taken out of page tables more often than put in")
    if references < 0:
        told.append(f"count {references}: somebody gave it back once too often")
    elif references == 0 and mapped > 0:
        told.append("it was freed (count 0) while page tables still point at it")
    elif references == 0 and mapped == 0:
        told.append("by its counters it is free")
    return "; ".join(told)


_SERROR: Final = regex(
    r"SError Interrupt on CPU\d+, (?:code|esr) (?:0x)?(?P<code>[0-9a-f]{8,16})\b"
)
_OWN_SYNDROME: Final = 1 << 24
_ASYNCHRONOUS: Final = 0x11
_SEVERITY: Final = {
    0: "not contained",
    1: "not recoverable",
    2: "restartable",
    3: "recoverable",
    6: "corrected",
}
"""ESR of an SError (`arch/arm64/include/asm/esr.h`): IDS, DFSC and AET."""
_LATE: Final = regex(r"(?:imprecise|asynchronous) external abort")


def is_late(report: Report) -> bool:
    """Whether an error on the bus came too late for its address to mean anything."""
    return _LATE.search(report.message) is not None


def bus_error(report: Report, _: Context) -> str:
    """Return what the code of an error on the bus tells, and whether its address means anything."""
    if is_late(report):
        return (
            "it came late, after other instructions had run: neither the address nor the"
            " instruction is where the access was, which is a little before"
        )
    found = _SERROR.search(report.message)
    if found is None:
        return ""
    code = int(found["code"], 16)
    if code & _OWN_SYNDROME:
        return "its code is the chip's own: the maker's manual of the processor has it"
    if code & 0x3F == _ASYNCHRONOUS and (severity := _SEVERITY.get(code >> 10 & 7)):
        return f"an error that came late, {severity}"
    return ""


def place_in_object(report: Report, _: Context) -> str:
    """Return the place of a program's fault as addr2line takes it, with the mapping's name."""
    details = report.details
    ip, base, name = (details.get(key) for key in ("ip", "base", "object"))
    if not (ip and base and name):
        return ""
    if offset := details.get("object_offset"):
        return f"{name}+{int(offset, 16):#x} in the file: addr2line -fe {name} {int(offset, 16):#x}"
    # A program that is not position-independent is where its file says.
    if int(base, 16) < _POSITION_INDEPENDENT and ".so" not in name:
        return f"{name} at {int(ip, 16):#x}: addr2line -fe {name} {int(ip, 16):#x}"
    return f"{name}+{int(ip, 16) - int(base, 16):#x}, from where its code is mapped"


_POSITION_INDEPENDENT: Final = 0x10000000
"""Where programs that are not position-independent lie below (the linker's script, 0x400000)."""


def tainted(report: Report, context: Context) -> str:
    """Return what the taint letters tell, and which modules set them."""
    told = ", ".join(filter(None, (_letter(report, letter) for letter in report.tainted or ())))
    warned = "W" in (report.tainted or ()) and not report.follows_fault
    if warned and not any(other.kind is Kind.WARNING for other in context.others):
        told += "; the warning before is not in this text: journalctl -k -g WARNING has it"
    return told


def _letter(report: Report, letter: str) -> str:
    flag = BY_LETTER.get(letter)
    if flag is None:
        return ""
    if letter == "L" and "soft_lockup_panic" in report.details:
        return "L this soft lockup"  # kernel/watchdog.c sets it before it panics.
    names = [module.name for module in report.modules if letter in module.flags]
    words = _SHORT.get(letter, flag.meaning)
    if letter == "D" and not report.follows_fault:
        words = "it died, of this oops"
    if letter not in _TAINTED_BY or not names:
        return f"{letter} {words}"
    more = f" and {len(names) - _MOST} more" if len(names) > _MOST else ""
    return f"{letter} {words} ({', '.join(names[:_MOST])}{more})"


def counted(report: Report, context: Context) -> str:
    """Return that the byte that was found in freed memory is one more or less than it should be."""
    byte = context.odd_byte
    if byte is None or not (byte.is_increment or byte.is_decrement):
        return ""
    did = "raised" if byte.is_increment else "dropped"
    return f"one {'more' if byte.is_increment else 'less'}: a counter in the freed object was {did}"


def line_of_source(report: Report, context: Context) -> str:
    """Return the line of source of the function whose stack was overrun, as the log has it."""
    return f"at {report.details.get('corrupted_at', '')}"


_ON_DISKS: Final = {
    "UNC": "sectors that cannot be read",
    "IDNF": "a sector that the drive does not find",
    "ICRC": "data garbled on the cable",
    "ABRT": "the drive refused the command",
    "AMNF": "no mark where the sector begins",
    "BadCRC": "data garbled on the cable",
    "UncorrectableError": "sectors that cannot be read",
    "DriveStatusError": "the drive refused the command",
    "PHYRdyChg": "the link went down or up",
    "10B8B": "garbled words on the link",
    "Dispar": "garbled words on the link",
    "CommWake": "the drive asked to begin anew",
    "LinkSeq": "the two ends lost step",
    "TrStaTrns": "the two ends lost step",
    "DevExch": "a drive was unplugged or plugged in, or lost its power",
    "Handshk": "the other end refused what was sent",
    "Proto": "the link's protocol was broken",
    "HostInt": "an error inside the controller",
    "RecovData": "data were lost, and recovered",
    "RecovComm": "the link was lost, and came back",
    "UnrecovData": "data were lost",
}
"""What drives and controllers say of an error: `ata_eh_link_report` of `drivers/ata/libata-eh.c`,
and `drivers/ide/ide-lib.c` before 5.14."""


def disk_words(report: Report, _: Context) -> str:
    """Return what the words in braces of an error of a drive or of its link mean."""
    text = " ".join(report.details.get(name, "") for name in ("ata_error", "bus_error"))
    told = (_ON_DISKS.get(word) for word in regex(r"[A-Za-z0-9]+").findall(text))
    return ", ".join(dict.fromkeys(filter(None, told)))
