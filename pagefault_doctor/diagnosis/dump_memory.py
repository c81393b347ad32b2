"""What a dump shows about the bad pointer of a report, where there is a dump.

A value of the dump counts for a report only where the report prints the same value, or a report of
the same fault in another log does, so that facts about one fault are not used for another.
"""

from __future__ import annotations

from collections.abc import Iterator

from pagefault_doctor.diagnosis.context import Context
from pagefault_doctor.diagnosis.weights import WEIGHT
from pagefault_doctor.model.diagnosis import Evidence
from pagefault_doctor.model.memory import PointedMemory, decoded
from pagefault_doctor.model.report import Kind

_FACT = "dump.pointers"
_BAD = ("value", "nothing", "modules-area")


def pointed(context: Context) -> dict[int, PointedMemory]:
    """Return what the dump shows about each value that the report prints, by that value."""
    if context.fact(_FACT) is None:
        return {}
    found, printed = tuple(_all(context)), _printed(context)
    return {p.value: p for p in found if p.value in printed or "object" in p.names}


def _all(context: Context) -> Iterator[PointedMemory]:
    fact = context.fact(_FACT)
    for text in fact.value if fact and isinstance(fact.value, tuple) else ():
        if found := decoded(text):
            yield found


def _printed(context: Context) -> set[int]:
    values = {
        *context.registers.values(),
        context.pointer,
        context.fault_address,
        context.printed_address,
    }
    values |= {twin.register(name) for twin in context.twins for name in twin.registers}
    return {value for value in values if value is not None}


def target(context: Context) -> PointedMemory | None:
    """Return what the bad pointer points to; of a report of the slab checks, the object's start."""
    known = pointed(context)
    if not known:
        return None
    if context.report.kind is Kind.SLAB:
        return next((p for p in known.values() if "object" in p.names), None)
    values = (context.pointer, context.fault_address)
    return next((known[v] for v in values if v is not None and v in known), None)


def owner(context: Context) -> PointedMemory | None:
    """Return the object in which the bad pointer lies, and which a register points to, or None."""
    known = pointed(context).values()
    bad = target(context) if known else None
    if bad is None or bad.kind not in _BAD:
        return None
    starts = {holder.start for holder in bad.kept}
    found = [p for p in known if p.kind == "slab" and p.start in starts]
    return next((p for p in found if p.is_free), found[0] if found else None)


def freed_twice(context: Context) -> PointedMemory | None:
    """Return the freed object of which a register held the start when a check failed, or None."""
    if context.report.kind is not Kind.KERNEL_BUG:
        return None
    free = (p for p in pointed(context).values() if p.kind == "slab" and p.is_free)
    return next((p for p in free if p.offset == 0), None)


def overrun(context: Context) -> PointedMemory | None:
    """Return an object of the report behind which the bytes were overwritten, or None."""
    return next((p for p in pointed(context).values() if p.is_trampled), None)


def responsible_module(context: Context) -> tuple[str, str] | None:
    """Return the module that freed the object, or else overran it, and a sentence why, or None."""
    for found in (owner(context), target(context), freed_twice(context)):
        if found and found.is_free and found.freed and found.freed.module:
            return found.freed.module, f"the object was freed by {found.freed.by}"
    over = overrun(context)
    if over and over.allocated and over.allocated.module:
        return over.allocated.module, f"the overrun object was allocated by {over.allocated.by}"
    return None


def evidence(context: Context, key: str, text: str) -> Evidence:
    """Return a piece of evidence that comes from the dump, with the weight of `key`."""
    return Evidence(text, WEIGHT[key], None, source_command(context))


def source_command(context: Context) -> str:
    """Return the command that read the dump."""
    fact = context.fact(_FACT)
    return fact.source.origin if fact else "the dump"


def sentences(context: Context) -> Iterator[Evidence]:
    """Yield a sentence on what the bad pointer points to, and on where it was kept."""
    bad, home = target(context), owner(context)
    if bad and bad.kind != "value":
        yield Evidence(f"{bad.address} points to {bad.text}", 0.0, None, source_command(context))
    if bad and home:
        text = f"the bad pointer {bad.address} lies in {home.text}"
        yield Evidence(text, 0.0, None, source_command(context))
    for found in (home, bad):
        for holder in found.kept if found and found.is_free else ():
            if holder.symbol:
                text = f"{holder.text} still points to that object"
                yield Evidence(text, 0.0, None, source_command(context))
                return


def names_who_freed(context: Context) -> bool:
    """Whether the dump names who freed the object."""
    found = (owner(context), target(context), freed_twice(context))
    return any(p and p.is_free and p.freed and p.freed.stack for p in found)
