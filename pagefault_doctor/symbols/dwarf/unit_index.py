"""Which unit covers an address, and which function of the unit, without reading whole units.

`.debug_aranges` lists the addresses of units (DWARF 6.1.2); for units that it leaves out, as
clang's, their own ranges count. Of a unit only the functions are decoded, all else is skipped.
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections.abc import Iterator
from functools import cached_property
from typing import Final, NamedTuple

from pagefault_doctor.symbols.dwarf.entry import DebugEntry, Dwarf, Unit
from pagefault_doctor.symbols.dwarf.form import Abbreviation, fixed_size, read_uleb, skip_value
from pagefault_doctor.symbols.dwarf.ranges import address_ranges
from pagefault_doctor.symbols.elf_sections import DamagedElf

_ARANGES: Final = ".debug_aranges"
_FUNCTION, _NAMESPACE = 0x2E, 0x39
_SIBLING, _LOW_PC, _RANGES = 0x01, 0x11, 0x55
_REF4: Final = 0x13
_MAX_STEPS: Final = 1_000_000
"""Entries that are skipped in one unit, which takes a second; the kernel's largest has 100,000."""


class FunctionRange(NamedTuple):
    """Addresses of a function, and its entry's offset in `.debug_info`."""

    begin: int
    end: int
    offset: int


class UnitIndex:
    """The units of a file by their addresses. Raises what `module_file.elf_errors` lists."""

    def __init__(self, dwarf: Dwarf) -> None:
        self._dwarf = dwarf

    def find(self, address: int) -> Unit | None:
        """Return the unit that covers an address, or None."""
        for table in (self._listed, self._unlisted):
            index = bisect_right(table, (address, 1 << 64, 0)) - 1
            # Ranges of discarded code begin at 0 and cover others.
            for begin, end, offset in table[max(index - 3, 0) : index + 1][::-1]:
                if begin <= address < end:
                    return self._dwarf.unit_at(offset)
        return None

    @cached_property
    def _listed(self) -> list[tuple[int, int, int]]:
        """Begin, end and unit of each range in `.debug_aranges`, in order."""
        sections, found, start = self._dwarf.sections, [], 0
        data = sections.read(_ARANGES, 0, sections.size(_ARANGES))
        while start + 12 <= len(data):
            length, _, unit, width, segment = struct.unpack_from("<IHIBB", data, start)
            if width != 8 or segment or length > len(data) - start - 4:
                break
            # The rows begin at a multiple of their size, counted from the start of the table.
            rows = data[start + 16 : start + 4 + length]
            for begin, size in struct.iter_unpack("<QQ", rows[: len(rows) // 16 * 16]):
                if size:
                    found.append((begin, begin + size, unit))
            start += 4 + length
        return sorted(found)

    @cached_property
    def _unlisted(self) -> list[tuple[int, int, int]]:
        """Begin, end and unit of each range of the units that `.debug_aranges` leaves out."""
        listed = {unit for _, _, unit in self._listed}
        found = []
        for start in self._dwarf.unit_starts():
            if start not in listed:
                root = self._dwarf.unit_root(start)
                found += [(begin, end, start) for begin, end in address_ranges(self._dwarf, root)]
        return sorted(found)


def functions_of(dwarf: Dwarf, unit: Unit) -> list[FunctionRange]:
    """Return the ranges of all functions of a unit that have code."""
    return [
        FunctionRange(begin, end, entry.offset)
        for entry in _functions(unit)
        for begin, end in address_ranges(dwarf, entry)
    ]


def _functions(unit: Unit) -> Iterator[DebugEntry]:
    """Yield the entries of functions with code at the top of a unit or in its namespaces."""
    if not unit.root.has_children:
        return
    data, at = unit.data, unit.root.end - unit.start
    plans = {code: _plan(each) for code, each in unit.abbreviations.items()}
    depth = open_namespaces = 0
    for _ in range(_MAX_STEPS):
        offset = at
        code = data[at]
        at += 1
        if code >= 0x80:
            code, at = read_uleb(data, offset)
        if not code:
            depth -= 1
            if depth < 0:
                return
            open_namespaces = min(open_namespaces, depth)
            continue
        plan = plans.get(code)
        if plan is None:
            raise DamagedElf("an entry of unknown shape")
        if plan.has_code and depth == open_namespaces:
            entry = unit.entry(unit.start + offset)
            if entry:
                yield entry
        is_open = plan.is_namespace and depth == open_namespaces
        at, skipped = _skip(data, at, plan, is_open)
        if not skipped and plan.has_children:
            depth += 1
            open_namespaces += is_open
    raise DamagedElf("too many entries")


class _Plan(NamedTuple):
    """How the entries of an abbreviation are skipped.

    `steps` has numbers of bytes, and forms of no fixed size as negative numbers; `sibling` is the
    number of the step before which DW_AT_sibling is, or -1.
    """

    steps: tuple[int, ...]
    sibling: int
    has_children: bool
    has_code: bool
    is_namespace: bool


def _plan(abbreviation: Abbreviation) -> _Plan:
    steps: list[int] = []
    sibling, has_code = -1, False
    for name, form, _ in abbreviation.attributes:
        has_code |= name in (_LOW_PC, _RANGES)
        if name == _SIBLING and form == _REF4:
            sibling = len(steps)
            steps.append(4)
            continue
        size = fixed_size(form)
        if size is None:
            steps.append(-form)
        elif steps and steps[-1] >= 0 and len(steps) - 1 != sibling:
            steps[-1] += size
        else:
            steps.append(size)
    tag, has_children = abbreviation.tag, abbreviation.has_children
    return _Plan(
        tuple(steps), sibling, has_children, has_code and tag == _FUNCTION, tag == _NAMESPACE
    )


def _skip(data: bytes, at: int, plan: _Plan, is_open: bool) -> tuple[int, bool]:
    """Return the offset behind an entry, or behind its children, and whether it is the latter."""
    begin = at
    for number, step in enumerate(plan.steps):
        if number == plan.sibling and plan.has_children and not is_open:
            (target,) = struct.unpack_from("<I", data, at)
            if target <= begin:
                raise DamagedElf("a sibling that lies before")
            return target, True
        at = at + step if step >= 0 else skip_value(data, -step, at)
    return at, False
