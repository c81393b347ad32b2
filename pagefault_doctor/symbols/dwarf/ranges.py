"""The addresses that a DWARF entry covers, and its location lists (sections 2.17 and 2.6).

Versions 4 (`.debug_ranges`, `.debug_loc`) and 5 (`.debug_rnglists`, `.debug_loclists`).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

from pagefault_doctor.symbols.dwarf.entry import ADDRX, DebugEntry, Dwarf, Unit
from pagefault_doctor.symbols.dwarf.form import read_uleb
from pagefault_doctor.symbols.elf_sections import DamagedElf

_LOW_PC, _HIGH_PC, _RANGES, _LOCATION = 0x11, 0x12, 0x55, 0x02
_RANGE_LISTS: Final = (".debug_ranges", ".debug_rnglists", 0x74)
_LOCATION_LISTS: Final = (".debug_loc", ".debug_loclists", 0x8C)
"""The sections of version 4 and 5, and the attribute with the unit's base in the latter."""
_ADDR, _EXPRLOC, _RNGLISTX, _LOCLISTX = 0x01, 0x18, 0x23, 0x22
_BLOCKS: Final = frozenset({0x0A, 0x03, 0x04, 0x09, _EXPRLOC})
_CHUNK_BYTES: Final = 1 << 12
"""Bytes of a list that are read and relocated at a time; few lists are longer."""
_MAX_ROWS: Final = 4096
_MAX_ADDRESS: Final = (1 << 64) - 1

_END, _BASEX, _STARTX_ENDX, _STARTX_LENGTH, _OFFSET_PAIR = 0, 1, 2, 3, 4
"""Entry kinds of version 5 lists (7.7.3, 7.25); range and location lists differ from 5 on."""


class _ListReader:
    """A reader at an offset of a section with lists; it relocates the part that it reads."""

    def __init__(self, unit: Unit, section: str, start: int) -> None:
        self.unit, self._sections, self._name = unit, unit.dwarf.sections, section
        self._size = len(self._sections.data(section))
        self._start, self._bytes = start, b""
        self.at = start
        if not 0 <= start < self._size:
            raise DamagedElf("a list beyond its section")

    def take(self, size: int) -> bytes:
        begin = self.at - self._start
        if begin + size > len(self._bytes):
            self._start, begin = self.at, 0
            end = self.at + max(size, _CHUNK_BYTES)
            self._bytes = self._sections.read(self._name, self.at, end)
        self.at += size
        piece = self._bytes[begin : begin + size]
        if len(piece) < size:
            raise DamagedElf("a list that breaks off")
        return piece

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "little")

    def uleb(self) -> int:
        raw = bytearray()
        while not raw or raw[-1] & 0x80:
            raw += self.take(1)
            if len(raw) > 20:
                raise DamagedElf("a number without end")
        return read_uleb(bytes(raw), 0)[0]


def _base_address(unit: Unit) -> int:
    return unit.dwarf.address(unit.root, _LOW_PC) or 0


def _read_version_4(table: _ListReader, with_block: bool) -> Iterator[tuple[int, int, bytes]]:
    base = _base_address(table.unit)
    for _ in range(_MAX_ROWS):
        table.unit.dwarf.count()
        begin, end = struct.unpack("<QQ", table.take(16))
        if begin == 0 and end == 0:
            return
        if begin == _MAX_ADDRESS:
            base = end
            continue
        block = table.take(table.number(2)) if with_block else b""
        yield base + begin, base + end, block


def _read_pair(table: _ListReader, kind: int, base: int) -> tuple[int, int]:
    """Return begin and end of a version 5 entry of a kind that both lists have."""
    if kind in (_STARTX_ENDX, _STARTX_LENGTH):
        begin, second = table.unit.address_at(table.uleb()), table.uleb()
        return begin, table.unit.address_at(second) if kind == _STARTX_ENDX else begin + second
    begin, end = table.uleb(), table.uleb()
    return base + begin, base + end


def _read_version_5(table: _ListReader, with_block: bool) -> Iterator[tuple[int, int, bytes]]:
    base = _base_address(table.unit)
    # Only location lists have DW_LLE_default_location, so their later kinds are one higher.
    default = 5 if with_block else -1
    base_address = 6 if with_block else 5
    for _ in range(_MAX_ROWS):
        table.unit.dwarf.count()
        kind = table.number(1)
        if kind == _END:
            return
        if kind == _BASEX:
            base = table.unit.address_at(table.uleb())
        elif kind == base_address:
            base = table.number(8)
        elif with_block and kind == 9:
            # DW_LLE_GNU_view_pair: two view numbers, which a lookup by address does not need.
            table.uleb(), table.uleb()
        else:
            if kind == default:
                begin, end = 0, _MAX_ADDRESS
            elif kind <= _OFFSET_PAIR:
                begin, end = _read_pair(table, kind, base)
            elif kind == base_address + 1:
                begin, end = table.number(8), table.number(8)
            elif kind == base_address + 2:
                begin = table.number(8)
                end = begin + table.uleb()
            else:
                raise DamagedElf(f"kind {kind} in a list")
            yield begin, end, table.take(table.uleb()) if with_block else b""


def _read_list(
    unit: Unit, form: int, value: int, *, with_block: bool
) -> Iterator[tuple[int, int, bytes]]:
    """Return the rows of a location list (`with_block`) or a range list, by an attribute."""
    old, section, base_name = _LOCATION_LISTS if with_block else _RANGE_LISTS
    if unit.version < 5:
        return _read_version_4(_ListReader(unit, old, value), with_block)
    if form in (_RNGLISTX, _LOCLISTX):
        # The number of a list: the table of offsets at the unit's base has where it begins.
        base = unit.base(base_name, 12)
        raw = unit.dwarf.sections.read(section, base + 4 * value, base + 4 * value + 4)
        value = base + int.from_bytes(raw, "little")
    return _read_version_5(_ListReader(unit, section, value), with_block)


def address_ranges(dwarf: Dwarf, entry: DebugEntry) -> Iterator[tuple[int, int]]:
    """Yield the address ranges of an entry, each as begin and exclusive end."""
    low = dwarf.address(entry, _LOW_PC)
    form, high = entry.attributes.get(_HIGH_PC, (0, b""))
    if low is not None and isinstance(high, int) and form:
        is_address = form == _ADDR or form in ADDRX
        yield low, (dwarf.address(entry, _HIGH_PC) or 0) if is_address else low + high
        return
    form, value = entry.attributes.get(_RANGES, (0, b""))
    if not isinstance(value, int):
        return
    table = _read_list(entry.unit, form, value, with_block=False)
    yield from ((begin, end) for begin, end, _ in table)


def covers(dwarf: Dwarf, entry: DebugEntry, address: int) -> bool:
    """Return whether an entry covers an address."""
    return any(begin <= address < end for begin, end in address_ranges(dwarf, entry))


def location_expression(
    dwarf: Dwarf, entry: DebugEntry, address: int, name: int = _LOCATION
) -> bytes | None:
    """Return the location expression of a variable at an address, or None."""
    form, value = entry.attributes.get(name, (0, 0))
    if isinstance(value, bytes):
        return value if form in _BLOCKS else None
    if not form or not isinstance(value, int):
        return None
    table = _read_list(entry.unit, form, value, with_block=True)
    return next((block for begin, end, block in table if begin <= address < end), None)
