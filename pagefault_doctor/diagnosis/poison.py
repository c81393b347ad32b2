"""Poison: the values that freed, deleted or uninitialised memory is filled with.

From `include/linux/poison.h`. A pointer poison has CONFIG_ILLEGAL_POINTER_VALUE added to it, which
is 0xdead000000000000 on x86_64, arm64 and riscv64 (`arch/*/Kconfig`), 0x5deadbeef0000000 on ppc64,
and 0 on s390x and where pointers have 32 bits.
"""

from __future__ import annotations

from enum import StrEnum
from functools import cache
from typing import Final

import msgspec

REACH: Final = 0x1000
"""How far from a poison value a member access or container_of may lead, in bytes."""

DELTAS: Final = (0xDEAD000000000000, 0x5DEADBEEF0000000)
ARM64_UNTAGGED: Final = 0x00FFFFFFFFFFFFFF
"""arm64 prints fault addresses without the top byte (`arch/arm64/mm/fault.c`, untagged_addr)."""


POISON_END: Final = 0xA5
"""The last byte of a poisoned object, and so the top byte of a pointer that ended it."""


class MemoryState(StrEnum):
    """The state of the memory that a poison value was found in."""

    LIST_DELETED = "list-deleted"
    FREED = "freed"
    UNINITIALISED = "uninitialised"
    REDZONE = "redzone"


class Poison(msgspec.Struct, frozen=True):
    """A poison value: its name in the kernel, and what it means when it is used as a pointer."""

    name: str
    value: int
    state: MemoryState
    means: str


class PoisonMatch(msgspec.Struct, frozen=True):
    """A value explained by a poison: `offset` is their distance in bytes."""

    poison: Poison
    offset: int


_POINTERS: Final = (
    Poison(
        "LIST_POISON1", 0x100, MemoryState.LIST_DELETED, "the next pointer of a deleted list entry"
    ),
    Poison(
        "LIST_POISON2", 0x122, MemoryState.LIST_DELETED, "the prev pointer of a deleted list entry"
    ),
    Poison(
        "LIST_POISON2", 0x200, MemoryState.LIST_DELETED, "the prev pointer of a deleted list entry"
    ),
    Poison("TIMER_ENTRY_STATIC", 0x300, MemoryState.UNINITIALISED, "the entry of a static timer"),
    Poison("TAIL_MAPPING", 0x400, MemoryState.FREED, "the mapping of a compound page's tail page"),
    Poison("MUTEX_POISON_WW_CTX", 0x500, MemoryState.FREED, "the context of a released ww_mutex"),
    Poison(
        "SKB_LIST_POISON_NEXT", 0x800, MemoryState.LIST_DELETED, "the next pointer of a removed skb"
    ),
    Poison("NET_PTR_POISON", 0x801, MemoryState.FREED, "a network pointer after its release"),
    Poison("PP_SIGNATURE", 0x040, MemoryState.FREED, "the signature of a page_pool page"),
    Poison("BPF_PTR_POISON", 0xEB9F, MemoryState.FREED, "a BPF pointer after its release"),
    Poison("VFS_PTR_POISON", 0xF5, MemoryState.FREED, "a file-system pointer after its release"),
    Poison("STACK_DEPOT_POISON", 0xD390, MemoryState.FREED, "an evicted stack record"),
    Poison(
        "LIST_POISON1", 0x100100, MemoryState.LIST_DELETED, "the next pointer of a deleted entry"
    ),
    Poison(
        "LIST_POISON2", 0x200200, MemoryState.LIST_DELETED, "the prev pointer of a deleted entry"
    ),
)

_BYTES: Final = (
    Poison("POISON_FREE", 0x6B, MemoryState.FREED, "freed slab memory"),
    Poison("POISON_INUSE", 0x5A, MemoryState.UNINITIALISED, "slab memory never written to"),
    Poison("PAGE_POISON", 0xAA, MemoryState.FREED, "a freed page"),
    Poison("SLUB_RED_INACTIVE", 0xBB, MemoryState.REDZONE, "the redzone of a free slab object"),
    Poison("POISON_FREE_INITMEM", 0xCC, MemoryState.FREED, "freed init memory or a redzone"),
    Poison("POOL_POISON_FREED", 0xA7, MemoryState.FREED, "a freed dma_pool block"),
    Poison(
        "POOL_POISON_ALLOCATED",
        0xA9,
        MemoryState.UNINITIALISED,
        "a dma_pool block never written to",
    ),
    Poison("JBD_POISON_FREE", 0x5B, MemoryState.FREED, "a freed journal head"),
    Poison("JBD2_POISON_FREE", 0x5C, MemoryState.FREED, "a freed journal head"),
    Poison("MUTEX_DEBUG_FREE", 0x22, MemoryState.FREED, "a destroyed mutex"),
    Poison("MUTEX_DEBUG_INIT", 0x11, MemoryState.UNINITIALISED, "a mutex never initialised"),
    Poison("KEY_DESTROY", 0xBD, MemoryState.FREED, "a destroyed key"),
)

_BEFORE: Final = 0x80
"""How far before a poison value container_of may lead."""
_HIGHEST: Final = max(poison.value for poison in _POINTERS) + REACH

_OLD_LIST: Final = (0x100100, 0x200200)


def _pointer(value: int) -> PoisonMatch | None:
    bases = DELTAS if value >> 32 else (0,)
    for base in bases:
        low = value - base
        if not -_BEFORE <= low < _HIGHEST:
            continue
        hits = [
            PoisonMatch(poison, low - poison.value)
            for poison in _POINTERS
            if (base or poison.value in _OLD_LIST) and -_BEFORE <= low - poison.value < REACH
        ]
        if hits:
            return min(hits, key=lambda hit: (hit.offset % 4 != 0, abs(hit.offset)))
    return None


@cache
def _wholes(bits: int, mask: int) -> dict[int, tuple[Poison, int]]:
    """Return the poisons of bytes and their whole values, by the upper bits of what is near."""
    found = {}
    for poison in _BYTES:
        whole = int.from_bytes(bytes([poison.value]) * (bits // 8), "big") & mask
        for near in (whole - REACH, whole, whole + REACH):
            found[near >> _LOW] = poison, whole
    return found


_LOW: Final = 16
"""Bits of a value that what is within REACH of it may differ in, but for a carry."""


def _repeated(value: int, bits: int, mask: int) -> PoisonMatch | None:
    poison, whole = _wholes(bits, mask).get(value >> _LOW, (None, 0))
    if poison is None or not -REACH < value - whole < REACH:
        return None
    return PoisonMatch(poison, value - whole)


def find(value: int, bits: int = 64) -> PoisonMatch | None:
    """Return the poison that explains a pointer or fault address, or None.

    `bits` is the width of a pointer, 32 or 64.
    """
    pointer = _pointer(value)
    if pointer is not None:
        return pointer
    mask = (1 << bits) - 1
    hit = _repeated(value, bits, mask)
    if hit is None and bits == 64 and value >> 56 in (0, POISON_END):
        value &= ARM64_UNTAGGED
        hit = _repeated(value, bits, ARM64_UNTAGGED)
    return hit


def bare(value: int) -> PoisonMatch | None:
    """Return the link of a deleted list entry that a small value is, where nothing is added to it.

    Only for a pointer itself: a fault address so small is a member of NULL, much more often.
    """
    return next((PoisonMatch(p, 0) for p in _POINTERS[:2] if p.value == value), None)


def values() -> dict[str, tuple[int, ...]]:
    """Return the values of each poison by its name: a byte, or what is added to the delta."""
    found: dict[str, tuple[int, ...]] = {}
    for one in (*_POINTERS, *_BYTES):
        found[one.name] = (*found.get(one.name, ()), one.value)
    return found
