"""The bad pointer and the place in the source, in words."""

from __future__ import annotations

from typing import Final

from pagefault_doctor.diagnosis import address, poison
from pagefault_doctor.model.pointer import Pointer
from pagefault_doctor.model.report import Report

_MOST_OTHERS: Final = 4
_HOW: Final = {"location": " in {}", "load": ", loaded into {},", "call": ", called through {},"}


def value_words(value: str, bits: int = 64) -> str:
    """Return what a pointer was, as it follows "was": `NULL`, an error code, a poison, a number."""
    number = int(value, 16)
    if number == 0:
        return "NULL"
    if errno := address.error_of(number, bits):
        return f"the error code {address.errno_name(errno)} ({value})"
    if hit := poison.find(number, bits):
        return f"{value}, which is {hit.poison.name}"
    return value


def pointer_words(pointer: Pointer) -> str:
    """Return the sentence about a bad pointer: what it was called, its value, what was used."""
    register, was = pointer.register.upper(), _was(pointer)
    if pointer.name is None:
        names = " or ".join(pointer.candidates)
        return f"{register} was {was}; offset {pointer.offset:#x} may be {names}"
    text = f"{pointer.name} ({pointer.type}){_HOW[pointer.how].format(register)} was {was}"
    if pointer.how == "call":
        return text
    return f"{text}; the access is to {used_words(pointer)}"


def others_words(pointer: Pointer) -> str | None:
    """Return what other variables were at that moment, a few of them, or None."""
    shown = pointer.others[:_MOST_OTHERS]
    parts = [f"{v.name} ({v.type}) was {value_words(v.value)}" for v in shown if "*" in v.type]
    parts += [f"{v.name} ({v.type}) was {v.value}" for v in shown if "*" not in v.type]
    return f"at that moment {', '.join(parts)}" if parts else None


def _was(pointer: Pointer) -> str:
    held, value = int(pointer.held, 16), int(pointer.value, 16)
    if pointer.around and held:
        code = value_words(pointer.value).removesuffix(f" ({pointer.value})")
        return f"{pointer.value}, which puts {pointer.around} at NULL (container_of), or is {code}"
    if held == 0 and value:
        return f"{pointer.value}, which is NULL less the offset of a member (container_of)"
    return value_words(pointer.value)


def used_words(pointer: Pointer) -> str:
    """Return what was accessed, with its offset from the pointer where that is not plain."""
    at = f"offset {pointer.offset:#x}"
    if pointer.access is None:
        return f"{at} of what it points to"
    return f"{pointer.access}, {at}" if pointer.member else pointer.access


def place_words(report: Report) -> str | None:
    """Return file and line with the functions that are inlined there, or None."""
    line = report.source_line
    if line is None:
        return None
    outer = report.function or ""
    calls = []
    for call in report.inlined:
        at = f" at {call.file}:{call.line}" if call.file and call.line else ""
        calls.append(f"{call.function}, inlined into {outer}{at}")
        outer = call.function
    return "; ".join((f"{line.file}:{line.line}", *reversed(calls)))
