"""A crash inside the allocator: somebody damaged its list, and whoever asks for memory meets it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pagefault_doctor.model.diagnosis import Attribution, Diagnosis, RootCause
from pagefault_doctor.model.report import Kind, LinkedModule

Diagnose = Callable[..., Diagnosis]

GPF = "general protection fault, probably for non-canonical address 0xadacafaeb5b4b7b6"


@pytest.mark.parametrize("function", ["kmem_cache_alloc", "__kmalloc_node", "___slab_alloc"])
def test_a_wild_address_in_the_allocator_is_memory_corruption(
    diagnosis: Diagnose, function: str
) -> None:
    found = diagnosis(
        Kind.GENERAL_PROTECTION,
        GPF,
        address="0xadacafaeb5b4b7b6",
        trace=(function, "alloc_pipe_info", "do_pipe2"),
    )
    assert found.root_cause is RootCause.USE_AFTER_FREE
    assert {RootCause.DOUBLE_FREE, RootCause.OUT_OF_BOUNDS, RootCause.WILD_POINTER} <= {
        candidate.root_cause for candidate in found.candidates
    }
    assert found.confidence < 0.75
    assert found.experiment is not None
    assert found.experiment.name == "slub-debug"


@pytest.mark.parametrize(
    ("trace", "innocent"),
    [
        (("kmem_cache_alloc", "post_send [asker]", "vfs_write"), LinkedModule("asker", "")),
        (("kmem_cache_alloc", "do_one_initcall", "do_init_module"), LinkedModule("coming", "+")),
    ],
)
def test_the_module_that_asks_for_memory_is_innocent(
    diagnosis: Diagnose, trace: tuple[str, ...], innocent: LinkedModule
) -> None:
    """Also one that is just being loaded, whose init function left no frame."""
    found = diagnosis(
        Kind.GENERAL_PROTECTION,
        GPF,
        address="0xadacafaeb5b4b7b6",
        trace=trace,
        modules=(innocent, LinkedModule("foreign", "OE")),
    )
    assert (found.attribution, found.module) == (Attribution.MODULE, "foreign")


@pytest.mark.parametrize(
    ("kind", "address", "trace"),
    [
        (Kind.NULL_POINTER, "0x10", ("kmem_cache_alloc", "make_it")),
        (Kind.PAGE_FAULT, "0xfffffffffffffff4", ("__kmalloc", "make_it")),
        (Kind.GENERAL_PROTECTION, "0xadacafaeb5b4b7b6", ("make_it", "kmem_cache_alloc")),
    ],
)
def test_no_damaged_list_is_claimed_where_there_is_none(
    diagnosis: Diagnose, kind: Kind, address: str, trace: tuple[str, ...]
) -> None:
    found = diagnosis(kind, address=address, trace=trace)
    told = [e.text for candidate in found.candidates for e in candidate.evidence]
    assert not any("list of free objects" in text for text in told)
