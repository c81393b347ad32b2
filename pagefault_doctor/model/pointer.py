"""The bad pointer in the source, from the debug information of a module."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

Hexadecimal = Annotated[str, msgspec.Meta(pattern="^-?(0x)?[0-9a-fA-F]{1,32}$")]
"""A number in a session file: one that holds something else is refused where it is read."""


class InlinedCall(msgspec.Struct, frozen=True):
    """A function that the compiler inlined into its caller: its name, and the place of the call."""

    function: str
    file: str | None = None
    line: int | None = None


class Variable(msgspec.Struct, frozen=True):
    """A variable or parameter that a register held: its C type, and its value in hexadecimal."""

    name: str
    type: str
    register: str
    value: Hexadecimal
    function: str


class Pointer(msgspec.Struct, frozen=True, kw_only=True):
    """The pointer that the faulting access went through, as the source has it.

    `name` is a variable (`dev`) or how it is reached (`sensor->ops`), `type` its C type; both are
    None where only `candidates` are known, the members (`struct item.owner`) it may be.
    `value` is hexadecimal, and so is `held`, the content of the register: the compiler may keep
    the address of a member in place of the structure's. The access was `offset` bytes from
    `value`: to `access` (`dev->lock`), which is `member` (`struct device_state.lock`), each None
    where the type does not show it. `around` is the structure in it (`struct item.link`) that was
    at NULL, where that explains the value: `container_of()` of NULL results in one. `function` is
    the one that the variable belongs to. `how` is `location` where DWARF places it in the register,
    `load` where it was read from memory just before, `call` where it is a function pointer that was
    called, `candidates` where no name is known. `returned_by` is the function that returned the
    value. `others` are other variables with their values at that moment.
    """

    register: str
    held: Hexadecimal
    value: Hexadecimal
    offset: int
    how: Literal["location", "load", "call", "candidates"]
    name: str | None = None
    type: str | None = None
    access: str | None = None
    member: str | None = None
    around: str | None = None
    function: str | None = None
    returned_by: str | None = None
    candidates: tuple[str, ...] = ()
    others: tuple[Variable, ...] = ()
