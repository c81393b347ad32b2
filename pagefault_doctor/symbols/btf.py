"""Types in BTF, which kernels carry where DWARF was taken away (`Documentation/bpf/btf.rst`).

A module's types go on where those of the kernel end: numbers of types and places of texts count
from there (split BTF), so that its BTF cannot be read without that of the very same kernel.
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
"""Bytes behind a type of that kind, and for each of its parts."""
_EXTRA_EACH: Final = {4: 12, 5: 12, 6: 8, 13: 8, 15: 12, 19: 12}
_LAST_KIND: Final = 19
_DEEP: Final = 24


class BtfType(NamedTuple):
    """One type: its kind, name, how many parts it has, its size or the type it refers to."""

    kind: int
    name: str
    length: int
    size_or_type: int
    has_bits: bool
    at: int


class BtfMember(NamedTuple):
    """A member or a parameter: its name, the number of its type, its offset in bytes."""

    name: str
    type: int
    offset: int


class Btf:
    """The types of one file; `base` are those of the kernel, for a module.

    Raises Damaged, or what `module_file.broken` lists, where it is none.
    """

    def __init__(self, data: bytes, base: Btf | None = None) -> None:
        magic, _, _, length, types, types_size, texts, texts_size = _HEADER.unpack_from(data)
        if magic != _MAGIC:
            raise DamagedElf("no BTF")
        self._base, self._data = base, data
        self._texts = data[length + texts : length + texts + texts_size]
        self._first_text = base.end_of_texts if base else 0
        self._first = base.count if base else 1
        self._starts = self._find(length + types, length + types + types_size)

    @property
    def count(self) -> int:
        """The number that the next type would have."""
        return self._first + len(self._starts)

    @property
    def end_of_texts(self) -> int:
        """Where the texts of what builds on this begin."""
        return self._first_text + len(self._texts)

    def _find(self, at: int, end: int) -> list[int]:
        starts = []
        while at + _TYPE.size <= end:
            starts.append(at)
            info = int.from_bytes(self._data[at + 4 : at + 8], "little")
            kind, count = info >> 24 & 0x1F, info & 0xFFFF
            if not 0 < kind <= _LAST_KIND:
                raise DamagedElf(f"BTF of kind {kind}")
            at += _TYPE.size + _EXTRA.get(kind, 0) + _EXTRA_EACH.get(kind, 0) * count
        return starts

    def _text(self, at: int) -> str:
        if at < self._first_text and self._base:
            return self._base._text(at)
        return text_at(self._texts, at - self._first_text)

    def kind(self, number: int) -> BtfType:
        """Return a type by its number; number 0 is void."""
        if number < self._first:
            if self._base is None or not number:
                return BtfType(0, "void", 0, 0, False, 0)
            return self._base.kind(number)
        at = self._starts[number - self._first]
        name, info, last = _TYPE.unpack_from(self._data, at)
        return BtfType(
            info >> 24 & 0x1F, self._text(name), info & 0xFFFF, last, bool(info >> 31), at
        )

    def _holder(self, number: int) -> Btf:
        return self if number >= self._first or self._base is None else self._base._holder(number)

    def bare(self, number: int) -> int:
        """Return the number of a type without typedefs and qualifiers."""
        for _ in range(_DEEP):
            found = self.kind(number)
            if found.kind != _TYPEDEF and found.kind not in _QUALIFIERS:
                return number
            number = found.size_or_type
        return 0

    def parts(self, number: int) -> list[BtfMember]:
        """Return the members of a structure, or the parameters of a function's type."""
        found, data = self.kind(number), self._holder(number)._data
        at = found.at + _TYPE.size
        if found.kind == FUNC_PROTO:
            rows = (_PARAMETER.unpack_from(data, at + 8 * n) for n in range(found.length))
            return [BtfMember(self._text(name), kind, 0) for name, kind in rows]
        if found.kind not in (STRUCT, UNION):
            return []
        members = (_MEMBER.unpack_from(data, at + 12 * n) for n in range(found.length))
        # With bit fields about, the upper 8 bits are how wide a field is.
        mask = 0xFFFFFF if found.has_bits else 0xFFFFFFFF
        return [
            BtfMember(self._text(name), kind, (bits & mask) // 8) for name, kind, bits in members
        ]

    def functions(self) -> Iterator[tuple[str, int]]:
        """Yield the functions of this file: name, and the number of their type."""
        for number in range(self._first, self.count):
            found = self.kind(number)
            if found.kind == FUNC:
                yield found.name, found.size_or_type

    def function(self, name: str) -> list[BtfMember] | None:
        """Return the parameters of the only function of that name in this file, or None."""
        found = [kind for other, kind in self.functions() if other == name]
        return self.parts(found[0]) if len(found) == 1 else None

    def element(self, number: int) -> tuple[int, int]:
        """Return the type of an array's elements, and how many they are."""
        at = self.kind(number).at + _TYPE.size
        kind, _, count = struct.unpack_from("<III", self._holder(number)._data, at)
        return kind, count

    def size(self, number: int, deep: int = 0) -> int:
        """Return the size of a type in bytes, 0 where it has none or that is not known."""
        number = self.bare(number)
        found = self.kind(number)
        if found.kind == PTR:
            return 8
        if found.kind == ARRAY and deep < _DEEP:
            kind, count = self.element(number)
            return self.size(kind, deep + 1) * count
        return found.size_or_type if found.kind in _SIZED else 0

    def type_name(self, number: int, deep: int = 0) -> str:
        """Return how C writes a type, such as `struct device_state *`."""
        found = self.kind(number)
        if found.kind in _PREFIX:
            return f"{_PREFIX[found.kind]} {found.name or '{...}'}"
        if found.kind == _FWD:
            return f"{'union' if found.has_bits else 'struct'} {found.name}"
        if deep > _DEEP or found.name:
            return found.name or "..."
        if found.kind == PTR:
            inner = self.type_name(found.size_or_type, deep + 1)
            return f"{inner}*" if inner.endswith("*") else f"{inner} *"
        if found.kind in _QUALIFIERS:
            inner, word = self.type_name(found.size_or_type, deep + 1), _QUALIFIERS[found.kind]
            return f"{inner} {word}".rstrip() if inner.endswith("*") else f"{word}{inner}"
        return "function" if found.kind == FUNC_PROTO else "[]"

    def member_at(self, number: int, offset: int, size: int, deep: int = 0) -> BtfMember | None:
        """Return the member of a structure that begins at an offset, by its whole path, or None.

        `size` is how many bytes were used (0 where unknown): it chooses between those of a union.
        """
        fitting: list[BtfMember] = []
        for part in self.parts(self.bare(number)):
            inner = offset - part.offset
            kind = self.bare(part.type)
            if inner < 0 or deep > _DEEP or (inner and inner >= self.size(kind)):
                continue
            found = self._inside(part, kind, inner, size, deep)
            if found is not None:
                fitting.append(found)
        return min(fitting, key=lambda p: bool(size) and self.size(p.type) != size, default=None)

    def _inside(
        self, part: BtfMember, kind: int, inner: int, size: int, deep: int
    ) -> BtfMember | None:
        if self.kind(kind).kind in (STRUCT, UNION) and (inner or not part.name):
            below = self.member_at(kind, inner, size, deep + 1)
            if below is None:
                return None
            path = f"{part.name}.{below.name}" if part.name else below.name
            return BtfMember(path, below.type, part.offset)
        if inner and self.kind(kind).kind == ARRAY:
            return self._of_array(part, kind, inner, size, deep)
        return part if inner == 0 and part.name else None

    def _of_array(
        self, part: BtfMember, kind: int, inner: int, size: int, deep: int
    ) -> BtfMember | None:
        element, _ = self.element(kind)
        step = self.size(element)
        if not step:
            return None
        named = BtfMember(f"{part.name}[{inner // step}]", element, part.offset)
        return self._inside(named, self.bare(element), inner % step, size, deep + 1)


_PREFIX: Final = {STRUCT: "struct", UNION: "union", _ENUM: "enum", _ENUM64: "enum"}
_SIZED: Final = frozenset({_INT, STRUCT, UNION, _ENUM, _FLOAT, _ENUM64})
