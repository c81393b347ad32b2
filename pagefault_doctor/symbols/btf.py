"""Types in BTF, which kernels keep when their DWARF is stripped (`Documentation/bpf/btf.rst`).

A module has split BTF: its type numbers and string offsets continue those of the kernel, so it
can only be read together with the BTF of exactly that kernel.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final, NamedTuple

from pagefault_doctor.symbols.elf_sections import DamagedElf, text_at

_MAGIC: Final = 0xEB9F
_HEADER: Final = struct.Struct("<HBBIIIII")
_TYPE: Final = struct.Struct("<III")
_MEMBER: Final = struct.Struct("<III")
_PARAMETER: Final = struct.Struct("<II")
PTR, ARRAY, STRUCT, UNION, FUNC, FUNC_PROTO = 2, 3, 4, 5, 12, 13
_INT, _ENUM, _FWD, _TYPEDEF, _FLOAT, _ENUM64 = 1, 6, 7, 8, 16, 19
_QUALIFIERS: Final = {9: "volatile ", 10: "const ", 11: "restrict ", 18: ""}
_EXTRA: Final = {1: 4, 3: 12, 14: 4, 17: 4}
"""Bytes that follow a type of that kind."""
_EXTRA_EACH: Final = {4: 12, 5: 12, 6: 8, 13: 8, 15: 12, 19: 12}
"""Bytes that follow for each member, parameter or enumerator of a type of that kind."""
_LAST_KIND: Final = 19
_MAX_MEMBERS: Final = 600_000
"""Members that are read of one file: structures in structures in a damaged one have no end."""
_MAX_DEPTH: Final = 24
"""Types nested deeper than this are a loop in a damaged file."""


class BtfType(NamedTuple):
    """One type. `length` counts its members, parameters or enumerators.

    `size_or_type` is its size in bytes or the number of the type it refers to, `has_bits` the
    kind_flag of the header (bit fields), `at` the offset of its record in the data.
    """

    kind: int
    name: str
    length: int
    size_or_type: int
    has_bits: bool
    at: int


class BtfMember(NamedTuple):
    """A member or a parameter: name, type number, and offset in bytes."""

    name: str
    type: int
    offset: int


class Btf:
    """The types of one file; for a module, `base` has those of the kernel.

    Raises DamagedElf, or what `module_file.elf_errors` lists, if the data is not valid BTF.
    """

    def __init__(self, data: bytes, base: Btf | None = None) -> None:
        magic, _, _, length, types, types_size, strings, strings_size = _HEADER.unpack_from(data)
        if magic != _MAGIC:
            raise DamagedElf("no BTF")
        self._base, self._data = base, data
        self._left = _MAX_MEMBERS
        self._strings = data[length + strings : length + strings + strings_size]
        self._first_string = base.strings_end if base else 0
        self._first = base.count if base else 1
        self._starts = self._find_types(length + types, length + types + types_size)

    @property
    def count(self) -> int:
        """The number that the next type would get."""
        return self._first + len(self._starts)

    @property
    def strings_end(self) -> int:
        """The string offset at which the strings of a module start."""
        return self._first_string + len(self._strings)

    def _find_types(self, at: int, end: int) -> list[int]:
        starts = []
        while at + _TYPE.size <= end:
            starts.append(at)
            info = int.from_bytes(self._data[at + 4 : at + 8], "little")
            kind, count = info >> 24 & 0x1F, info & 0xFFFF
            if not 0 < kind <= _LAST_KIND:
                raise DamagedElf(f"BTF of kind {kind}")
            at += _TYPE.size + _EXTRA.get(kind, 0) + _EXTRA_EACH.get(kind, 0) * count
        return starts

    def _string(self, at: int) -> str:
        if at < self._first_string and self._base:
            return self._base._string(at)
        return text_at(self._strings, at - self._first_string)

    def kind(self, number: int) -> BtfType:
        """Return a type by its number; type 0 is void."""
        if number < self._first:
            if self._base is None or not number:
                return BtfType(0, "void", 0, 0, False, 0)
            return self._base.kind(number)
        at = self._starts[number - self._first]
        name, info, last = _TYPE.unpack_from(self._data, at)
        return BtfType(
            info >> 24 & 0x1F, self._string(name), info & 0xFFFF, last, bool(info >> 31), at
        )

    def _owner(self, number: int) -> Btf:
        return self if number >= self._first or self._base is None else self._base._owner(number)

    def strip_qualifiers(self, number: int) -> int:
        """Return the number of a type without its typedefs and qualifiers."""
        for _ in range(_MAX_DEPTH):
            found = self.kind(number)
            if found.kind != _TYPEDEF and found.kind not in _QUALIFIERS:
                return number
            number = found.size_or_type
        return 0

    def members(self, number: int) -> list[BtfMember]:
        """Return the members of a structure, or the parameters of a function type."""
        found, data = self.kind(number), self._owner(number)._data
        at = found.at + _TYPE.size
        self._left -= found.length
        if self._left < 0:
            raise DamagedElf("too many members of types")
        if found.kind == FUNC_PROTO:
            rows = (_PARAMETER.unpack_from(data, at + 8 * n) for n in range(found.length))
            return [BtfMember(self._string(name), kind, 0) for name, kind in rows]
        if found.kind not in (STRUCT, UNION):
            return []
        members = (_MEMBER.unpack_from(data, at + 12 * n) for n in range(found.length))
        # With bit fields, the upper 8 bits hold the width of the field.
        mask = 0xFFFFFF if found.has_bits else 0xFFFFFFFF
        return [
            BtfMember(self._string(name), kind, (bits & mask) // 8) for name, kind, bits in members
        ]

    def functions(self) -> Iterator[tuple[str, int]]:
        """Yield the name and type number of each function in this file."""
        for number in range(self._first, self.count):
            found = self.kind(number)
            if found.kind == FUNC:
                yield found.name, found.size_or_type

    def function(self, name: str) -> list[BtfMember] | None:
        """Return the parameters of a function, or None unless exactly one has that name."""
        found = [kind for other, kind in self.functions() if other == name]
        return self.members(found[0]) if len(found) == 1 else None

    def element(self, number: int) -> tuple[int, int]:
        """Return the type of an array's elements and their number."""
        at = self.kind(number).at + _TYPE.size
        kind, _, count = struct.unpack_from("<III", self._owner(number)._data, at)
        return kind, count

    def size(self, number: int, depth: int = 0) -> int:
        """Return the size of a type in bytes, or 0 if it has none or it is unknown."""
        number = self.strip_qualifiers(number)
        found = self.kind(number)
        if found.kind == PTR:
            return 8
        if found.kind == ARRAY and depth < _MAX_DEPTH:
            kind, count = self.element(number)
            return self.size(kind, depth + 1) * count
        return found.size_or_type if found.kind in _SIZED else 0

    def type_name(self, number: int, depth: int = 0) -> str:
        """Return a type as C writes it, such as `struct device_state *`."""
        found = self.kind(number)
        if found.kind in _PREFIX:
            return f"{_PREFIX[found.kind]} {found.name or '{...}'}"
        if found.kind == _FWD:
            return f"{'union' if found.has_bits else 'struct'} {found.name}"
        if depth > _MAX_DEPTH or found.name:
            return found.name or "..."
        if found.kind == PTR:
            inner = self.type_name(found.size_or_type, depth + 1)
            return f"{inner}*" if inner.endswith("*") else f"{inner} *"
        if found.kind in _QUALIFIERS:
            inner, word = self.type_name(found.size_or_type, depth + 1), _QUALIFIERS[found.kind]
            return f"{inner} {word}".rstrip() if inner.endswith("*") else f"{word}{inner}"
        return "function" if found.kind == FUNC_PROTO else "[]"

    def member_at(self, number: int, offset: int, size: int, depth: int = 0) -> BtfMember | None:
        """Return the member of a structure that begins at an offset, with its full path, or None.

        `size` is the number of bytes accessed (0 if unknown); it decides between members of a
        union.
        """
        fitting: list[BtfMember] = []
        for part in self.members(self.strip_qualifiers(number)):
            inner = offset - part.offset
            kind = self.strip_qualifiers(part.type)
            if inner < 0 or depth > _MAX_DEPTH or (inner and inner >= self.size(kind)):
                continue
            found = self._inside(part, kind, inner, size, depth)
            if found is not None:
                fitting.append(found)
        return min(fitting, key=lambda p: bool(size) and self.size(p.type) != size, default=None)

    def _inside(
        self, part: BtfMember, kind: int, inner: int, size: int, depth: int
    ) -> BtfMember | None:
        if self.kind(kind).kind in (STRUCT, UNION) and (inner or not part.name):
            below = self.member_at(kind, inner, size, depth + 1)
            if below is None:
                return None
            path = f"{part.name}.{below.name}" if part.name else below.name
            return BtfMember(path, below.type, part.offset)
        if inner and self.kind(kind).kind == ARRAY:
            return self._array_element(part, kind, inner, size, depth)
        return part if inner == 0 and part.name else None

    def _array_element(
        self, part: BtfMember, kind: int, inner: int, size: int, depth: int
    ) -> BtfMember | None:
        element, _ = self.element(kind)
        step = self.size(element)
        if not step:
            return None
        indexed = BtfMember(f"{part.name}[{inner // step}]", element, part.offset)
        return self._inside(indexed, self.strip_qualifiers(element), inner % step, size, depth + 1)


_PREFIX: Final = {STRUCT: "struct", UNION: "union", _ENUM: "enum", _ENUM64: "enum"}
_SIZED: Final = frozenset({_INT, STRUCT, UNION, _ENUM, _FLOAT, _ENUM64})
