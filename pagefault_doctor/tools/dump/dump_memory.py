"""What the pointers of the fault point to in a dump: facts and findings from drgn's output."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from pagefault_doctor.model.command import Result
from pagefault_doctor.model.fact import Fact, Finding, Mark
from pagefault_doctor.model.memory import PointedMemory, encoded
from pagefault_doctor.tools.tool import fact, finding

FACTS: Final = ("dump.pointers", "dump.pending_lost", "dump.modules_unsettled")
_MAX_ROWS: Final = 64
_MAX_NEUTRAL: Final = 3
"""Findings for pointers to undamaged memory."""
_ORDINARY: Final = ("value", "symbol", "page-struct", "stack", "unknown")
_MODULE_STATES: Final = {
    "coming": "was still being loaded",
    "going": "was being unloaded",
    "unformed": "was not yet set up",
}

Values = Mapping[str, tuple[Any, int]]


def pointed_memory(values: Values) -> tuple[PointedMemory, ...]:
    """Return what the values of the fault point to; unreadable entries are skipped."""
    value = values.get("pointers", ({}, 0))[0]
    found = value.get("found") if isinstance(value, dict) else None
    return tuple(_convert(found[:_MAX_ROWS])) if isinstance(found, list) else ()


def _convert(found: list[Any]) -> Iterator[PointedMemory]:
    for entry in found:
        try:
            yield msgspec.convert(entry, PointedMemory)
        except (msgspec.ValidationError, RecursionError):
            continue


def facts(values: Values, result: Result) -> Iterator[Fact]:
    """Yield the facts of `FACTS` in the output."""
    yield from pointer_facts(pointed_memory(values), result, values.get("pointers", ({}, 0))[1])
    if pending := _table_rows(values, "pending"):
        yield fact("dump.pending_lost", pending, result, values["pending"][1])
    if modules := tuple(row for row in _table_rows(values, "modules") if not row.endswith(" live")):
        yield fact("dump.modules_unsettled", modules, result, values["modules"][1])


def pointer_facts(pointers: tuple[PointedMemory, ...], result: Result, line: int) -> Iterator[Fact]:
    """Yield the fact for what the pointers point to, if there are any."""
    if pointers:
        yield fact("dump.pointers", tuple(map(encoded, pointers)), result, line or None)


def _table_rows(values: Values, name: str) -> tuple[str, ...]:
    """Return each row of a table as one text, with its cells separated by spaces."""
    rows = values.get(name, ([], 0))[0]
    if not isinstance(rows, list):
        return ()
    return tuple(
        " ".join(row)
        for row in rows[:_MAX_ROWS]
        if isinstance(row, list) and len(row) > 1 and all(isinstance(c, str) and c for c in row)
    )


def findings(values: Values, result: Result) -> Iterator[Finding]:
    """Yield the findings for pointers, modules and pending work."""
    pointers = pointed_memory(values)
    yield from pointer_findings(pointers, result, values.get("pointers", ({}, 0))[1])
    for row in _table_rows(values, "modules"):
        name, _, state = row.rpartition(" ")
        if words := _MODULE_STATES.get(state):
            yield finding(f"Module {name} {words}", Mark.NEUTRAL, result, values["modules"][1])
    for row in _table_rows(values, "pending"):
        what, _, code = row.rpartition(" ")
        text = f"A {what} is due whose code, {code}, is in no module"
        yield finding(text, Mark.BAD, result, values["pending"][1])
    if pointers and (why := _skipped_text(values)):
        yield finding(why, Mark.NEUTRAL, result, values["pointers"][1])


def pointer_findings(
    pointers: tuple[PointedMemory, ...], result: Result, line: int
) -> Iterator[Finding]:
    """Yield a finding for each informative pointer, bad ones first."""
    neutral = [p for p in pointers if not _is_bad(p) and p.kind not in _ORDINARY]
    for memory in (*filter(_is_bad, pointers), *neutral[:_MAX_NEUTRAL]):
        mark = Mark.BAD if _is_bad(memory) else Mark.NEUTRAL
        yield finding(f"{memory.known_as}: {memory.text}", mark, result, line)
    for memory in pointers:
        yield from _object_findings(memory, pointers, result, line)


def _is_bad(memory: PointedMemory) -> bool:
    return memory.is_free or memory.is_past_end or memory.kind in ("guard", "modules-area")


def _object_findings(
    memory: PointedMemory, pointers: tuple[PointedMemory, ...], result: Result, line: int
) -> Iterator[Finding]:
    free = {p.start: p for p in pointers if p.is_free}
    for holder in memory.kept:
        owner = free.get(holder.start)
        if owner:
            text = f"{memory.known_as} ({memory.address}) lies in a freed object, at {holder.text}"
            yield finding(text, Mark.BAD, result, line)
        elif memory.is_free and holder.symbol:
            text = f"{holder.text} still points to the freed object"
            yield finding(text, Mark.BAD, result, line)
    if memory.is_trampled:
        text = f"The bytes behind the object of {memory.what} at {memory.start} were overwritten"
        yield finding(text, Mark.BAD, result, line)
    if memory.kind in ("slab", "page") and memory.data is None:
        yield finding(_missing_text(memory), Mark.NEUTRAL, result, line)


def _missing_text(memory: PointedMemory) -> str:
    """Return why memory is missing: `makedumpfile -d 31` leaves out free pages."""
    if memory.kind == "page" and memory.is_free:
        return (
            f"The page at {memory.address} is free, and its content was filtered out of the dump: "
            "which object was there, and who freed it, cannot be told from it"
        )
    return f"The memory at {memory.address} is not in the dump: what it held cannot be told"


def _skipped_text(values: Values) -> str:
    value = values["pointers"][0]
    left = value.get("left_off")
    if isinstance(left, int) and left > 0:
        return f"{left} more values were not looked at, for that would have taken too long"
    return ""
