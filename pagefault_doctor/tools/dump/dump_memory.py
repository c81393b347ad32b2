"""What the pointers of the fault point to in a dump: facts and findings of drgn's script."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from pagefault_doctor.model.command import Result
from pagefault_doctor.model.fact import Fact, Finding, Mark
from pagefault_doctor.model.memory import PointedMemory, encoded
from pagefault_doctor.tools.tool import fact, finding

FACTS: Final = ("dump.pointers", "dump.pending_lost", "dump.modules_unsettled")
_MOST: Final = 64
_NEUTRAL: Final = 3
"""Pointers to what is in order that are worth a line."""
_ORDINARY: Final = ("value", "symbol", "page-struct", "stack", "unknown")
_UNSETTLED: Final = {
    "coming": "was still being loaded",
    "going": "was being unloaded",
    "unformed": "was not yet set up",
}

Said = Mapping[str, tuple[Any, int]]


def pointed(said: Said) -> tuple[PointedMemory, ...]:
    """Return what the values of the fault point to; what cannot be read is passed over."""
    value = said.get("pointers", ({}, 0))[0]
    found = value.get("found") if isinstance(value, dict) else None
    return tuple(_each(found[:_MOST])) if isinstance(found, list) else ()


def _each(found: list[Any]) -> Iterator[PointedMemory]:
    for entry in found:
        try:
            yield msgspec.convert(entry, PointedMemory)
        except (msgspec.ValidationError, RecursionError):
            continue


def facts(said: Said, result: Result) -> Iterator[Fact]:
    """Give the facts of `FACTS` that the output tells."""
    yield from pointer_facts(pointed(said), result, said.get("pointers", ({}, 0))[1])
    if lost := _texts(said, "pending"):
        yield fact("dump.pending_lost", lost, result, said["pending"][1])
    if unsettled := tuple(row for row in _texts(said, "modules") if not row.endswith(" live")):
        yield fact("dump.modules_unsettled", unsettled, result, said["modules"][1])


def pointer_facts(seen: tuple[PointedMemory, ...], result: Result, line: int) -> Iterator[Fact]:
    """Give the fact of what the pointers point to, where there are any."""
    if seen:
        yield fact("dump.pointers", tuple(map(encoded, seen)), result, line or None)


def _texts(said: Said, name: str) -> tuple[str, ...]:
    """Return each row of a table as one text, its cells apart by blanks."""
    rows = said.get(name, ([], 0))[0]
    if not isinstance(rows, list):
        return ()
    return tuple(
        " ".join(row)
        for row in rows[:_MOST]
        if isinstance(row, list) and len(row) > 1 and all(isinstance(c, str) and c for c in row)
    )


def findings(said: Said, result: Result) -> Iterator[Finding]:
    """Give what the output says of pointers, modules and pending work, in sentences."""
    seen = pointed(said)
    yield from pointer_findings(seen, result, said.get("pointers", ({}, 0))[1])
    for row in _texts(said, "modules"):
        name, _, state = row.rpartition(" ")
        if words := _UNSETTLED.get(state):
            yield finding(f"Module {name} {words}", Mark.NEUTRAL, result, said["modules"][1])
    for row in _texts(said, "pending"):
        what, _, code = row.rpartition(" ")
        text = f"A {what} is due whose code, {code}, is in no module"
        yield finding(text, Mark.BAD, result, said["pending"][1])
    if seen and (why := _untold(said)):
        yield finding(why, Mark.NEUTRAL, result, said["pointers"][1])


def pointer_findings(
    seen: tuple[PointedMemory, ...], result: Result, line: int
) -> Iterator[Finding]:
    """Give a sentence for each pointer that tells something, the bad news first."""
    neutral = [p for p in seen if not _is_bad(p) and p.kind not in _ORDINARY]
    for each in (*filter(_is_bad, seen), *neutral[:_NEUTRAL]):
        mark = Mark.BAD if _is_bad(each) else Mark.NEUTRAL
        yield finding(f"{each.known_as}: {each.text}", mark, result, line)
    for each in seen:
        yield from _about(each, seen, result, line)


def _is_bad(each: PointedMemory) -> bool:
    return each.is_free or each.is_past_end or each.kind in ("guard", "modules-area")


def _about(
    each: PointedMemory, seen: tuple[PointedMemory, ...], result: Result, line: int
) -> Iterator[Finding]:
    free = {p.start: p for p in seen if p.is_free}
    for holder in each.kept:
        owner = free.get(holder.start)
        if owner:
            text = f"{each.known_as} ({each.address}) lies in a freed object, at {holder.text}"
            yield finding(text, Mark.BAD, result, line)
        elif each.is_free and holder.symbol:
            text = f"{holder.text} still points to the freed object"
            yield finding(text, Mark.BAD, result, line)
    if each.is_trampled:
        text = f"The bytes behind the object of {each.what} at {each.start} were overwritten"
        yield finding(text, Mark.BAD, result, line)
    if each.kind in ("slab", "page") and each.data is None:
        yield finding(_missing(each), Mark.NEUTRAL, result, line)


def _missing(each: PointedMemory) -> str:
    """Return what a gap means: `makedumpfile -d 31` leaves out pages that are free."""
    if each.kind == "page" and each.is_free:
        return (
            f"The page at {each.address} is free, and its content was filtered out of the dump: "
            "which object was there, and who freed it, cannot be told from it"
        )
    return f"The memory at {each.address} is not in the dump: what it held cannot be told"


def _untold(said: Said) -> str:
    value = said["pointers"][0]
    left = value.get("left_off")
    if isinstance(left, int) and left > 0:
        return f"{left} more values were not looked at, for that would have taken too long"
    return ""
