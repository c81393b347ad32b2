"""The bad pointer in the source: its variable or member, from the register that held it.

A guess would send the reader to the wrong line, so what is uncertain is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from pagefault_doctor.model.pointer import Pointer, Variable
from pagefault_doctor.model.untrusted import clean_line
from pagefault_doctor.symbols.access import (
    ADDRESS_SPACE,
    NEAR,
    FaultingAccess,
    candidate_pointer,
    signed,
)
from pagefault_doctor.symbols.dwarf import c_type
from pagefault_doctor.symbols.dwarf.entry import DebugEntry
from pagefault_doctor.symbols.dwarf.location import register_name, register_number, value_of
from pagefault_doctor.symbols.function_code import FunctionCode
from pagefault_doctor.symbols.variable_names import WORD, NamedValue, VariableNames

_MAX_OTHERS: Final = 8


def find_pointer(
    names: VariableNames, access: FaultingAccess, code: FunctionCode | None
) -> Pointer | None:
    """Return the pointer that an access went through, or None if it is unknown.

    `code` has the instructions of the function, or is None if they are unknown.
    """
    if access.register is None:
        return None
    register, at = access.register, names.at
    held = names.in_register(register, names.address)
    named = _best_match(names, list(held), access)
    if named is None or _is_from_header(names, named):
        came = names.traced(code, register, at)
        named = came if came and not (named and _is_from_header(names, came)) else named
    if named is None:
        return _candidate_pointer(names, access)
    start = (access.value - named.add) % ADDRESS_SPACE
    offset = signed(access.address - start)
    inside = _pointed_member(names, named.kind, offset, access.size)
    callee = None if named.loads else names.callee(code, register, at)
    return Pointer(
        register=register,
        held=f"{access.value:#x}",
        value=f"{start:#x}",
        offset=offset,
        how="load" if named.loads else "location",
        name=clean_line(named.path),
        type=_type_name(names, named),
        access=_access_expression(names, named, inside, offset),
        member=clean_line(f"{inside.holder}.{inside.path}") if inside else None,
        around=_enclosing_structure(names, named.kind, start),
        function=clean_line(named.function) if named.function else None,
        returned_by=clean_line(callee) if callee else None,
        others=_other_variables(names, access.registers, named),
    )


def called_pointer(
    names: VariableNames, access: FaultingAccess, code: FunctionCode | None
) -> Pointer | None:
    """Return the function pointer of a call that jumped to a bad address, or None.

    `names` are those at the call; `access.address` is the address that it jumped to.
    """
    if access.register is None:
        return None
    register = access.register
    held = list(names.in_register(register, names.address))
    found = held[0] if held else names.traced(code, register, names.at)
    if found is not None and access.displacement is not None:
        found = names.through(found, access.displacement)
    if found is None or found.add:
        return None
    value = f"{access.address:#x}"
    return Pointer(
        register=register,
        held=value,
        value=value,
        offset=0,
        how="call",
        name=clean_line(found.path),
        type=_type_name(names, found),
        access=clean_line(f"{found.path}()"),
        function=clean_line(found.function) if found.function else None,
        others=_other_variables(names, access.registers, found),
    )


def _type_name(names: VariableNames, named: NamedValue) -> str:
    return clean_line(c_type.type_name(names.dwarf, named.kind))


def _pointed_member(
    names: VariableNames, kind: DebugEntry | None, offset: int, size: int
) -> c_type.TypeMember | None:
    """Return the member of the pointed-to type that begins at the offset or contains it."""
    dwarf = names.dwarf
    found = c_type.member_at(dwarf, c_type.pointed_type(dwarf, kind), offset, size)
    if found is None or c_type.UNNAMED not in found.holder:
        return found
    holder = c_type.type_name(dwarf, kind).removesuffix(" *").removeprefix("const ")
    return msgspec.structs.replace(found, holder=holder)


def _enclosing_structure(names: VariableNames, kind: DebugEntry | None, start: int) -> str | None:
    """Return the member structure that would lie at address 0, or None."""
    below = ADDRESS_SPACE - start
    found = _pointed_member(names, kind, below, 0) if below < NEAR else None
    if found is None or found.rest or not c_type.is_structure(found.entry):
        return None
    return clean_line(f"{found.holder}.{found.path}")


def _best_match(
    names: VariableNames, held: list[NamedValue], access: FaultingAccess
) -> NamedValue | None:
    """Return the variable in the register that explains the access best, or None."""
    ranked = [(_misfit(names, named, access), order) for order, named in enumerate(held)]
    return held[min(ranked)[1]] if ranked else None


def _misfit(names: VariableNames, named: NamedValue, access: FaultingAccess) -> tuple[bool, ...]:
    """Return how badly a variable explains the access; the lowest is the best.

    A variable of an inlined header function helps less than one of the function around it.
    """
    points_to = c_type.pointed_type(names.dwarf, named.kind)
    offset = signed(access.address - (access.value - named.add))
    inside = _pointed_member(names, named.kind, offset, access.size)
    strange = c_type.is_structure(points_to) and inside is None
    is_pointer = c_type.is_pointer(names.dwarf, named.kind)
    return not is_pointer, strange, _is_from_header(names, named), named.add != 0


def _is_from_header(names: VariableNames, named: NamedValue) -> bool:
    """Return whether a variable belongs to an inlined function from a header."""
    return bool(names.around) and named.file != names.around[0].file


def _access_expression(
    names: VariableNames, named: NamedValue, inside: c_type.TypeMember | None, offset: int
) -> str | None:
    """Return the access as C writes it, or None if the type does not show it."""
    if inside is not None:
        return clean_line(f"{named.path}->{inside.path}")
    points_to = c_type.pointed_type(names.dwarf, named.kind)
    size = c_type.size_of(names.dwarf, points_to)
    if not size or c_type.is_structure(points_to) or offset % size:
        return None
    return clean_line(f"{named.path}[{offset // size}]" if offset else f"*{named.path}")


def _other_variables(
    names: VariableNames, registers: Mapping[str, int], named: NamedValue | None
) -> tuple[Variable, ...]:
    """Return the other variables that were in registers, the innermost function's first."""
    numbers = {
        number: value
        for name, value in registers.items()
        if (number := register_number(name, names.arch)) is not None
    }
    shown: list[Variable] = []
    for variable in names.here:
        if named and (variable.name, variable.function) == (named.path, named.function):
            continue
        if len(variable.locations) != 1 or variable.locations[0].size is not None:
            continue
        (location,) = variable.locations
        size = c_type.size_of(names.dwarf, variable.kind)
        value = value_of(location, numbers)
        register = register_name(location.at.register, names.arch)
        if value is None or register is None or not size or size > WORD:
            continue
        shown.append(
            Variable(
                clean_line(variable.name),
                clean_line(c_type.type_name(names.dwarf, variable.kind)),
                register,
                f"{value & ((1 << 8 * size) - 1):#x}",
                clean_line(variable.function),
            )
        )
    return tuple(shown[:_MAX_OTHERS])


def _candidate_pointer(names: VariableNames, access: FaultingAccess) -> Pointer | None:
    """Return a result with the members the access may have been to, by the types in scope."""
    offset = signed(access.address - access.value)
    kinds = [variable.kind for variable in names.here] if offset > 0 else []
    found = (_pointed_member(names, kind, offset, access.size) for kind in kinds)
    members = (clean_line(f"{m.holder}.{m.path}") for m in found if m and not m.rest)
    pointer = candidate_pointer(access, offset, members)
    if pointer is None:
        return None
    others = _other_variables(names, access.registers, None)
    return msgspec.structs.replace(pointer, others=others)
