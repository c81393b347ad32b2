"""The faulting access, as the report shows it; the debug information is searched with it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec

from pagefault_doctor.model.pointer import Pointer

ADDRESS_SPACE: Final = 1 << 64
NEAR: Final = 4096
"""A value this close below zero may be `container_of()` of NULL, which is NULL minus an offset."""
_MAX_CANDIDATES: Final = 3


class FaultingAccess(msgspec.Struct, frozen=True, kw_only=True):
    """The access that faulted, and the registers at that time.

    `register` held the pointer, `value` is its content; `register` is None if the report does not
    show the instruction. `address` is the accessed address, `size` the number of bytes (0 if
    unknown), `code` the bytes of the instruction. `registers` maps all registers to their values,
    by the names that a disassembler prints. `is_jump` is true if the processor tried to execute
    `address`; then the code location is that of the call, and the pointer was in memory at the
    register plus `displacement`, or in the register itself if `displacement` is None.
    """

    arch: str
    address: int
    registers: dict[str, int]
    register: str | None = None
    value: int = 0
    size: int = 0
    code: bytes = b""
    is_jump: bool = False
    displacement: int | None = None


def signed(number: int) -> int:
    """Return the difference of two addresses as a number of 64 bits with a sign."""
    number %= ADDRESS_SPACE
    return number - ADDRESS_SPACE if number >> 63 else number


def candidate_pointer(
    access: FaultingAccess, offset: int, members: Iterable[str]
) -> Pointer | None:
    """Return a pointer of which only the members that it may have led to are known, or None."""
    candidates = tuple(dict.fromkeys(members))[:_MAX_CANDIDATES]
    if not candidates or access.register is None:
        return None
    return Pointer(
        register=access.register,
        held=f"{access.value:#x}",
        value=f"{access.value:#x}",
        offset=offset,
        how="candidates",
        candidates=candidates,
    )
