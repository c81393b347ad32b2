"""What a dump shows of the bad pointer: a case for each rule, and one that only looks like it."""

from __future__ import annotations

from typing import Any

import pytest

from diagnosis.conftest import diagnose_one, make_report
from pagefault_doctor.model.diagnosis import Attribution, Diagnosis, RootCause
from pagefault_doctor.model.fact import Fact, Source
from pagefault_doctor.model.memory import Holder, PointedMemory, Trace, encoded
from pagefault_doctor.model.report import Access, Kind

BAD = 0x1234567812345678
OBJECT = 0xFFFF888001000000
FREED = Trace(7, (("kfree", ""), ("card_release", "badge"), ("__fput", "")))


def at(value: int, kind: str, *names: str, **rest: Any) -> PointedMemory:
    return PointedMemory(address=hex(value), names=names or ("rbx",), kind=kind, **rest)


def slab(
    value: int = OBJECT, state: str = "free", names: tuple[str, ...] = ("rbx",), **rest: Any
) -> PointedMemory:
    """Return a pointer to or into the one object there is, of 64 bytes."""
    shape: dict[str, Any] = {"what": "kmalloc-64", "start": hex(OBJECT), "size": 64}
    return at(value, "slab", *names, state=state, **(shape | rest))


def read_from(what: str = "kmalloc-64", start: int = OBJECT, **rest: Any) -> PointedMemory:
    """Return the bad pointer, which points into that object."""
    return at(BAD, "value", "rax", kept=(Holder(what, hex(start), 16),), **rest)


def dump(*found: PointedMemory) -> dict[str, Fact]:
    fact = Fact("dump.pointers", tuple(map(encoded, found)), Source("drgn -q -c vmcore"))
    return {fact.name: fact}


def fault(*found: PointedMemory, **rest: Any) -> Diagnosis:
    """Return the diagnosis of a read through RAX, which is no valid address."""
    known: dict[str, Any] = {
        "address": hex(BAD),
        "access": Access.READ,
        "code": "<48> 8b 18 c3",  # mov (%rax),%rbx
        "registers": {"rax": hex(BAD), "rbx": hex(OBJECT)},
    }
    title = "general protection fault, probably for non-canonical address"
    report = make_report(Kind.GENERAL_PROTECTION, title, **(known | rest))
    return diagnose_one(report, dump(*found))


def weight(found: Diagnosis, cause: RootCause, words: str) -> float:
    """Return the weight of the evidence with these words, 0 where there is none."""
    evidence = [e for c in found.candidates if c.root_cause is cause for e in c.evidence]
    return next((e.weight for e in evidence if words in e.text), 0.0)


def test_a_bad_pointer_out_of_a_freed_object_is_a_use_after_free() -> None:
    found = fault(read_from(), slab(freed=FREED))
    assert found.root_cause is RootCause.USE_AFTER_FREE
    assert (found.attribution, found.module) == (Attribution.MODULE, "badge")
    said = found.candidates[0].supporting[0]
    assert "freed by card_release [badge]" in said.text
    assert (said.line, said.origin) == (None, "drgn -q -c vmcore")
    assert weight(found, RootCause.WILD_POINTER, "which explains it") < 0


def test_a_bad_pointer_out_of_a_live_object_is_rather_a_wild_one() -> None:
    found = fault(read_from(), slab(state="live", freed=FREED))
    assert found.root_cause is RootCause.WILD_POINTER
    assert found.module != "badge"


def test_a_bad_pointer_out_of_an_object_of_unknown_state_proves_nothing() -> None:
    found = fault(read_from(), slab(state="unknown"))
    assert all("kmalloc-64" not in e.text for c in found.candidates for e in c.evidence)


def test_a_freed_object_in_a_register_that_the_pointer_is_not_from_proves_nothing() -> None:
    found = fault(read_from("other", OBJECT + 0x1000), slab(freed=FREED))
    assert RootCause.USE_AFTER_FREE not in [c.root_cause for c in found.candidates]


def test_a_dump_of_other_values_says_nothing_of_a_report() -> None:
    other = {"rax": "0x4444444444444444", "rbx": "0x1"}
    found = fault(read_from(), slab(freed=FREED), registers=other, address="0x4444444444444444")
    assert all(e.origin is None for c in found.candidates for e in c.evidence)


def test_a_pointer_to_a_freed_page_is_a_use_after_free() -> None:
    address = hex(OBJECT)
    free = at(OBJECT, "page", state="free", start=address, size=4096)
    there: dict[str, Any] = {
        "address": address,
        "registers": {"rax": address},
        "kind": Kind.PAGE_FAULT,
    }
    found = diagnose_one(make_report(**there), dump(free))
    assert weight(found, RootCause.USE_AFTER_FREE, "a page that is free") > 0
    unknown = at(OBJECT, "page", state="unknown", start=address, size=4096)
    found = diagnose_one(make_report(**there), dump(unknown))
    assert weight(found, RootCause.USE_AFTER_FREE, "page") == 0


GONE = 0xFFFFFFFFC0300000


def jump(*found: PointedMemory, **rest: Any) -> Diagnosis:
    registers = {"rip": hex(GONE), "rax": hex(GONE)}
    known: dict[str, Any] = {"address": hex(GONE), "access": Access.EXECUTE, "function": None}
    known |= {"registers": registers, "last_unloaded": "beacon"}
    return diagnose_one(make_report(**(known | rest)), dump(*found))


def test_a_jump_to_where_no_module_is_any_more_is_a_use_after_unload() -> None:
    found = jump(at(GONE, "modules-area", "rip"))
    assert (found.root_cause, found.module) == (RootCause.USE_AFTER_FREE, "beacon")
    assert weight(found, RootCause.USE_AFTER_FREE, "no module at") > 0


def test_a_jump_into_a_module_that_is_there_is_none() -> None:
    found = jump(at(GONE, "module", "rip", what="wire", state="live"))
    assert weight(found, RootCause.USE_AFTER_FREE, "no module at") == 0


def test_without_an_unloaded_module_an_empty_place_names_nobody() -> None:
    found = jump(at(GONE, "modules-area", "rip"), last_unloaded=None)
    assert weight(found, RootCause.USE_AFTER_FREE, "no module at") == 0


def test_code_that_is_due_and_gone_speaks_for_a_use_after_unload_of_a_jump_only() -> None:
    lost = Fact("dump.pending_lost", (f"timer 0x1 {GONE:#x}",), Source("drgn"))
    jumped = make_report(address=hex(GONE), access=Access.EXECUTE, function=None)
    found = diagnose_one(jumped, {lost.name: lost})
    assert weight(found, RootCause.USE_AFTER_FREE, "is due") > 0
    found = diagnose_one(make_report(address="0x10", access=Access.READ), {lost.name: lost})
    assert weight(found, RootCause.USE_AFTER_FREE, "is due") == 0


def freeing(*found: PointedMemory, function: str = "__kmem_cache_free") -> Diagnosis:
    line = "kernel BUG at mm/slub.c:419!"
    registers = {"rbx": hex(OBJECT), "rcx": hex(OBJECT + 48)}
    report = make_report(Kind.KERNEL_BUG, line, function=function, registers=registers)
    return diagnose_one(report, dump(*found))


def test_an_object_that_is_free_while_it_is_freed_is_freed_twice() -> None:
    found = freeing(slab(freed=FREED))
    assert (found.root_cause, found.module) == (RootCause.DOUBLE_FREE, "badge")
    assert weight(found, RootCause.DOUBLE_FREE, "RBX: a freed object") > 0


@pytest.mark.parametrize("near", [slab(state="live"), slab(OBJECT + 48, names=("rcx",))])
def test_a_live_object_or_the_middle_of_one_is_not_freed_twice(near: PointedMemory) -> None:
    assert weight(freeing(near), RootCause.DOUBLE_FREE, "a freed object") == 0


def test_a_freed_object_in_a_register_of_an_allocation_is_not_freed_twice() -> None:
    found = freeing(slab(), function="kmem_cache_alloc")
    assert weight(found, RootCause.DOUBLE_FREE, "a freed object") == 0


def test_bytes_overwritten_behind_an_object_are_an_access_out_of_bounds() -> None:
    by = Trace(9, (("__kmalloc", ""), ("kmalloc", "label"), ("label_write", "label")))
    over = slab(state="live", names=("object",), redzone="00cccccccccccccc", allocated=by)
    report = make_report(Kind.SLAB, "BUG kmalloc-64 (Tainted: G OE): something wrong")
    found = diagnose_one(report, dump(over))
    assert (found.root_cause, found.module) == (RootCause.OUT_OF_BOUNDS, "label")
    assert "allocated by label_write [label]" in found.candidates[0].supporting[0].text


@pytest.mark.parametrize("redzone", ["cc" * 8, "bb" * 8, "", None])
def test_a_redzone_as_it_should_be_tells_nothing(redzone: str | None) -> None:
    whole = slab(state="live", names=("object",), redzone=redzone)
    found = diagnose_one(make_report(Kind.SLAB, "BUG kmalloc-64: odd"), dump(whole))
    assert weight(found, RootCause.OUT_OF_BOUNDS, "overwritten") == 0


@pytest.mark.parametrize(("offset", "fires"), [(64, True), (72, True), (63, False), (0, False)])
def test_a_pointer_behind_the_end_of_an_object_is_out_of_bounds(offset: int, fires: bool) -> None:
    address = hex(OBJECT + offset)
    report = make_report(address=address, access=Access.READ, registers={"rbx": address})
    found = diagnose_one(report, dump(slab(OBJECT + offset, "live")))
    assert (weight(found, RootCause.OUT_OF_BOUNDS, "bytes behind") > 0) is fires


@pytest.mark.parametrize(("kind", "fires"), [("guard", True), ("stack", False), ("vmap", False)])
def test_only_the_guard_page_of_a_stack_speaks_for_an_overflow(kind: str, fires: bool) -> None:
    stack = "0xffffc90000403fb0"
    report = make_report(Kind.DOUBLE_FAULT, "double fault", registers={"rsp": stack})
    place = at(int(stack, 16), kind, "rsp", what="tr[120]")
    found = diagnose_one(report, dump(place))
    assert (weight(found, RootCause.STACK_OVERFLOW, "guard page") > 0) is fires


def test_a_guard_page_in_a_register_that_was_not_used_speaks_for_nothing() -> None:
    report = make_report(address="0x10", registers={"r9": "0xffffc90000403fb0"})
    found = diagnose_one(report, dump(at(0xFFFFC90000403FB0, "guard", "r9", what="tr[120]")))
    assert RootCause.STACK_OVERFLOW not in [c.root_cause for c in found.candidates]


@pytest.mark.parametrize(("kind", "fires"), [("nothing", True), ("page", False), ("vmap", False)])
def test_a_pointer_to_nothing_at_all_is_a_wild_one(kind: str, fires: bool) -> None:
    address = "0xffff888fffff0000"
    report = make_report(address=address, access=Access.READ, registers={"rax": address})
    found = diagnose_one(report, dump(at(int(address, 16), kind, "rax", state="live")))
    assert (weight(found, RootCause.WILD_POINTER, "nothing mapped") > 0) is fires


def test_a_null_pointer_stays_one_whatever_the_other_registers_point_to() -> None:
    registers = {"rax": "0x0", "rbx": hex(OBJECT)}
    report = make_report(
        Kind.NULL_POINTER, address="0x0", access=Access.READ, code="<48> 8b 18", registers=registers
    )
    found = diagnose_one(report, dump(slab(freed=FREED)))
    alone = diagnose_one(report)
    assert found.candidates[0].evidence == alone.candidates[0].evidence
    assert found.root_cause is RootCause.NULL_DEREF


@pytest.mark.parametrize("value", [("nonsense",), ("{}",), "text", 7, True, ()])
def test_a_fact_that_is_not_what_it_should_be_is_passed_over(value: Any) -> None:
    fact = Fact("dump.pointers", value, Source("drgn"))
    report = make_report(address=hex(BAD), registers={"rax": hex(BAD)})
    assert diagnose_one(report, {fact.name: fact}).root_cause is RootCause.WILD_POINTER
