"""The faulting access, as the report tells it, for those who look it up in debug information."""

from __future__ import annotations

import msgspec


class Access(msgspec.Struct, frozen=True, kw_only=True):
    """The access that faulted, and what the registers held then.

    `register` had the pointer and `value` is what it held; `address` is what was accessed, `size`
    how many bytes of it (0 where unknown). `code` are the bytes of the instruction. `registers`
    has all values by the names that a disassembler writes.
    """

    arch: str
    register: str
    value: int
    address: int
    size: int
    code: bytes
    registers: dict[str, int]
