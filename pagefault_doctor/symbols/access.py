"""The faulting access, as the report tells it, for those who look it up in debug information."""

from __future__ import annotations

from typing import Final

import msgspec

NEAR: Final = 4096
"""A value less than this below zero may be `container_of()` of NULL: it is NULL less an offset."""


class FaultingAccess(msgspec.Struct, frozen=True, kw_only=True):
    """The access that faulted, and what the registers held then.

    `register` had the pointer and `value` is what it held; `register` is None where the report does
    not show the instruction. `address` is what was accessed, `size` how many bytes of it (0 where
    unknown). `code` are the bytes of the instruction. `registers` has all values by the names that
    a disassembler writes. `is_jump` is whether the processor went to `address` to run it; then
    the place is that of the call, and `displacement` is where the pointer to it lay from the
    register, None where the register itself had it.
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
