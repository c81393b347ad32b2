"""The source expression for the value of a register: a variable, or a member reached from one.

DWARF describes where each variable lives at an instruction. If none lives in the register, the
preceding loads and copies are followed back to a register that holds one (see `value_origin`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from pagefault_doctor.symbols.dwarf import c_type
from pagefault_doctor.symbols.dwarf.entry import DebugEntry, Dwarf
from pagefault_doctor.symbols.dwarf.location import VariableLocation, register_number
from pagefault_doctor.symbols.dwarf.scope import (
    Scope,
    ScopeVariable,
    find_unit,
    scopes,
    static_variables,
    variables,
)
from pagefault_doctor.symbols.elf_sections import Sections
from pagefault_doctor.symbols.function_code import FunctionCode
from pagefault_doctor.symbols.value_origin import TracedValue, origin_in_function

WORD: Final = 8
"""Bytes of a pointer."""
_MAX_LOADS: Final = 3
_MAX_STEPS: Final = 12


class NamedValue(msgspec.Struct, frozen=True):
    """A C expression; its value plus `add` is what a register holds.

    `kind` is its type, `function` the function whose variable it begins with, `file` the number of
    the file that declares that function. `loads` counts the members that it passes through.
    """

    path: str
    kind: DebugEntry | None
    function: str | None
    file: int | None = None
    add: int = 0
    loads: int = 0


class VariableNames:
    """The scopes and variables at one location in the code, from the debug information of a file.

    Every method raises what `module_file.elf_errors` lists.
    """

    def __init__(self, sections: Sections, arch: str, section: int, at: int) -> None:
        self.arch = arch
        self.dwarf = Dwarf(sections)
        self.at = at
        self.address = sections.place(section, at)
        self.root = find_unit(self.dwarf, self.address)
        self.around: tuple[Scope, ...] = (
            scopes(self.dwarf, self.root, self.address) if self.root else ()
        )
        self.here = tuple(variables(self.dwarf, self.around, self.address))
        self._section_at = sections.place(section, 0)
        self._steps = 0

    def in_register(self, register: str, address: int) -> Iterator[NamedValue]:
        """Yield the variables that a register held before the instruction at an address ran.

        Only variables that can hold a pointer; those of the innermost function come first.
        """
        number = register_number(register, self.arch)
        here = self.here if address == self.address else None
        for variable in here or variables(self.dwarf, self.around, address):
            for location in variable.locations:
                if not location.in_memory and location.at.register == number is not None:
                    named = self._value_at(variable, location)
                    if named is not None:
                        yield named

    def _value_at(self, variable: ScopeVariable, location: VariableLocation) -> NamedValue | None:
        """Return what a location holds of a variable, or None if that is no pointer."""
        path, kind, add = variable.name, variable.kind, -location.at.offset
        bare = c_type.strip_qualifiers(self.dwarf, kind)
        if c_type.is_structure(bare):
            # A structure by value, one word of it in the register.
            part = c_type.member_at(self.dwarf, bare, location.start, WORD)
            if part is None or part.rest:
                return None
            path, kind = f"{path}.{part.path}", part.entry
        elif location.start or location.size not in (None, WORD):
            return None
        if not self._can_be_pointer(kind):
            return None
        return NamedValue(path, kind, variable.function, variable.file, add)

    def _can_be_pointer(self, kind: DebugEntry | None) -> bool:
        bare = c_type.strip_qualifiers(self.dwarf, kind)
        return c_type.size_of(self.dwarf, bare) == WORD and not c_type.is_structure(bare)

    def traced(
        self, code: FunctionCode | None, register: str, at: int, loads: int = 0
    ) -> NamedValue | None:
        """Return what a register's value was loaded or copied from before an offset, or None."""
        self._steps += 1
        if code is None or self._steps > _MAX_STEPS:
            return None
        came = origin_in_function(code, register, at)
        if came is None or came.how in ("call", "entry"):
            return None
        if came.how == "copy":
            found = self._before(code, came, loads)
            return msgspec.structs.replace(found, add=found.add + came.add) if found else None
        if loads >= _MAX_LOADS:
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
        """Return the pointer member at `offset` from what a register held, or None."""
        inside = c_type.member_at(
            self.dwarf, c_type.pointed_type(self.dwarf, holder.kind), offset + holder.add, WORD
        )
        if inside is None or inside.rest or not self._can_be_pointer(inside.entry):
            return None
        path = f"{holder.path}->{inside.path}"
        return NamedValue(path, inside.entry, holder.function, holder.file, loads=holder.loads + 1)

    def _static(self, address: int) -> NamedValue | None:
        """Return the module's variable at an address, or its member there."""
        if self.root is None:
            return None
        for name, kind, offset in static_variables(self.dwarf, self.root, address):
            bare = c_type.strip_qualifiers(self.dwarf, kind)
            if not c_type.is_structure(bare):
                if offset == 0 and self._can_be_pointer(kind):
                    return NamedValue(name, kind, None, loads=1)
                continue
            part = c_type.member_at(self.dwarf, bare, offset, WORD)
            if part and not part.rest and self._can_be_pointer(part.entry):
                return NamedValue(f"{name}.{part.path}", part.entry, None, loads=1)
        return None

    def callee(self, code: FunctionCode | None, register: str, at: int) -> str | None:
        """Return the function whose result a register still holds at an offset, or None."""
        for _ in range(_MAX_STEPS):
            came = origin_in_function(code, register, at) if code else None
            if came is None or came.how in ("load", "entry") or came.add:
                return None
            if came.how == "call" or came.register is None:
                return came.callee
            register, at = came.register, came.at
        return None
