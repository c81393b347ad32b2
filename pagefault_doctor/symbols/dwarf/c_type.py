"""DWARF types as C writes them, and the member of a structure at an offset (section 5)."""

from __future__ import annotations

from typing import Final

import msgspec

from pagefault_doctor.symbols.dwarf.entry import DebugEntry, Dwarf

_ARRAY, _CLASS, _ENUM, _MEMBER, _POINTER, _STRUCT = 0x01, 0x02, 0x04, 0x0D, 0x0F, 0x13
_SUBROUTINE, _TYPEDEF, _UNION, _SUBRANGE, _BASE = 0x15, 0x16, 0x17, 0x21, 0x24
_CONST, _VOLATILE, _RESTRICT, _ATOMIC = 0x26, 0x35, 0x37, 0x47
_PARAMETER: Final = 0x05
_QUALIFIERS: Final = {_CONST: "const", _VOLATILE: "volatile", _RESTRICT: "restrict"}
_PREFIX: Final = {_STRUCT: "struct", _CLASS: "struct", _UNION: "union", _ENUM: "enum"}
_NAME, _BYTE_SIZE, _BIT_SIZE, _UPPER, _COUNT = 0x03, 0x0B, 0x0D, 0x2F, 0x37
_DECLARATION, _TYPE, _MEMBER_AT, _BITS_AT = 0x3C, 0x49, 0x38, 0x6B
_MAX_DEPTH: Final = 24
"""Types nested deeper than this are a loop in a damaged file."""
UNNAMED: Final = "{...}"
"""Printed for the name of an anonymous structure."""


class TypeMember(msgspec.Struct, frozen=True):
    """The member of a type at an offset. `path` is what follows `->`, `holder` the type's name.

    `rest` is the number of bytes from the start of the member to the offset, `entry` its type.
    """

    path: str
    holder: str
    rest: int
    entry: DebugEntry | None


def type_of(dwarf: Dwarf, entry: DebugEntry | None) -> DebugEntry | None:
    """Return the type of an entry, without typedefs and qualifiers, or None."""
    return strip_qualifiers(dwarf, dwarf.reference(entry, _TYPE)) if entry is not None else None


def strip_qualifiers(dwarf: Dwarf, entry: DebugEntry | None) -> DebugEntry | None:
    """Return a type without its typedefs and qualifiers."""
    for _ in range(_MAX_DEPTH):
        if entry is None or entry.tag not in (*_QUALIFIERS, _TYPEDEF, _ATOMIC):
            return entry
        entry = dwarf.reference(entry, _TYPE)
    return None


def pointed_type(dwarf: Dwarf, entry: DebugEntry | None) -> DebugEntry | None:
    """Return the type that a pointer points to; None if it is no pointer, or points to void."""
    found = strip_qualifiers(dwarf, entry)
    return type_of(dwarf, found) if found is not None and found.tag == _POINTER else None


def is_pointer(dwarf: Dwarf, entry: DebugEntry | None) -> bool:
    """Return whether a type is that of a pointer."""
    found = strip_qualifiers(dwarf, entry)
    return found is not None and found.tag == _POINTER


def is_structure(entry: DebugEntry | None) -> bool:
    """Return whether a bare type has members."""
    return entry is not None and entry.tag in (_STRUCT, _CLASS, _UNION)


def type_name(dwarf: Dwarf, entry: DebugEntry | None, depth: int = 0) -> str:
    """Return a type as C writes it, such as `struct device_state *`."""
    if entry is None:
        return "void"
    if depth > _MAX_DEPTH:
        return "..."
    name = dwarf.text(entry, _NAME)
    if entry.tag in _PREFIX:
        return f"{_PREFIX[entry.tag]} {name or UNNAMED}"
    if entry.tag in (_BASE, _TYPEDEF) and name:
        return name
    below = dwarf.reference(entry, _TYPE)
    if entry.tag == _POINTER:
        return _pointer(dwarf, below, depth)
    inner = type_name(dwarf, below, depth + 1)
    if entry.tag in _QUALIFIERS:
        word = _QUALIFIERS[entry.tag]
        return f"{inner} {word}" if inner.endswith("*") else f"{word} {inner}"
    return f"{inner} []" if entry.tag == _ARRAY else name or inner


def _pointer(dwarf: Dwarf, below: DebugEntry | None, depth: int) -> str:
    if below is not None and below.tag == _SUBROUTINE:
        given = (
            type_name(dwarf, dwarf.reference(child, _TYPE), depth + 1)
            for child in below.unit.children(below)
            if child.tag == _PARAMETER
        )
        returned = type_name(dwarf, dwarf.reference(below, _TYPE), depth + 1)
        return f"{returned} (*)({', '.join(given) or 'void'})"
    inner = type_name(dwarf, below, depth + 1)
    return f"{inner}*" if inner.endswith("*") else f"{inner} *"


def size_of(dwarf: Dwarf, entry: DebugEntry | None, depth: int = 0) -> int | None:
    """Return the size of a type in bytes, or None if DWARF does not give it."""
    found = strip_qualifiers(dwarf, entry)
    if found is None or depth > _MAX_DEPTH:
        return None
    size = found.number(_BYTE_SIZE)
    if size is not None or found.tag != _ARRAY:
        return size if size is not None or found.tag != _POINTER else 8
    total, lengths = size_of(dwarf, dwarf.reference(found, _TYPE), depth + 1), _lengths(found)
    if len(lengths) > _MAX_DEPTH:
        return None
    for length in lengths:
        total = total * length if total is not None and length is not None else None
    return total


def _lengths(array: DebugEntry) -> list[int | None]:
    """Return the length of each dimension; None for a flexible array."""
    found: list[int | None] = []
    for child in array.unit.children(array):
        if child.tag == _SUBRANGE:
            last, count = child.number(_UPPER), child.number(_COUNT)
            length = count if count is not None else None if last is None else last + 1
            found.append(length if length is not None and length < 1 << 32 else None)
    return found


def member_at(
    dwarf: Dwarf, structure: DebugEntry | None, offset: int, size: int = 0
) -> TypeMember | None:
    """Return the member that begins at an offset of a type or contains it, or None.

    `size` is the number of bytes accessed (0 if unknown); it decides between members of a union.
    """
    if not is_structure(structure) or structure is None or structure.number(_DECLARATION):
        return None
    return _member(dwarf, structure, offset, size, "", type_name(dwarf, structure), 0)


def _member(
    dwarf: Dwarf, structure: DebugEntry, offset: int, size: int, path: str, holder: str, depth: int
) -> TypeMember | None:
    fitting = [
        found
        for member, start in _members(structure)
        if depth < _MAX_DEPTH and start <= offset
        if (found := _inside(dwarf, member, offset - start, size, path, holder, depth)) is not None
    ]
    return min(fitting, key=lambda found: _misfit(dwarf, found, size), default=None)


def _misfit(dwarf: Dwarf, found: TypeMember, size: int) -> tuple[bool, bool]:
    return found.rest != 0, bool(size) and size_of(dwarf, found.entry) != size


def _members(structure: DebugEntry) -> list[tuple[DebugEntry, int]]:
    """Return the members with their offsets; bit fields with that of their first byte."""
    found = []
    for child in structure.unit.children(structure):
        if child.tag == _MEMBER:
            bits, start = child.number(_BITS_AT), child.number(_MEMBER_AT)
            if start is None and _MEMBER_AT in child.attributes:
                continue  # An expression; current compilers do not write it.
            found.append((child, start if start is not None else (bits or 0) // 8))
    return found


def _inside(
    dwarf: Dwarf, member: DebugEntry, offset: int, size: int, path: str, holder: str, depth: int
) -> TypeMember | None:
    """Return what is at an offset of a member, or None beyond its end."""
    kind = type_of(dwarf, member)
    length = size_of(dwarf, kind)
    is_open = kind is not None and kind.tag == _ARRAY and not length
    if kind is None or (length is not None and offset >= length and not is_open):
        return None
    if length is None and not is_open and offset:
        return None
    name = dwarf.text(member, _NAME)
    if name:
        path = f"{path}.{name}" if path else name
    if is_structure(kind) and (offset or not name):
        return _member(dwarf, kind, offset, size, path, holder, depth + 1)
    if kind.tag == _ARRAY and (offset or is_open):
        return _element(dwarf, kind, offset, size, path, holder, depth)
    return TypeMember(path, holder, offset, kind) if path else None


def _element(
    dwarf: Dwarf, array: DebugEntry, offset: int, size: int, path: str, holder: str, depth: int
) -> TypeMember | None:
    kind = type_of(dwarf, array)
    step = size_of(dwarf, kind)
    if not step or len(_lengths(array)) != 1 or kind is None:
        return TypeMember(path, holder, offset, array)
    path, rest = f"{path}[{offset // step}]", offset % step
    if is_structure(kind) and rest:
        return _member(dwarf, kind, rest, size, path, holder, depth + 1)
    return TypeMember(path, holder, rest, kind)
