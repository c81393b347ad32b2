"""What the source calls the value of a register: a variable, or a member reached from one.

DWARF tells where each variable lives at an instruction. Where none lives in the register, the loads
and copies just before are followed back to one that does (see `backwards`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from pagefault_doctor.symbols.dwarf import c_type
from pagefault_doctor.symbols.dwarf.entry import DebugEntry, Dwarf
from pagefault_doctor.symbols.dwarf.location import VariableLocation, number_of
from pagefault_doctor.symbols.dwarf.scope import (
    Scope,
    ScopeVariable,
    scopes,
    statics,
    unit_at,
    variables,
)
from pagefault_doctor.symbols.elf_sections import Sections
from pagefault_doctor.symbols.function_code import FunctionCode
from pagefault_doctor.symbols.value_origin import TracedValue, origin_in_function

WORD: Final = 8
"""Bytes of a pointer."""
_MOST_LOADS: Final = 3
_MOST_STEPS: Final = 12


class NamedValue(msgspec.Struct, frozen=True):
    """An expression of the source whose value plus `add` is that of a register.

    `path` is how C writes it, `kind` its type, `function` the one whose variable it begins with,
    `file` the number of the file that declares that. `loads` counts the members on the way.
    """

    path: str
    kind: DebugEntry | None
    function: str | None
    file: int | None = None
    add: int = 0
    loads: int = 0


class VariableNames:
    """What the debug information of one file says of one place in its code.

    Every method raises what `module_file.broken` lists.
    """

    def __init__(self, sections: Sections, arch: str, section: int, at: int) -> None:
        self.arch = arch
        self.dwarf = Dwarf(sections)
        self.at = at
        self.address = sections.place(section, at)
        self.root = unit_at(self.dwarf, self.address)
        self.around: tuple[Scope, ...] = (
            scopes(self.dwarf, self.root, self.address) if self.root else ()
        )
        self.here = tuple(variables(self.dwarf, self.around, self.address))
        self._section_at = sections.place(section, 0)
        self._steps = 0

    def in_register(self, register: str, address: int) -> Iterator[NamedValue]:
        """Yield the variables that a register held when the instruction there began.

        Only those that may be a pointer are among them; the innermost function's come first.
        """
        number = number_of(register, self.arch)
        here = self.here if address == self.address else None
        for variable in here or variables(self.dwarf, self.around, address):
            for place in variable.places:
                if not place.in_memory and place.at.register == number is not None:
                    named = self._held(variable, place)
                    if named is not None:
                        yield named

    def _held(self, variable: ScopeVariable, place: VariableLocation) -> NamedValue | None:
        """Return what a place holds of a variable, or None where that is no pointer."""
        path, kind, add = variable.name, variable.kind, -place.at.offset
        bare = c_type.bare(self.dwarf, kind)
        if c_type.is_structure(bare):
            # A structure by value, one word of it in the register.
            part = c_type.member_at(self.dwarf, bare, place.start, WORD)
            if part is None or part.rest:
                return None
            path, kind = f"{path}.{part.path}", part.entry
        elif place.start or place.size not in (None, WORD):
            return None
        if not self._may_point(kind):
            return None
        return NamedValue(path, kind, variable.function, variable.file, add)

    def _may_point(self, kind: DebugEntry | None) -> bool:
        bare = c_type.bare(self.dwarf, kind)
        return c_type.size_of(self.dwarf, bare) == WORD and not c_type.is_structure(bare)

    def traced(
        self, code: FunctionCode | None, register: str, at: int, loads: int = 0
    ) -> NamedValue | None:
        """Return what a register's value was loaded or copied from before an offset, or None."""
        self._steps += 1
        if code is None or self._steps > _MOST_STEPS:
            return None
        came = origin_in_function(code, register, at)
        if came is None or came.how in ("call", "entry"):
            return None
        if came.how == "copy":
            found = self._before(code, came, loads)
            return msgspec.structs.replace(found, add=found.add + came.add) if found else None
        if loads >= _MOST_LOADS:
            return None
        if came.register is None:
            return self._static(came.add)
        holder = self._before(code, came, loads + 1)
        return self.through(holder, came.add) if holder else None

    def _before(self, code: FunctionCode, came: TracedValue, loads: int) -> NamedValue | None:
        """Return what the register of an origin held when its instruction began."""
        register = came.register or ""
        pointers = (
            named
            for named in self.in_register(register, self._section_at + came.at)
            if c_type.is_pointer(self.dwarf, named.kind)
        )
        return next(pointers, None) or self.traced(code, register, came.at, loads)

    def through(self, holder: NamedValue, offset: int) -> NamedValue | None:
        """Return the member that lies at a register plus an offset, by what the register held."""
        inside = c_type.member_at(
            self.dwarf, c_type.pointed(self.dwarf, holder.kind), offset + holder.add, WORD
        )
        if inside is None or inside.rest or not self._may_point(inside.entry):
            return None
        path = f"{holder.path}->{inside.path}"
        return NamedValue(path, inside.entry, holder.function, holder.file, loads=holder.loads + 1)

    def _static(self, place: int) -> NamedValue | None:
        """Return the variable of the module at a place, or the member of it that lies there."""
        if self.root is None:
            return None
        for name, kind, offset in statics(self.dwarf, self.root, place):
            bare = c_type.bare(self.dwarf, kind)
            if not c_type.is_structure(bare):
                if offset == 0 and self._may_point(kind):
                    return NamedValue(name, kind, None, loads=1)
                continue
            part = c_type.member_at(self.dwarf, bare, offset, WORD)
            if part and not part.rest and self._may_point(part.entry):
                return NamedValue(f"{name}.{part.path}", part.entry, None, loads=1)
        return None

    def callee(self, code: FunctionCode | None, register: str, at: int) -> str | None:
        """Return the function whose result a register still holds at an offset, or None."""
        for _ in range(_MOST_STEPS):
            came = origin_in_function(code, register, at) if code else None
            if came is None or came.how in ("load", "entry") or came.add:
                return None
            if came.how == "call" or came.register is None:
                return came.callee
            register, at = came.register, came.at
        return None
