"""The functions and blocks around an instruction, with inlined functions, and their variables.

DWARF sections 3.3 (functions, DW_TAG_inlined_subroutine) and 4.1 (variables and parameters).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from pagefault_doctor.symbols.dwarf.entry import DebugEntry, Dwarf
from pagefault_doctor.symbols.dwarf.location import VariableLocation, variable_locations
from pagefault_doctor.symbols.dwarf.ranges import covers, location_expression

_PARAMETER, _BLOCK, _INLINED, _FUNCTION, _VARIABLE = 0x05, 0x0B, 0x1D, 0x2E, 0x34
_NAME, _TYPE, _FRAME_BASE, _DECL_FILE = 0x03, 0x49, 0x40, 0x3A
_CALL_FILE, _CALL_LINE = 0x58, 0x59
STMT_LIST: Final = 0x10
"""DW_AT_stmt_list: the offset of the unit in `.debug_line`."""
_MAX_DEPTH: Final = 64


class Scope(msgspec.Struct, frozen=True):
    """A function around an instruction, inlined or not, with the entries of its blocks.

    `call_file` is a number in the unit's file table, `call_line` the line of the call; both are
    None for the outermost function. `file` is the number of the file that declares the function.
    """

    name: str
    entries: tuple[DebugEntry, ...]
    file: int | None
    call_file: int | None
    call_line: int | None


class ScopeVariable(msgspec.Struct, frozen=True):
    """A variable or parameter in scope at an instruction, and where it is."""

    name: str
    kind: DebugEntry | None
    locations: tuple[VariableLocation, ...]
    function: str
    file: int | None


def find_unit(dwarf: Dwarf, address: int) -> DebugEntry | None:
    """Return the root entry of the unit that covers an address, or None."""
    return next((unit.root for unit in dwarf.units() if covers(dwarf, unit.root, address)), None)


def scopes(dwarf: Dwarf, root: DebugEntry, address: int) -> tuple[Scope, ...]:
    """Return the functions around an address, the outermost first; empty if unknown."""
    functions = (entry for entry in root.unit.children(root) if entry.tag == _FUNCTION)
    function = next((entry for entry in functions if covers(dwarf, entry, address)), None)
    return scopes_in(dwarf, function, address) if function else ()


def scopes_in(dwarf: Dwarf, function: DebugEntry, address: int) -> tuple[Scope, ...]:
    """Return a function and the inlined ones in it around an address, the outermost first."""
    found: list[Scope] = []
    entry: DebugEntry | None = function
    blocks: list[DebugEntry] = []
    for _ in range(_MAX_DEPTH):
        if entry is None:
            break
        if entry.tag != _BLOCK and blocks:
            found.append(_scope(dwarf, blocks))
            blocks = []
        blocks.append(entry)
        entry = _inner_scope(dwarf, entry, address)
    if blocks:
        found.append(_scope(dwarf, blocks))
    return tuple(found)


def _inner_scope(dwarf: Dwarf, entry: DebugEntry, address: int) -> DebugEntry | None:
    inner = (c for c in entry.unit.children(entry) if c.tag in (_BLOCK, _INLINED))
    return next((child for child in inner if covers(dwarf, child, address)), None)


def _scope(dwarf: Dwarf, blocks: list[DebugEntry]) -> Scope:
    first = blocks[0]
    name = dwarf.inherited(first, _NAME, dwarf.text)
    return Scope(
        name or "?",
        tuple(blocks),
        dwarf.inherited(first, _DECL_FILE, DebugEntry.number),
        first.number(_CALL_FILE),
        first.number(_CALL_LINE),
    )


def variables(dwarf: Dwarf, around: tuple[Scope, ...], address: int) -> Iterator[ScopeVariable]:
    """Yield the variables of the functions around an address, the innermost function's first.

    A variable whose location is unknown has no locations.
    """
    if not around:
        return
    (_, base) = around[0].entries[0].attributes.get(_FRAME_BASE, (0, None))
    frame = base if isinstance(base, bytes) else None
    for scope in reversed(around):
        for block in reversed(scope.entries):
            for entry in block.unit.children(block):
                if entry.tag in (_VARIABLE, _PARAMETER):
                    yield _variable(dwarf, scope, entry, address, frame)


def _variable(
    dwarf: Dwarf, scope: Scope, entry: DebugEntry, address: int, frame: bytes | None
) -> ScopeVariable:
    code = location_expression(dwarf, entry, address)
    return ScopeVariable(
        dwarf.inherited(entry, _NAME, dwarf.text) or "?",
        dwarf.inherited(entry, _TYPE, dwarf.reference),
        variable_locations(code, frame) if code else (),
        scope.name,
        scope.file,
    )


def static_variables(
    dwarf: Dwarf, root: DebugEntry, address: int
) -> Iterator[tuple[str, DebugEntry | None, int]]:
    """Yield the unit's static variables that may contain an address: name, type, offset."""
    for entry in root.unit.children(root):
        if entry.tag != _VARIABLE:
            continue
        code = location_expression(dwarf, entry, address)
        for location in variable_locations(code) if code else ():
            if location.in_memory and location.at.is_address and location.at.offset <= address:
                name = dwarf.inherited(entry, _NAME, dwarf.text)
                kind = dwarf.inherited(entry, _TYPE, dwarf.reference)
                yield name or "?", kind, address - location.at.offset
