"""What a machine check says in its status: how bad it was, and which part of the machine it is of.

The low 16 bits are a code that Intel and AMD share (Intel's Software Developer's Manual, volume 3B,
"Interpreting Machine Check Error Codes"; AMD's Processor Programming References, "Error Codes").
The bits above are those of `arch/x86/include/asm/mce.h`, MCI_STATUS_*.
"""

from __future__ import annotations

from typing import Final

from pagefault_doctor.model.pattern import regex
from pagefault_doctor.model.report import Report

_VALID, _OVERFLOW, _UNCORRECTED = 1 << 63, 1 << 62, 1 << 61
_CONTEXT_LOST: Final = 1 << 57
_SIMPLE: Final = {
    0x0000: "no error",
    0x0001: "of no class that is told",
    0x0002: "parity of the microcode memory",
    0x0003: "another processor or the board reported it",
    0x0004: "two processors in lock step disagreed",
    0x0005: "parity inside the processor",
    0x0400: "a timer inside the processor ran out: it waited for memory or a device that did not"
    " answer",
    0x0E0B: "an access to a device failed",
}
_LEVELS: Final = ("level 0", "level 1", "level 2", "generic level")
_COMPOUND: Final = (
    (0xEFF0, 0x0010, "the processor's translation cache (TLB)"),
    (0xEF00, 0x0100, "the processor's cache, {level}"),
    (0xEF80, 0x0080, "the memory controller, {channel}"),
    (0xE800, 0x0800, "the bus or link between processor, memory and devices"),
    (0xFC00, 0x0400, "the inside of the processor"),
)
"""Mask, value and meaning of the codes that have fields; F, bit 12, is a filter and no part."""
_ANY_CHANNEL: Final = 0xF
_NO_MICROCODE: Final = regex(r"microcode f{8}\b")


_SMCA: Final = {
    0x0B000: "load and store unit", 0x0B010: "load and store unit",
    0x0B001: "instruction fetch", 0x0B002: "level-2 cache", 0x0B003: "decoder",
    0x0B005: "execution unit", 0x0B006: "floating-point unit", 0x0B007: "level-3 cache",
    0x02E00: "data fabric (coherent station)", 0x02E01: "data fabric (power and reset)",
    0x02E02: "data fabric (coherent station)",
    0x09600: "memory controller", 0x09601: "memory controller", 0x00500: "parameter block",
    0x0FF00: "platform security processor", 0x0FF01: "platform security processor",
    0x00100: "power management (SMU)", 0x00101: "power management (SMU)",
    0x00102: "microprocessor MP5", 0x01800: "north bridge's I/O unit",
    0x04600: "PCI Express", 0x04601: "PCI Express", 0x25000: "link between sockets (XGMI)",
}  # fmt: skip
"""Units of AMD since Zen: HWID and McaType of the bank (`arch/x86/kernel/cpu/mce/amd.c`,
smca_hwid_mcatypes)."""
_EXECUTION: Final = "execution unit"
_WATCHDOG: Final = 0
"""The extended code of a timer in the execution unit that ran out (`drivers/edac/mce_amd.c`)."""


def unit(report: Report) -> str:
    """Return which unit of an AMD processor spoke, empty where the log does not tell."""
    value = int(report.details.get("ipid", "0"), 16)
    name = _SMCA.get((value >> 32 & 0xFFF) << 8 | value >> 48 & 0xFF, "")
    status = int(report.details.get("status") or "0", 16)
    if name == _EXECUTION and status & _VALID and status >> 16 & 0x3F == _WATCHDOG:
        return f"{name}: its watchdog ran out, for an instruction never ended"
    return name


def of_guest(report: Report) -> bool:
    """Whether the processor is one that a hypervisor shows: it reads its microcode as all ones."""
    return _NO_MICROCODE.search(report.details.get("processor", "")) is not None


def meaning(report: Report) -> str:
    """Return what the status of the bank says, empty where there is none."""
    status = int(report.details.get("status") or "0", 16)
    if not status & _VALID:
        return ""
    words = ["not corrected" if status & _UNCORRECTED else "corrected"]
    if status & _OVERFLOW:
        words.append("one of several")
    if status & _CONTEXT_LOST:
        words.append("the processor could not go on")
    code = status & 0xFFFF
    part = unit(report)
    return f"{', '.join(words)}; code {code:#06x}: {_part(code)}" + (
        f"; the {part}" if part else ""
    )


def _part(code: int) -> str:
    if code in _SIMPLE:
        return _SIMPLE[code]
    channel = code & _ANY_CHANNEL
    names = {
        "level": _LEVELS[code & 3],
        "channel": "a channel" if channel == _ANY_CHANNEL else f"channel {channel}",
    }
    found = (text for mask, value, text in _COMPOUND if code & mask == value)
    return next(found, "of no part that is told").format(**names)
