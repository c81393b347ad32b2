"""Line programs of relocatable files: the source line of an offset in a section.

DWARF 4 and 5 (section 6.2), of every architecture in RELOCATIONS. pyelftools decodes one unit. The
unit and its addresses come from the relocations, since sections of a relocatable file have no
addresses yet.
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections.abc import Iterator
from enum import Enum
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec

from pagefault_doctor.symbols.elf_sections import DamagedElf, Sections

if TYPE_CHECKING:
    from elftools.elf.elffile import ELFFile


MAX_UNIT_BYTES: Final = 2 << 20
"""A unit's line program, at most: each byte can give a row, of some hundred bytes of memory."""

_SHF_ALLOC: Final = 2


class _Effect(Enum):
    """What a relocation does with its value in the place that it names."""

    SET = 0
    ADD = 1
    SUBTRACT = -1


_SET: Final = _Effect.SET

RELOCATIONS: Final = {
    "EM_X86_64": {1: (8, _SET), 10: (4, _SET), 11: (4, _SET)},
    "EM_AARCH64": {257: (8, _SET), 258: (4, _SET)},
    "EM_386": {1: (4, _SET)},
    "EM_ARM": {2: (4, _SET)},
    "EM_MIPS": {2: (4, _SET), 18: (8, _SET)},
    "EM_PPC64": {1: (4, _SET), 38: (8, _SET)},
    "EM_S390": {4: (4, _SET), 22: (8, _SET)},
    "EM_RISCV": {1: (4, _SET), 2: (8, _SET)}
    | {33 + power: (1 << power, _Effect.ADD) for power in range(4)}
    | {37 + power: (1 << power, _Effect.SUBTRACT) for power in range(4)},
}
"""Width in bytes and effect of each relocation type in `.debug_line` (the psABI of each machine).

On RISC-V the linker may shorten code, so the assembler leaves to it each distance in code that the
line program has: the address of its end is added, that of its begin subtracted.
"""


class _Patch(msgspec.Struct, frozen=True):
    """A value to write into `.debug_line`, or to add to what is there.

    `section` is set if it is an address in a section that is loaded.
    """

    offset: int
    width: int
    effect: _Effect
    value: int
    section: int | None


def _order(elf: ELFFile) -> str:
    return "<" if elf.little_endian else ">"


def _entries(elf: ELFFile, lines: bytes) -> Iterator[tuple[int, int, int, int | None]]:
    """Yield the relocations of `.debug_line`: offset, type, symbol number, and addend (elf(5)).

    The addend is None in a table without addends: it is what is in the place.
    """
    order, word = _order(elf), "Q" if elf.elfclass == 64 else "I"
    shift, mask = (32, 0xFFFFFFFF) if elf.elfclass == 64 else (8, 0xFF)
    for name, form in ((".rela.debug_line", word.lower()), (".rel.debug_line", "")):
        table = elf.get_section_by_name(name)
        row = struct.Struct(f"{order}{word}{word}{form}")
        data = table.data() if table else b""
        for offset, info, *addend in row.iter_unpack(data[: len(data) // row.size * row.size]):
            kind, number = info & mask, info >> shift
            if elf["e_machine"] == "EM_MIPS" and elf.elfclass == 64 and elf.little_endian:
                # There the number comes first, then three types, of which the last is the first.
                kind, number = info >> 56, info & 0xFFFFFFFF
            yield offset, kind, number, addend[0] if addend else None


def _patches(elf: ELFFile, lines: bytes) -> Iterator[_Patch]:
    symbols: Any = elf.get_section_by_name(".symtab")
    kinds = RELOCATIONS.get(elf["e_machine"], {})
    if symbols is None:
        return
    known: dict[int, tuple[int | None, int]] = {}
    for offset, kind, number, addend in _entries(elf, lines):
        width, effect = kinds.get(kind, (0, _SET))
        if not width:
            continue
        if number not in known:
            symbol = symbols.get_symbol(number)
            known[number] = (_loaded(elf, symbol["st_shndx"]), symbol["st_value"])
        section, base = known[number]
        if addend is None:
            addend = int.from_bytes(lines[offset : offset + width], _byte_order(elf))
        yield _Patch(offset, width, effect, base + addend, section)


def _loaded(elf: ELFFile, index: int | str) -> int | None:
    """Return the number of a section if it is loaded: else it has debug information."""
    if not isinstance(index, int):
        return None
    return index if elf.get_section(index)["sh_flags"] & _SHF_ALLOC else None


def _units(data: bytes, order: str) -> Iterator[tuple[int, int]]:
    """Yield the start and end of each unit of `.debug_line`."""
    start = 0
    while start + 4 <= len(data):
        (length,) = struct.unpack_from(f"{order}I", data, start)
        end = start + 4 + length
        if length == 0xFFFFFFFF and start + 12 <= len(data):
            end = start + 12 + struct.unpack_from(f"{order}Q", data, start + 4)[0]
        yield start, end
        start = end


def _unit_of(
    data: bytes, order: str, patches: list[_Patch], section: int, at: int
) -> tuple[int, int] | None:
    """Return the unit with the last sequence that begins at or before the offset."""
    before = [p for p in patches if p.section == section and p.effect is _SET and p.value <= at]
    nearest = max(before, key=lambda p: p.value, default=None)
    if nearest is None:
        return None
    return next((u for u in _units(data, order) if u[0] <= nearest.offset < u[1]), None)


def _relocated(
    elf: ELFFile, data: bytes, patches: list[_Patch], unit: tuple[int, int], section: int
) -> bytes:
    """Return the lines with a unit's addresses: those of other sections are out of the way."""
    out, order = bytearray(data), _byte_order(elf)
    for patch in patches:
        if unit[0] <= patch.offset <= unit[1] - patch.width:
            value, place = patch.value, slice(patch.offset, patch.offset + patch.width)
            if patch.effect is not _SET:
                value = int.from_bytes(out[place], order) + patch.effect.value * value
            elif patch.section not in (section, None):
                value += 1 << (8 * patch.width - 1)
            out[place] = (value & ((1 << 8 * patch.width) - 1)).to_bytes(patch.width, order)
    return bytes(out)


def _byte_order(elf: ELFFile) -> Literal["little", "big"]:
    return "little" if elf.little_endian else "big"


def _program(elf: ELFFile, data: bytes, start: int) -> Any:
    from elftools.dwarf.structs import DWARFStructs

    length, version = struct.unpack_from(f"{_order(elf)}IH", data, start)
    if length > MAX_UNIT_BYTES:
        raise DamagedElf(f"a line table of {length:,} bytes")
    dwarf = elf.get_dwarf_info(relocate_dwarf_sections=False)
    section = dwarf.debug_line_sec
    assert section is not None
    dwarf.debug_line_sec = section._replace(stream=BytesIO(data))
    structs = DWARFStructs(
        little_endian=elf.little_endian,
        dwarf_format=32,
        address_size=elf.elfclass // 8,
        dwarf_version=version,
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
    data = lines.data()
    patches = list(_patches(elf, data))
    unit = _unit_of(data, _order(elf), patches, section, at)
    if unit is None:
        return None
    program = _program(elf, _relocated(elf, data, patches, unit, section), unit[0])
    row = _row(program, at)
    return (_file_name(program, row.file), row.line) if row and row.line else None
