"""Line programs of relocatable files: the source line of an offset in a section.

DWARF 4 and 5 (section 6.2), for x86_64 and arm64. pyelftools decodes one unit. The unit and its
addresses come from the relocations, since sections of a relocatable file have no addresses yet.
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections.abc import Iterator
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final

import msgspec

from pagefault_doctor.symbols.elf_sections import RELA, SECTION_SHIFT, WIDTHS, DamagedElf, Sections

if TYPE_CHECKING:
    from elftools.elf.elffile import ELFFile


MAX_UNIT_BYTES: Final = 2 << 20
"""A unit's line program, at most: each byte can give a row, of some hundred bytes of memory."""


class _Patch(msgspec.Struct, frozen=True):
    """A value to write into `.debug_line`; `section` is set if it is a code address."""

    offset: int
    width: int
    value: int
    section: int | None


def _patches(elf: ELFFile) -> Iterator[_Patch]:
    relocations = elf.get_section_by_name(".rela.debug_line")
    symbols: Any = elf.get_section_by_name(".symtab")
    widths = WIDTHS.get(elf["e_machine"], {})
    if relocations is None or symbols is None:
        return
    known: dict[int, tuple[int, int]] = {}
    data = relocations.data()
    for offset, info, addend in RELA.iter_unpack(data[: len(data) // RELA.size * RELA.size]):
        width, number = widths.get(info & 0xFFFFFFFF, 0), info >> 32
        if not width:
            continue
        if number not in known:
            symbol = symbols.get_symbol(number)
            known[number] = (symbol["st_shndx"], symbol["st_value"])
        section, base = known[number]
        yield _Patch(offset, width, base + addend, section if width == 8 else None)


def _units(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield the start and end of each unit of `.debug_line`."""
    start = 0
    while start + 4 <= len(data):
        (length,) = struct.unpack_from("<I", data, start)
        end = start + 4 + length
        if length == 0xFFFFFFFF and start + 12 <= len(data):
            end = start + 12 + struct.unpack_from("<Q", data, start + 4)[0]
        yield start, end
        start = end


def _unit_of(data: bytes, patches: list[_Patch], section: int, at: int) -> tuple[int, int] | None:
    """Return the unit with the last sequence that begins at or before the offset."""
    before = [p for p in patches if p.section == section and p.value <= at]
    nearest = max(before, key=lambda p: p.value, default=None)
    if nearest is None:
        return None
    return next((u for u in _units(data) if u[0] <= nearest.offset < u[1]), None)


def _relocated(data: bytes, patches: list[_Patch], unit: tuple[int, int]) -> bytes:
    out = bytearray(data)
    for patch in patches:
        if unit[0] <= patch.offset <= unit[1] - patch.width:
            value = patch.value + ((patch.section or 0) << SECTION_SHIFT)
            out[patch.offset : patch.offset + patch.width] = value.to_bytes(patch.width, "little")
    return bytes(out)


def _program(elf: ELFFile, data: bytes, start: int) -> Any:
    from elftools.dwarf.structs import DWARFStructs

    length, version = struct.unpack_from("<IH", data, start)
    if length > MAX_UNIT_BYTES:
        raise DamagedElf(f"a line table of {length:,} bytes")
    dwarf = elf.get_dwarf_info(relocate_dwarf_sections=False)
    section = dwarf.debug_line_sec
    assert section is not None
    dwarf.debug_line_sec = section._replace(stream=BytesIO(data))
    structs = DWARFStructs(
        little_endian=True, dwarf_format=32, address_size=8, dwarf_version=version
    )
    # The public API reaches a line program only through its compilation unit, which takes minutes
    # on a large driver: it parses and relocates all of .debug_info.
    return dwarf._parse_line_program_at_offset(start, structs)


def _preferred(sequence: list[Any], last: int) -> Any:
    """Return the last row at the address that begins a statement, as gdb does; else the last."""
    address = sequence[last].address
    for row in reversed(sequence[: last + 1]):
        if row.address != address:
            break
        if row.is_stmt:
            return row
    return sequence[last]


def _row(program: Any, address: int) -> Any | None:
    """Return the row of the line table that covers the address."""
    sequence: list[Any] = []
    for state in (entry.state for entry in program.get_entries() if entry.state):
        sequence.append(state)
        if not state.end_sequence:
            continue
        starts = [row.address for row in sequence]
        if starts[0] <= address < state.address:
            return _preferred(sequence, bisect_right(starts, address) - 1)
        sequence = []
    return None


def _file_name(program: Any, number: int) -> str:
    """Return the file's name, with its folder if that is relative to the build."""
    version = program["version"]
    entry = program["file_entry"][number if version >= 5 else number - 1]
    folders = program["include_directory"]
    index = entry.dir_index if version >= 5 else entry.dir_index - 1
    name = str(entry.name, "utf-8", "replace")
    folder = str(folders[index], "utf-8", "replace") if 0 <= index < len(folders) else ""
    if name.startswith("/"):
        return name.rpartition("/")[2]
    is_build_folder = folder.startswith("/") or (index == 0 and version >= 5)
    return name if not folder or is_build_folder else f"{folder}/{name}"


def file_name(sections: Sections, start: int, number: int) -> str:
    """Return the name of a file by its number in the `.debug_line` unit at offset `start`.

    Raises what pyelftools raises on a damaged file.
    """
    name = ".debug_line"
    data = sections.data(name)
    (length,) = struct.unpack_from("<I", data, start)
    unit = sections.read(name, start, start + 4 + length)
    return _file_name(_program(sections.elf, unit, 0), number)


def lookup(elf: ELFFile, section: int, at: int) -> tuple[str, int] | None:
    """Return file and line of an offset in a section (by its index), or None.

    Raises what pyelftools raises on a damaged file.
    """
    lines = elf.get_section_by_name(".debug_line")
    if lines is None:
        return None
    data, patches = lines.data(), list(_patches(elf))
    unit = _unit_of(data, patches, section, at)
    if unit is None:
        return None
    program = _program(elf, _relocated(data, patches, unit), unit[0])
    row = _row(program, at + (section << SECTION_SHIFT))
    return (_file_name(program, row.file), row.line) if row and row.line else None
