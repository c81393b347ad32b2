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
    return f"{', '.join(words)}; code {code:#06x}: {_part(code)}"


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
