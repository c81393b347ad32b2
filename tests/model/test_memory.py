"""What a pointer points to, in words."""

from __future__ import annotations

import pytest

from pagefault_doctor.model.memory import Holder, PointedMemory, Trace, decoded, encoded

KMALLOC = ("kmalloc", "faulty")
OBJECT = PointedMemory(
    "0xffff888012340018", ("rbx",), "slab", "kmalloc-64", "live", "0xffff888012340000", 64
)


def at(offset: int, state: str = "live", redzone: str | None = None) -> PointedMemory:
    return PointedMemory(
        f"{0xFFFF888012340000 + offset:#x}", ("rbx",), "slab", "kmalloc-64", state,
        "0xffff888012340000", 64, redzone=redzone,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("pointed", "words"),
    [
        (at(0), "a live object of kmalloc-64"),
        (at(24), "a live object of kmalloc-64 +0x18"),
        (at(0, "free"), "a freed object of kmalloc-64"),
        (PointedMemory("0x1000", (), "module", "faulty", "live"), "module faulty (live)"),
        (PointedMemory("0x1000", (), "module", "faulty", "live", symbol="table", symbol_offset=8),
         "table+0x8 of module faulty (live)"),
        (PointedMemory("0x1000", (), "symbol", "init_task", symbol_offset=16),
         "init_task+0x10 of the kernel"),
        (PointedMemory("0x1000", (), "vmap", "faulty_init"),
         "vmalloc memory, allocated by faulty_init"),
        (PointedMemory("0x1000", (), "stack", "kworker"), "the stack of kworker"),
    ],
)  # fmt: skip
def test_what_is_pointed_to_is_named(pointed: PointedMemory, words: str) -> None:
    assert pointed.text == words
    assert decoded(encoded(pointed)) == pointed


@pytest.mark.parametrize(
    ("names", "words"),
    [(("rbx", "rdi"), "RBX, RDI"), (("fault",), "the fault address"), ((), "a value"),
     (("object", "rax"), "RAX")],
)  # fmt: skip
def test_registers_are_named_before_roles(names: tuple[str, ...], words: str) -> None:
    assert PointedMemory("0x1000", names, "value").known_as == words


@pytest.mark.parametrize(("offset", "past"), [(0, False), (63, False), (64, True), (65, True)])
def test_the_first_byte_after_an_object_is_past_its_end(offset: int, past: bool) -> None:
    assert at(offset).is_past_end is past


@pytest.mark.parametrize(
    ("redzone", "trampled"), [("bbbb", False), ("cccc", False), ("bb00", True), ("", False)]
)
def test_a_redzone_of_other_bytes_was_written_over(redzone: str, trampled: bool) -> None:
    assert at(0, redzone=redzone).is_trampled is trampled


def test_an_object_without_a_known_redzone_is_not_called_written_over() -> None:
    assert not OBJECT.is_trampled


def test_who_allocated_is_the_modules_own_function_not_what_is_inlined_into_it() -> None:
    assert Trace(1, (KMALLOC, ("faulty_open", "faulty"), ("vfs_open", ""))).by == (
        "faulty_open [faulty]"
    )
    assert Trace(1, (KMALLOC,)).by == "kmalloc [faulty]"
    assert Trace(1, (("0xffffffffc0000000", ""),)).by == "code that is gone by now"


@pytest.mark.parametrize(
    ("holder", "words"),
    [(Holder("kmalloc-64", "0x1000", 8), "kmalloc-64+0x8"),
     (Holder("kmalloc-64", "0x1000"), "kmalloc-64"),
     (Holder("faulty", "0x1000", 8, "table", 16), "table+0x10 [faulty]")],
)  # fmt: skip
def test_a_place_that_holds_the_value_is_named(holder: Holder, words: str) -> None:
    assert holder.text == words


@pytest.mark.parametrize("text", ["", "{", "[]", '{"address":"0x"}', "\ud800", "[" * 100_000])
def test_anything_else_is_no_pointed_memory(text: str) -> None:
    assert decoded(text) is None
