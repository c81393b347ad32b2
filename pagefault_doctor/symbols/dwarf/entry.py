"""DWARF 4 and 5 entries: the tree of functions, variables and types of a unit (section 7.5).

Entries are read on demand: a unit is relocated when one of its entries is needed, and
DW_AT_sibling skips subtrees. That takes milliseconds; parsing all of a large driver takes minutes.
"""

from __future__ import annotations

import itertools
import struct
from bisect import bisect_right
from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

from pagefault_doctor.symbols.dwarf.form import (
    IMPLICIT,
    Abbreviation,
    Value,
    read_abbreviations,
    read_uleb,
    read_value,
)
from pagefault_doctor.symbols.elf_sections import DamagedElf, Sections, text_at

_MAX_ENTRIES: Final = 600_000
"""Limit of entries and list rows read from one file, which takes a few seconds.

A unit of a large driver has about ten thousand at its top level.
"""
_ROOT_BYTES: Final = 4096
"""More than the header of a unit and its root take."""
_MAX_UNITS: Final = 64
"""Units that are kept in memory; one of a kernel has 80 kB, the largest a few MB."""
_SIBLING: Final = 0x01
_ADDR_BASE, _STR_OFFSETS_BASE = 0x73, 0x72
_SPECIFICATION, _ABSTRACT_ORIGIN = 0x47, 0x31
_UNIT_TYPES_WITH_ID: Final = {2: 12, 6: 12, 4: 8, 5: 8}
"""Extra bytes in the header of a type unit or a skeleton unit (7.5.1)."""

_UNIT_REFERENCES: Final = frozenset({0x11, 0x12, 0x13, 0x14, 0x15})
_REF_ADDR, _STRP, _LINE_STRP, _ADDR = 0x10, 0x0E, 0x1F, 0x01
_STRX: Final = frozenset({0x1A, 0x25, 0x26, 0x27, 0x28})
ADDRX: Final = frozenset({0x1B, 0x29, 0x2A, 0x2B, 0x2C})
"""Forms of an address by its index (DW_FORM_addrx and its fixed-size variants)."""


class DebugEntry(NamedTuple):
    """One entry: its start and end in `.debug_info`, and its attributes as form and value."""

    unit: Unit
    offset: int
    end: int
    tag: int
    has_children: bool
    attributes: dict[int, tuple[int, Value]]

    def number(self, name: int) -> int | None:
        """Return an attribute if it is a number, else None."""
        found = self.attributes.get(name)
        return found[1] if found and isinstance(found[1], int) else None


class Unit:
    """One compilation unit. Offsets count from the start of `.debug_info`.

    With `only_root` nothing but the root entry can be read, which takes a hundredth of the time.
    """

    def __init__(self, dwarf: Dwarf, start: int, end: int, *, only_root: bool = False) -> None:
        self.dwarf, self.start, self.end = dwarf, start, end
        read_to = min(end, start + _ROOT_BYTES) if only_root else end
        self.data = dwarf.sections.read(".debug_info", start, read_to)
        (self.version,) = struct.unpack_from("<H", self.data, 4)
        if self.version == 5:
            kind, size = self.data[6], self.data[7]
            (abbreviations,) = struct.unpack_from("<I", self.data, 8)
            first = 12 + _UNIT_TYPES_WITH_ID.get(kind, 0)
        elif 2 <= self.version <= 4:
            abbreviations, size = struct.unpack_from("<IB", self.data, 6)
            first = 11
        else:
            raise DamagedElf(f"DWARF version {self.version}")
        if size != 8:
            raise DamagedElf(f"addresses of {size} bytes")
        if only_root:
            code, _ = read_uleb(self.data, first)
            self.abbreviations = dwarf.one_abbreviation(abbreviations, code)
        else:
            self.abbreviations = dwarf.abbreviations(abbreviations)
        root = self.entry(start + first)
        if root is None:
            raise DamagedElf("an empty unit")
        self.root: DebugEntry = root

    def entry(self, offset: int) -> DebugEntry | None:
        """Return the entry at an offset, or None where a list of children ends."""
        self.dwarf.count()
        at = offset - self.start
        if not 0 < at < len(self.data):
            raise DamagedElf("an entry beyond its unit")
        code, at = read_uleb(self.data, at)
        if not code:
            return None
        abbreviation = self.abbreviations.get(code)
        if abbreviation is None:
            raise DamagedElf("an entry of unknown shape")
        attributes: dict[int, tuple[int, Value]] = {}
        for name, form, constant in abbreviation.attributes:
            if form == IMPLICIT:
                attributes[name] = (form, constant)
                continue
            value, at = read_value(self.data, form, at)
            attributes[name] = (form, value)
        return DebugEntry(
            self, offset, at + self.start, abbreviation.tag, abbreviation.has_children, attributes
        )

    def children(self, parent: DebugEntry) -> Iterator[DebugEntry]:
        """Yield the direct children of an entry."""
        if not parent.has_children:
            return
        at = parent.end
        while (child := self.entry(at)) is not None:
            yield child
            at = self._next_entry(child)

    def _next_entry(self, entry: DebugEntry) -> int:
        """Return the offset of the entry that follows another and its whole subtree."""
        depth, at = int(entry.has_children), entry.end
        sibling = self._sibling(entry)
        if sibling:
            return sibling
        while depth:
            below = self.entry(at)
            if below is None:
                depth, at = depth - 1, at + 1
            elif sibling := self._sibling(below):
                at = sibling
            else:
                depth, at = depth + below.has_children, below.end
        return at

    def _sibling(self, entry: DebugEntry) -> int | None:
        value = entry.number(_SIBLING) if entry.has_children else None
        if value is None:
            return None
        if self.start + value < entry.end:
            raise DamagedElf("a sibling that lies before")
        return self.start + value

    def base(self, name: int, otherwise: int) -> int:
        """Return the offset of the unit's part of a table (`DW_AT_*_base`)."""
        value = self.root.number(name)
        return otherwise if value is None else value

    def address_at(self, index: int) -> int:
        """Return an address by its index in `.debug_addr`."""
        at = self.base(_ADDR_BASE, 8) + 8 * index
        return int.from_bytes(self.dwarf.sections.read(".debug_addr", at, at + 8), "little")


class Dwarf:
    """The debug information of one file."""

    def __init__(self, sections: Sections) -> None:
        self.sections = sections
        self._starts = self._find_units()
        self._units: dict[int, Unit] = {}
        self._tables: dict[int, dict[int, Abbreviation]] = {}
        self._left = _MAX_ENTRIES

    def count(self) -> None:
        """Count an entry or row that is read. Raises DamagedElf beyond the limit."""
        self._left -= 1
        if self._left < 0:
            raise DamagedElf("too many entries")

    def renew(self) -> None:
        """Allow as many entries as at first, and forget units that pile up.

        For whoever asks about many addresses of one file.
        """
        self._left = _MAX_ENTRIES
        if len(self._units) > _MAX_UNITS:
            self._units.clear()
            self._tables.clear()

    def _find_units(self) -> list[tuple[int, int]]:
        sections, found, start = self.sections, [], 0
        size = sections.size(".debug_info")
        while start + 11 <= size:
            (length,) = struct.unpack("<I", sections.plain(".debug_info", start, start + 4))
            if length >= 0xFFFFFFF0 or length < 7:
                raise DamagedElf("a unit of 64-bit DWARF, or none")
            found.append((start, min(start + 4 + length, size)))
            start += 4 + length
        return found

    def units(self) -> Iterator[Unit]:
        """Yield all units."""
        return (self._unit(start, end) for start, end in self._starts)

    def unit_starts(self) -> Iterator[int]:
        """Yield the offset of each unit."""
        return (start for start, _ in self._starts)

    def unit_at(self, start: int) -> Unit:
        """Return the unit that begins at an offset. Raises DamagedElf where none does."""
        return self._unit(*self._start(start))

    def unit_root(self, start: int) -> DebugEntry:
        """Return the root of the unit at an offset, without reading the unit."""
        return Unit(self, *self._start(start), only_root=True).root

    def _start(self, start: int) -> tuple[int, int]:
        index = bisect_right(self._starts, (start, 1 << 62)) - 1
        if index < 0 or self._starts[index][0] != start:
            raise DamagedElf("a unit where none begins")
        return self._starts[index]

    def _unit(self, start: int, end: int) -> Unit:
        if start not in self._units:
            self._units[start] = Unit(self, start, end)
        return self._units[start]

    def at(self, offset: int) -> DebugEntry | None:
        """Return the entry at an offset of `.debug_info`."""
        index = bisect_right(self._starts, (offset, 1 << 62)) - 1
        if index < 0 or offset >= self._starts[index][1]:
            raise DamagedElf("a reference to nothing")
        return self._unit(*self._starts[index]).entry(offset)

    def abbreviations(self, offset: int) -> dict[int, Abbreviation]:
        """Return the abbreviations of a unit, by their code."""
        if offset not in self._tables:
            self._tables[offset] = dict(
                read_abbreviations(self.sections.data(".debug_abbrev"), offset, self.count)
            )
        return self._tables[offset]

    def one_abbreviation(self, offset: int, code: int) -> dict[int, Abbreviation]:
        """Return one of the abbreviations at an offset."""
        table = read_abbreviations(self.sections.data(".debug_abbrev"), offset, self.count)
        return dict(itertools.islice((pair for pair in table if pair[0] == code), 1))

    def text(self, entry: DebugEntry, name: int) -> str | None:
        """Return an attribute if it is a string, else None."""
        form, value = entry.attributes.get(name, (0, b""))
        if isinstance(value, str):
            return value
        if not isinstance(value, int):
            return None
        if form in _STRX:
            at = entry.unit.base(_STR_OFFSETS_BASE, 8) + 4 * value
            raw = self.sections.read(".debug_str_offsets", at, at + 4)
            return text_at(self.sections.data(".debug_str"), int.from_bytes(raw, "little"))
        table = {_STRP: ".debug_str", _LINE_STRP: ".debug_line_str"}.get(form)
        return text_at(self.sections.data(table), value) if table else None

    def reference(self, entry: DebugEntry, name: int) -> DebugEntry | None:
        """Return the entry that an attribute refers to, or None."""
        form, value = entry.attributes.get(name, (0, b""))
        if not isinstance(value, int):
            return None
        if form in _UNIT_REFERENCES:
            return entry.unit.entry(entry.unit.start + value)
        return self.at(value) if form == _REF_ADDR else None

    def address(self, entry: DebugEntry, name: int) -> int | None:
        """Return an attribute if it is an address, else None."""
        form, value = entry.attributes.get(name, (0, b""))
        if not isinstance(value, int):
            return None
        return entry.unit.address_at(value) if form in ADDRX else value if form == _ADDR else None

    def inherited(self, entry: DebugEntry, name: int, get: Callable[[DebugEntry, int], Any]) -> Any:
        """Return an attribute of an entry, or of its abstract origin or specification.

        An inlined or out-of-line instance has most of its attributes there.
        """
        at: DebugEntry | None = entry
        for _ in range(4):
            if at is None:
                return None
            found = get(at, name)
            if found is not None:
                return found
            at = self.reference(at, _ABSTRACT_ORIGIN) or self.reference(at, _SPECIFICATION)
        return None
