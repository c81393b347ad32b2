"""Use after free and double free, and what only looks like them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pagefault_doctor.model.diagnosis import Diagnosis, RootCause
from pagefault_doctor.model.report import Access, Kind, LinkedModule

Diagnose = Callable[..., Diagnosis]
USED_MODULES = {"modules": (LinkedModule("other", "OE"),), "last_unloaded": "gone"}


@pytest.mark.parametrize(
    ("kind", "line"),
    [
        (Kind.SANITIZER, "BUG: KASAN: slab-use-after-free in drop_it+0x3a/0x50 [demo]"),
        (Kind.SANITIZER, "BUG: KFENCE: use-after-free read in drop_it+0x3a/0x50"),
        (Kind.REFCOUNT, "refcount_t: underflow; use-after-free."),
        (Kind.REFCOUNT, "refcount_t: addition on 0; use-after-free."),
        (Kind.SLAB, "BUG kmalloc-64 (Tainted: G    B   OE): Poison overwritten"),
        (Kind.WARNING, "ODEBUG: free active (active state 0) object type: timer_list hint: tick"),
    ],
)
def test_the_kernels_own_words_settle_it(diagnosis: Diagnose, kind: Kind, line: str) -> None:
    found = diagnosis(kind, line)
    assert found.root_cause is RootCause.USE_AFTER_FREE
    assert found.confidence > 0.6


def test_freed_slab_memory_used_as_a_pointer(diagnosis: Diagnose) -> None:
    found = diagnosis(
        Kind.GENERAL_PROTECTION,
        "general protection fault, probably for non-canonical address 0x6b6b6b6b6b6b6b73",
        address="0x6b6b6b6b6b6b6b73",
        code="<48> 8b 43 08 c3",  # mov 0x8(%rbx),%rax
        registers={"rbx": "0x6b6b6b6b6b6b6b6b"},
    )
    assert found.root_cause is RootCause.USE_AFTER_FREE
    assert any("POISON_FREE" in e.text for e in found.candidates[0].evidence)


def test_arm64_drops_the_top_byte_of_the_poison(diagnosis: Diagnose) -> None:
    found = diagnosis(address="0x6b6b6b6b6b6b73", access=Access.READ, arch="arm64")
    assert found.root_cause is RootCause.USE_AFTER_FREE


def test_memory_never_written_to_is_no_use_after_free(diagnosis: Diagnose) -> None:
    found = diagnosis(
        Kind.GENERAL_PROTECTION,
        "general protection fault, probably for non-canonical address 0x5a5a5a5a5a5a5a5a",
        address="0x5a5a5a5a5a5a5a5a",
    )
    assert found.root_cause is RootCause.WILD_POINTER


def test_a_member_read_through_a_deleted_entry_is_use_after_free(diagnosis: Diagnose) -> None:
    found = diagnosis(
        Kind.GENERAL_PROTECTION,
        "general protection fault, probably for non-canonical address 0xdead000000000118",
        address="0xdead000000000118",
        code="<8b> 40 18 c3",  # mov 0x18(%rax),%eax
        registers={"rax": "0xdead000000000100"},
    )
    assert found.root_cause is RootCause.USE_AFTER_FREE


def test_a_link_written_through_a_deleted_entry_is_a_double_list_del(diagnosis: Diagnose) -> None:
    found = diagnosis(
        Kind.GENERAL_PROTECTION,
        "general protection fault, probably for non-canonical address 0xdead000000000108",
        address="0xdead000000000108",
        code="<48> 89 42 08 c3",  # mov %rax,0x8(%rdx)
        registers={"rdx": "0xdead000000000100", "rax": "0xdead000000000122"},
    )
    assert found.root_cause is RootCause.LIST_CORRUPTION
    assert found.candidates[1].root_cause is RootCause.USE_AFTER_FREE


def test_code_of_an_unloaded_module_that_is_still_called(diagnosis: Diagnose) -> None:
    found = diagnosis(
        Kind.PAGE_FAULT,
        "BUG: unable to handle page fault for address: ffffffffc0b70060",
        "Code: Unable to access opcode bytes at 0xffffffffc0b70036.",
        address="0xffffffffc0b70060",
        access=Access.EXECUTE,
        error_code="0x10",
        function=None,
        **USED_MODULES,
    )
    assert found.root_cause is RootCause.USE_AFTER_FREE
    assert found.module == "gone"


def test_missing_code_bytes_of_a_named_init_function_are_no_unload(diagnosis: Diagnose) -> None:
    found = diagnosis(
        Kind.NULL_POINTER,
        "BUG: kernel NULL pointer dereference, address: 0000000000000000",
        "Code: Unable to access opcode bytes at 0xffffffffc0b70fe7.",
        address="0x0",
        access=Access.WRITE,
        function="demo_init",
        module="demo",
        **USED_MODULES,
    )
    assert found.root_cause is RootCause.NULL_DEREF
    assert found.module == "demo"


def test_a_poison_in_another_register_is_only_a_hint(diagnosis: Diagnose) -> None:
    found = diagnosis(
        address="0xffff888012345678",
        access=Access.READ,
        registers={"rax": "0xffff888012345678", "rdi": "0x6b6b6b6b6b6b6b6b"},
        code="<48> 8b 00 c3",
    )
    freed = next(c for c in found.candidates if c.root_cause is RootCause.USE_AFTER_FREE)
    assert freed.confidence < 0.5


def test_a_refcount_that_saturated_leaks_and_is_not_use_after_free(diagnosis: Diagnose) -> None:
    found = diagnosis(Kind.REFCOUNT, "refcount_t: saturated; leaking memory.")
    assert RootCause.USE_AFTER_FREE not in {c.root_cause for c in found.candidates}


@pytest.mark.parametrize(
    ("kind", "function", "line"),
    [
        (Kind.SANITIZER, "drop_it", "BUG: KASAN: double-free in drop_it+0x3a/0x50"),
        (Kind.SLAB, "drop_it", "BUG kmalloc-32 (Not tainted): Object already free"),
        (Kind.KERNEL_BUG, "kfree", "kernel BUG at mm/slub.c:4321!"),
        (Kind.KERNEL_BUG, "__kmem_cache_free", "kernel BUG at mm/slub.c:4321!"),
    ],
)
def test_memory_freed_twice(diagnosis: Diagnose, kind: Kind, function: str, line: str) -> None:
    assert diagnosis(kind, line, function=function).root_cause is RootCause.DOUBLE_FREE


def test_a_bug_in_the_slab_code_outside_of_freeing_is_no_double_free(diagnosis: Diagnose) -> None:
    found = diagnosis(Kind.KERNEL_BUG, "kernel BUG at mm/slub.c:300!", function="allocate_slab")
    assert RootCause.DOUBLE_FREE not in {c.root_cause for c in found.candidates}
