"""The bad pointer in the source: which variable was in the register that the access went through.

DWARF tells where each variable lives at an instruction, and the report prints what the registers
held there. Where no variable lives in the register, the loads just before are followed back to one
that does (see `backwards`). What cannot be told for sure is not told.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from pagefault_doctor.model.pointer import InlinedCall, Pointer
from pagefault_doctor.model.pointer import Variable as Shown
from pagefault_doctor.model.untrusted import clean_line
from pagefault_doctor.symbols import dwarf_type
from pagefault_doctor.symbols.access import Access
from pagefault_doctor.symbols.backwards import Code, Origin
from pagefault_doctor.symbols.dwarf_entry import Dwarf, Entry
from pagefault_doctor.symbols.dwarf_place import Place, name_of, number_of, value_of
from pagefault_doctor.symbols.dwarf_scope import (
    Scope,
    Variable,
    scopes,
    statics,
    unit_at,
    variables,
)
from pagefault_doctor.symbols.sections import Sections

_WRAP: Final = 1 << 64
_MOST_OTHERS: Final = 8
_MOST_LOADS: Final = 3
_MOST_STEPS: Final = 12
_MOST_CANDIDATES: Final = 3
_WORD: Final = 8


class Named(msgspec.Struct, frozen=True):
    """An expression of the source whose value plus `add` is that of a register.

    `path` is how C writes it, `kind` its type, `function` the one whose variable it begins with.
    `member` names the last member on the way, in its structure.
    """

    path: str
    kind: Entry | None
    function: str | None
    add: int = 0
    loads: int = 0
    callee: str | None = None


class Finder:
    """What the debug information of one file says of one place in its code."""

    def __init__(self, sections: Sections, arch: str, section: int, at: int) -> None:
        self._sections, self._arch = sections, arch
        self.dwarf = Dwarf(sections)
        self.address = sections.place(section, at)
        self.root = unit_at(self.dwarf, self.address)
        self.around: tuple[Scope, ...] = (
            scopes(self.dwarf, self.root, self.address) if self.root else ()
        )

    def pointer(self, access: Access, code: Code | None, at: int) -> Pointer | None:
        """Return the pointer that an access went through, or None where nothing can be said.

        `code` are the instructions of the function, `at` is the faulting one's offset there.
        """
        here = tuple(variables(self.dwarf, self.around, self.address))
        self._code, self._steps = code, 0
        named = self._in_register(access, here) or self._traced(access.register, at, 0)
        shown = self._others(here, access.registers, named)
        if named is None:
            return self._guessed(access, here, shown)
        start = (access.value - named.add) % _WRAP
        offset = _signed(access.address - start)
        inside = self._inside(named.kind, offset, access.size)
        return Pointer(
            register=access.register,
            held=f"{access.value:#x}",
            value=f"{start:#x}",
            offset=offset,
            how="load" if named.loads else "location",
            name=clean_line(named.path),
            type=self._type(named.kind),
            access=self._used(named, inside, offset),
            member=clean_line(f"{inside.holder}.{inside.path}") if inside else None,
            function=clean_line(named.function) if named.function else None,
            returned_by=clean_line(named.callee) if named.callee else self._callee(access, at),
            others=shown,
        )

    def _type(self, kind: Entry | None) -> str:
        return clean_line(dwarf_type.type_name(self.dwarf, kind))

    def _inside(self, kind: Entry | None, offset: int, size: int) -> dwarf_type.Member | None:
        """Return the member of what a pointer points to that begins at the offset or holds it."""
        return dwarf_type.member_at(self.dwarf, dwarf_type.pointed(self.dwarf, kind), offset, size)

    def _used(self, named: Named, inside: dwarf_type.Member | None, offset: int) -> str | None:
        """Return how C writes what was accessed, or None where the type does not tell."""
        if inside is not None:
            return clean_line(f"{named.path}->{inside.path}")
        points_to = dwarf_type.pointed(self.dwarf, named.kind)
        size = dwarf_type.size_of(self.dwarf, points_to)
        if not size or dwarf_type.is_structure(points_to) or offset % size:
            return None
        return clean_line(f"{named.path}[{offset // size}]" if offset else f"*{named.path}")

    def _in_register(self, access: Access, here: Iterable[Variable]) -> Named | None:
        """Return the variable that the register held, the one that explains the access best."""
        number = number_of(access.register, self._arch)
        fitting = []
        for order, variable in enumerate(here):
            for place in variable.places:
                if not place.in_memory and place.at.register == number:
                    named = self._held(variable, place)
                    if named is not None:
                        fitting.append((self._rank(named, variable, access), order, named))
        return min(fitting, key=lambda found: found[:2])[2] if fitting else None

    def _held(self, variable: Variable, place: Place) -> Named | None:
        path, kind, add = variable.name, variable.kind, -place.at.offset
        if dwarf_type.is_structure(dwarf_type.bare(self.dwarf, kind)):
            # A structure by value, one word of it in the register.
            part = dwarf_type.member_at(
                self.dwarf, dwarf_type.bare(self.dwarf, kind), place.start, _WORD
            )
            if part is None or part.rest:
                return None
            path, kind = f"{path}.{part.path}", part.entry
        elif place.start or place.size not in (None, _WORD):
            return None
        if not self._may_point(kind):
            return None
        return Named(path, kind, variable.function, add)

    def _may_point(self, kind: Entry | None) -> bool:
        return dwarf_type.size_of(self.dwarf, kind) == _WORD and not dwarf_type.is_structure(
            dwarf_type.bare(self.dwarf, kind)
        )

    def _rank(self, named: Named, variable: Variable, access: Access) -> tuple[bool, ...]:
        """Return how badly a variable explains the access: the lowest is the best."""
        points_to = dwarf_type.pointed(self.dwarf, named.kind)
        offset = _signed(access.address - (access.value - named.add))
        inside = self._inside(named.kind, offset, access.size)
        strange = dwarf_type.is_structure(points_to) and inside is None
        elsewhere = bool(self.around) and variable.file != self.around[0].file
        return not dwarf_type.is_pointer(self.dwarf, named.kind), strange, elsewhere, named.add != 0

    def _traced(self, register: str | None, at: int, loads: int) -> Named | None:
        """Return what the register's value was loaded or copied from, in the source's words."""
        self._steps += 1
        if self._code is None or register is None or self._steps > _MOST_STEPS:
            return None
        origin = self._code.origin(register, at)
        if origin is None or origin.how == "call":
            return None
        if origin.how == "copy":
            found = self._before(origin, loads)
            return msgspec.structs.replace(found, add=found.add + origin.add) if found else None
        if loads >= _MOST_LOADS:
            return None
        if origin.register is None:
            return self._static(origin.add, loads)
        holder = self._before(origin, loads + 1)
        return self._through(holder, origin.add) if holder else None

    def _before(self, origin: Origin, loads: int) -> Named | None:
        """Return what the register of an origin held when its instruction began."""
        number = number_of(origin.register or "", self._arch)
        for variable in variables(self.dwarf, self.around, origin.at):
            for place in variable.places:
                if not place.in_memory and place.at.register == number:
                    named = self._held(variable, place)
                    if named and dwarf_type.is_pointer(self.dwarf, named.kind):
                        return named
        return self._traced(origin.register, self._offset(origin.at), loads)

    def _offset(self, address: int) -> int:
        return address - self._sections.place(address >> 40, 0)

    def _through(self, holder: Named, offset: int) -> Named | None:
        """Return the member that a load from a pointer plus an offset read."""
        inside = self._inside(holder.kind, offset + holder.add, _WORD)
        if inside is None or inside.rest or not self._may_point(inside.entry):
            return None
        path = f"{holder.path}->{inside.path}"
        return Named(path, inside.entry, holder.function, loads=holder.loads + 1)

    def _static(self, place: int, loads: int) -> Named | None:
        """Return the variable of the module at a place, or the member of it that lies there."""
        if self.root is None:
            return None
        for name, kind, offset in statics(self.dwarf, self.root, place):
            bare = dwarf_type.bare(self.dwarf, kind)
            if not dwarf_type.is_structure(bare):
                if offset == 0 and self._may_point(kind):
                    return Named(name, kind, None, loads=loads + 1)
                continue
            part = dwarf_type.member_at(self.dwarf, bare, offset, _WORD)
            if part and not part.rest and self._may_point(part.entry):
                return Named(f"{name}.{part.path}", part.entry, None, loads=loads + 1)
        return None

    def _callee(self, access: Access, at: int) -> str | None:
        """Return the function whose result the register still holds, or None."""
        register: str | None = access.register
        for _ in range(_MOST_STEPS):
            origin = self._code.origin(register, at) if self._code and register else None
            if origin is None or origin.how == "load":
                return None
            if origin.how == "call":
                return clean_line(origin.callee) if origin.callee else None
            if origin.add:
                return None
            register, at = origin.register, self._offset(origin.at)
        return None

    def _others(
        self, here: Iterable[Variable], values: Mapping[str, int], named: Named | None
    ) -> tuple[Shown, ...]:
        numbers = {
            number: value
            for name, value in values.items()
            if (number := number_of(name, self._arch)) is not None
        }
        shown: list[Shown] = []
        for variable in here:
            if named and (variable.name, variable.function) == (named.path, named.function):
                continue
            if len(variable.places) != 1 or variable.places[0].size is not None:
                continue
            (place,) = variable.places
            size = dwarf_type.size_of(self.dwarf, variable.kind)
            value = value_of(place, numbers)
            register = (
                name_of(place.at.register, self._arch) if place.at.register is not None else None
            )
            if value is None or register is None or not size or size > _WORD:
                continue
            value &= (1 << 8 * size) - 1
            shown.append(
                Shown(
                    clean_line(variable.name),
                    self._type(variable.kind),
                    register,
                    f"{value:#x}",
                    clean_line(variable.function),
                )
            )
        return tuple(shown[:_MOST_OTHERS])

    def _guessed(
        self, access: Access, here: Iterable[Variable], shown: tuple[Shown, ...]
    ) -> Pointer | None:
        """Return the members that the access may have been to, by the types that are in use."""
        offset = _signed(access.address - access.value)
        found: list[str] = []
        for variable in here:
            inside = self._inside(variable.kind, offset, access.size) if offset > 0 else None
            if inside and not inside.rest:
                found.append(clean_line(f"{inside.holder}.{inside.path}"))
        candidates = tuple(dict.fromkeys(found))[:_MOST_CANDIDATES]
        if not candidates:
            return None
        return Pointer(
            register=access.register,
            held=f"{access.value:#x}",
            value=f"{access.value:#x}",
            offset=offset,
            how="candidates",
            candidates=candidates,
            others=shown,
        )

    def inlined(self, files: Mapping[int, str]) -> tuple[InlinedCall, ...]:
        """Return the functions that are inlined at the place, by the names of the unit's files."""
        return tuple(
            InlinedCall(clean_line(scope.name), files.get(scope.call_file or -1), scope.call_line)
            for scope in self.around[1:]
        )


def _signed(number: int) -> int:
    number %= _WRAP
    return number - _WRAP if number >> 63 else number
