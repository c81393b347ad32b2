"""The bad pointer in the source: what the report says of it, by what its register was called.

What cannot be told for sure is not told.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from pagefault_doctor.model.pointer import Pointer, Variable
from pagefault_doctor.model.untrusted import clean_line
from pagefault_doctor.symbols.access import NEAR, FaultingAccess
from pagefault_doctor.symbols.dwarf import c_type
from pagefault_doctor.symbols.dwarf.entry import DebugEntry
from pagefault_doctor.symbols.dwarf.location import name_of, number_of, value_of
from pagefault_doctor.symbols.function_code import FunctionCode
from pagefault_doctor.symbols.variable_names import WORD, NamedValue, VariableNames

_WRAP: Final = 1 << 64
_MOST_OTHERS: Final = 8
_MOST_CANDIDATES: Final = 3


def pointer_of(
    names: VariableNames, access: FaultingAccess, code: FunctionCode | None
) -> Pointer | None:
    """Return the pointer that an access went through, or None where nothing can be said.

    `code` are the instructions of the function, as far as they are known.
    """
    if access.register is None:
        return None
    register, at = access.register, names.at
    held = names.in_register(register, names.address)
    named = _best(names, list(held), access)
    if named is None or _is_elsewhere(names, named):
        came = names.traced(code, register, at)
        named = came if came and not (named and _is_elsewhere(names, came)) else named
    if named is None:
        return _guess(names, access)
    start = (access.value - named.add) % _WRAP
    offset = _signed(access.address - start)
    inside = _inside(names, named.kind, offset, access.size)
    callee = None if named.loads else names.callee(code, register, at)
    return Pointer(
        register=register,
        held=f"{access.value:#x}",
        value=f"{start:#x}",
        offset=offset,
        how="load" if named.loads else "location",
        name=clean_line(named.path),
        type=_type(names, named),
        access=_used(names, named, inside, offset),
        member=clean_line(f"{inside.holder}.{inside.path}") if inside else None,
        around=_around(names, named.kind, start),
        function=clean_line(named.function) if named.function else None,
        returned_by=clean_line(callee) if callee else None,
        others=_others(names, access.registers, named),
    )


def called_through(
    names: VariableNames, access: FaultingAccess, code: FunctionCode | None
) -> Pointer | None:
    """Return the function pointer that a call went through to where no code is, or None.

    `names` are those at the call; `access.address` is where it led.
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
        type=_type(names, found),
        access=clean_line(f"{found.path}()"),
        function=clean_line(found.function) if found.function else None,
        others=_others(names, access.registers, found),
    )


def _type(names: VariableNames, named: NamedValue) -> str:
    return clean_line(c_type.type_name(names.dwarf, named.kind))


def _inside(
    names: VariableNames, kind: DebugEntry | None, offset: int, size: int
) -> c_type.TypeMember | None:
    """Return the member of what a pointer points to that begins at the offset or holds it."""
    dwarf = names.dwarf
    found = c_type.member_at(dwarf, c_type.pointed(dwarf, kind), offset, size)
    if found is None or c_type.UNNAMED not in found.holder:
        return found
    holder = c_type.type_name(dwarf, kind).removesuffix(" *").removeprefix("const ")
    return msgspec.structs.replace(found, holder=holder)


def _around(names: VariableNames, kind: DebugEntry | None, start: int) -> str | None:
    """Return the structure in what a pointer points to that lies at address 0, or None."""
    found = _inside(names, kind, _WRAP - start, 0) if _WRAP - start < NEAR else None
    if found is None or found.rest or not c_type.is_structure(found.entry):
        return None
    return clean_line(f"{found.holder}.{found.path}")


def _best(
    names: VariableNames, held: list[NamedValue], access: FaultingAccess
) -> NamedValue | None:
    """Return the variable in the register that explains the access best, or None."""
    ranked = [(_misfit(names, named, access), order) for order, named in enumerate(held)]
    return held[min(ranked)[1]] if ranked else None


def _misfit(names: VariableNames, named: NamedValue, access: FaultingAccess) -> tuple[bool, ...]:
    """Return how badly a variable explains the access: the lowest is the best.

    A function of a header is less telling than the one that it is inlined into.
    """
    points_to = c_type.pointed(names.dwarf, named.kind)
    offset = _signed(access.address - (access.value - named.add))
    inside = _inside(names, named.kind, offset, access.size)
    strange = c_type.is_structure(points_to) and inside is None
    is_pointer = c_type.is_pointer(names.dwarf, named.kind)
    return not is_pointer, strange, _is_elsewhere(names, named), named.add != 0


def _is_elsewhere(names: VariableNames, named: NamedValue) -> bool:
    """Return whether a variable is one of a function from a header, inlined here."""
    return bool(names.around) and named.file != names.around[0].file


def _used(
    names: VariableNames, named: NamedValue, inside: c_type.TypeMember | None, offset: int
) -> str | None:
    """Return how C writes what was accessed, or None where the type does not tell."""
    if inside is not None:
        return clean_line(f"{named.path}->{inside.path}")
    points_to = c_type.pointed(names.dwarf, named.kind)
    size = c_type.size_of(names.dwarf, points_to)
    if not size or c_type.is_structure(points_to) or offset % size:
        return None
    return clean_line(f"{named.path}[{offset // size}]" if offset else f"*{named.path}")


def _others(
    names: VariableNames, registers: Mapping[str, int], named: NamedValue | None
) -> tuple[Variable, ...]:
    """Return the other variables that registers held, the innermost function's first."""
    numbers = {
        number: value
        for name, value in registers.items()
        if (number := number_of(name, names.arch)) is not None
    }
    shown: list[Variable] = []
    for variable in names.here:
        if named and (variable.name, variable.function) == (named.path, named.function):
            continue
        if len(variable.places) != 1 or variable.places[0].size is not None:
            continue
        (place,) = variable.places
        size = c_type.size_of(names.dwarf, variable.kind)
        value = value_of(place, numbers)
        register = name_of(place.at.register if place.at.register is not None else -1, names.arch)
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
    return tuple(shown[:_MOST_OTHERS])


def _guess(names: VariableNames, access: FaultingAccess) -> Pointer | None:
    """Return the members that the access may have been to, by the types that are in use."""
    offset = _signed(access.address - access.value)
    found: list[str] = []
    for variable in names.here:
        inside = _inside(names, variable.kind, offset, access.size) if offset > 0 else None
        if inside and not inside.rest:
            found.append(clean_line(f"{inside.holder}.{inside.path}"))
    candidates = tuple(dict.fromkeys(found))[:_MOST_CANDIDATES]
    if not candidates or access.register is None:
        return None
    return Pointer(
        register=access.register,
        held=f"{access.value:#x}",
        value=f"{access.value:#x}",
        offset=offset,
        how="candidates",
        candidates=candidates,
        others=_others(names, access.registers, None),
    )


def _signed(number: int) -> int:
    number %= _WRAP
    return number - _WRAP if number >> 63 else number
