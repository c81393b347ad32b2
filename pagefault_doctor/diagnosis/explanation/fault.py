"""What faulted: the access, the value, the line of source."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from pagefault_doctor.diagnosis.address import PAGE
from pagefault_doctor.diagnosis.context import Context
from pagefault_doctor.diagnosis.describe_pointer import (
    others_words,
    place_words,
    pointer_words,
    value_words,
)
from pagefault_doctor.diagnosis.explanation import decoded
from pagefault_doctor.diagnosis.registers import error_words, walk_words
from pagefault_doctor.model.diagnosis import Evidence, RegisterNote
from pagefault_doctor.model.fact import Fact
from pagefault_doctor.model.report import Access, Kind, Report


def cited(text: str, report: Report, *fields: str) -> Evidence:
    """Return a sentence that was read from these fields of a report (see `Report.cited`)."""
    return Evidence(text, 0.0, report.line_of(*fields))


def by_command(text: str, fact: Fact) -> Evidence:
    """Return a sentence that a command of the walk showed."""
    return Evidence(text, 0.0, fact.source.line, fact.source.origin)


_FAULTING: Final = frozenset(
    {
        *(Kind.NULL_POINTER, Kind.PAGE_FAULT, Kind.USER_ACCESS, Kind.GENERAL_PROTECTION),
        *(Kind.STACK_GUARD, Kind.DOUBLE_FAULT, Kind.TRAP, Kind.SANITIZER),
    }
)
"""Kinds in which an instruction failed; of others, the registers are only those of the moment."""
_NEAR: Final = 0x4000
"""Bytes below the stack pointer that a frame of the stack may reach."""
_VERBS: Final = {Access.READ: "read from", Access.WRITE: "wrote to", Access.EXECUTE: "jumped to"}


def crux(report: Report, context: Context, readings: tuple[RegisterNote, ...]) -> Evidence:
    """Return the fault in one sentence: which value was used where."""
    place = f"In {report.function}" if report.function else ""
    if place and (line := _source_place(report, context)):
        place += f" ({line})"
    place += ", " * bool(place)
    if report.pointer and report.pointer.name:
        return cited(_sentence(place, pointer_words(report.pointer)), report, "registers")
    if named := _variable(context):
        return msgspec.structs.replace(named, text=_sentence(place, named.text))
    if report.kind is Kind.STACK_GUARD:
        return cited(_sentence(place, _full_stack(report)), report, "headline")
    if context.instruction and context.base and report.kind in _FAULTING:
        name, value = context.base
        means = _meaning(readings, name)
        held = f"{value:#x}" + (f" ({means})" if means else "")
        text = f"{context.instruction.text} went through {name.upper()}, which held {held}"
        return cited(_sentence(place, text), report, "code")
    if used := _used(report, context):
        did, address = used
        text = f"{_actor(report)} {did} {address}"
        return cited(_sentence(place, text), report, "fault", "registers")
    return cited(f"{_sentence(place, 'the kernel reported')}: {report.message}", report, "headline")


def _full_stack(report: Report) -> str:
    """Return how full the stack was; the headline's addresses are hashed since 4.15 (`%p`)."""
    name = next(filter(report.register, ("rsp", "sp")), None)
    stack = report.register(name) if name else None
    at = report.register("cr2") or report.register("far")
    if name is None or stack is None:
        return "the kernel stack was full"
    if at and 0 < stack - at <= _NEAR:
        return f"the kernel stack was full: the access to {at:#x} went below its end"
    text = f"the kernel stack was full: {name.upper()} was {stack:#x}"
    return f"{text}, the first address of a page" if stack % PAGE == 0 else text


def _sentence(place: str, text: str) -> str:
    return f"{place}{text}" if place else f"{text[:1].upper()}{text[1:]}"


def _actor(report: Report) -> str:
    if report.is_kernel_fault:
        return "the kernel"
    return f"the program {report.comm}" if report.comm else "a program"


def _variable(context: Context) -> Evidence | None:
    """Return the variable that a walk found in the register of the bad pointer, and its value."""
    fact = context.walk_fact("debug.variable")
    if fact is None or context.base is None or not isinstance(fact.value, tuple):
        return None
    register, value = context.base
    name, held_in = fact.value
    if held_in != register:
        return None
    text = f"{name} in {register.upper()} was {value_words(f'{value:#x}', context.bits)}"
    return by_command(text, fact)


def _meaning(readings: tuple[RegisterNote, ...], name: str) -> str:
    return next((r.means for r in readings if r.register == name), "")


def _source_place(report: Report, context: Context) -> str:
    if report.source_line:
        return f"{report.source_line.file}:{report.source_line.line}"
    fact = context.walk_fact("source.place")
    return str(fact.value) if fact and report.module else ""


def happened(
    report: Report, context: Context, readings: tuple[RegisterNote, ...]
) -> Iterator[Evidence]:
    """Yield the sentences, in the order of the report."""
    yield _access(report, context)
    if words := error_words(context):
        code = report.fault.error_code if report.fault else ""
        yield cited(f"the error code {code} says: {words}", report, "fault")
    if words := walk_words(context):
        yield cited(words, report, "page_walk")
    if context.instruction and context.base and report.kind in _FAULTING:
        name, value = context.base
        means = _meaning(readings, name)
        text = f"{context.instruction.text}: {name.upper()} was {value:#x}"
        yield cited(f"{text} ({means})" if means else text, report, "code")
    yield from _check(report)
    yield from _overwritten(report)
    yield from _source(report, context)


def _check(report: Report) -> Iterator[Evidence]:
    for check in ("list_corruption", "kernel_bug"):
        if line := report.details.get(check):
            yield cited(f"the kernel's own check says: {line}", report, check)
            return


def _overwritten(report: Report) -> Iterator[Evidence]:
    """Yield the bytes that the slab checks found (`mm/slub.c`, check_bytes_and_report)."""
    details = report.details
    if span := details.get("overwritten"):
        low, _, high = span.partition("-")
        where = f"the byte at {low}" if low == high else f"the bytes from {low} to {high}"
        found, due = details.get("first_byte"), details.get("expected_byte")
        text = f"{where} had been overwritten"
        if found and due:
            text += f": {found} stands there, {due} should"
        yield cited(text, report, "first_byte", "headline")


def _access(report: Report, context: Context) -> Evidence:
    who, place = _who(report), _place(report)
    if report.kind is Kind.STACK_GUARD:
        return cited(f"{who} used up its kernel stack {place}".rstrip(), report, "headline")
    if used := _used(report, context):
        did, address = used
        text = f"{who} {did} the address {address} {place}".rstrip()
        return cited(text, report, "fault", "registers")
    return cited(f"{' '.join(filter(None, (who, 'met this', place)))}: {report.message}", report)


def _used(report: Report, context: Context) -> tuple[str, str] | None:
    """Return what was done with which address, None where the report has none that counts."""
    if decoded.is_late(report):
        return None
    if report.fault and report.fault.address:
        did = _VERBS.get(context.access, "used") if context.access else "used"
        return did, report.fault.address
    if context.is_jump and context.printed_address is not None:
        return _VERBS[Access.EXECUTE], f"{context.printed_address:#x}"
    return None


def _who(report: Report) -> str:
    process = report.comm
    if process and report.pid is not None:
        process = f"{process}[{report.pid}]"
    on = f" on CPU {report.cpu}" if report.cpu is not None else ""
    return f"{process or _actor(report)}{on}"


def _place(report: Report) -> str:
    if report.function is None:
        return "at an address without a symbol" if report.registers else ""
    offset = f"+{report.offset:#x}" if report.offset is not None else ""
    of = f" of module {report.module}" if report.module else " of the kernel itself"
    return f"in {report.function}{offset}{of}"


def _source(report: Report, context: Context) -> Iterator[Evidence]:
    place, code = context.walk_fact("source.place"), context.walk_fact("source.code")
    if place and code:
        yield by_command(f"the source there, {place.value}, is: {code.value}", code)
    elif at := place_words(report):
        yield cited(f"the instruction belongs to {at}", report, "function")
    if report.pointer:
        yield cited(pointer_words(report.pointer), report, "registers")
        if words := others_words(report.pointer):
            yield cited(words, report, "registers")
    elif named := _variable(context):
        yield named
    inlined = context.walk_fact("dump.function")
    if inlined and report.module and inlined.value != report.function:
        text = f"the dump shows it in {inlined.value}, which is part of {report.function} there"
        yield by_command(text, inlined)
