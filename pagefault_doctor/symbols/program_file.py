"""Programs and shared libraries on disk: map the kernel's segfault line to a source line.

The line ends with `in FILE[base+size]`, newer ones with `in FILE[offset,base+size]` (`mm/memory.c`,
print_vma_addr): the start of the mapping with the instruction, and the instruction's offset in the
file. The program headers convert that to an address in the file, wherever the loader mapped it
(ELF, "Program Header").
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from pagefault_doctor.model.untrusted import clean_line
from pagefault_doctor.symbols.dwarf.line_table import MAX_UNIT_BYTES
from pagefault_doctor.symbols.elf_sections import DamagedElf
from pagefault_doctor.symbols.file_search import Tell, files_below, ignore
from pagefault_doctor.symbols.module_file import elf_errors, open_module, unreadable

if TYPE_CHECKING:
    from elftools.elf.elffile import ELFFile

_PAGE: Final = 4096
_PF_X: Final = 1


class ProgramLocation(msgspec.Struct, frozen=True):
    """A location in a program's code; file and line are None without DWARF."""

    function: str | None
    file: str | None
    line: int | None


def find_object(folder: Path, name: str, tell: Tell = ignore) -> Path | None:
    """Return the file of that name in a folder or below it, or None.

    See `file_search.files_below`.
    """
    return next(files_below(folder, lambda file: file == name, tell), None)


def locate_crash(
    path: Path, details: Mapping[str, str], tell: Tell = ignore
) -> ProgramLocation | None:
    """Return where a program crashed, by its segfault line (see `klog/formats/user_space.py`).

    None if the file does not fit the line, has no symbols, or is damaged; `tell` gets the latter.
    """
    try:
        with open_module(path) as elf:
            address = _file_address(elf, details)
            if address is None:
                return None
            row = _line_at(elf, address)
            function = _function_at(elf, address)
    except elf_errors() as error:
        tell(unreadable(path, error))
        return None
    if row is None:
        return ProgramLocation(function, None, None) if function else None
    return ProgramLocation(function, clean_line(row[0]), row[1])


def _hex_number(details: Mapping[str, str], name: str) -> int | None:
    try:
        return int(details[name], 16)
    except (KeyError, ValueError):
        return None


def _file_address(elf: ELFFile, details: Mapping[str, str]) -> int | None:
    """Return the instruction's address in the file, or None if the file does not fit."""
    ip, base, size = (_hex_number(details, name) for name in ("ip", "base", "object_size"))
    if ip is None or base is None or size is None or not 0 <= ip - base < size:
        return None
    offset = _hex_number(details, "object_offset")
    for segment in elf.iter_segments("PT_LOAD"):
        if not segment["p_flags"] & _PF_X:
            continue
        # The kernel maps whole pages, so the mapping extends beyond the segment on both sides.
        start = segment["p_offset"] // _PAGE * _PAGE
        end = -(-(segment["p_offset"] + segment["p_filesz"]) // _PAGE) * _PAGE
        at = offset if offset is not None else start + ip - base
        if start <= at < end and size <= end - start:
            return int(segment["p_vaddr"] + at - segment["p_offset"])
    return None


def _function_at(elf: ELFFile, address: int) -> str | None:
    for name in (".symtab", ".dynsym"):
        table: Any = elf.get_section_by_name(name)
        for symbol in table.iter_symbols() if table else ():
            begin = symbol["st_value"]
            kind = symbol["st_info"]["type"]
            if kind == "STT_FUNC" and begin <= address < begin + symbol["st_size"]:
                return clean_line(symbol.name)
    return None


def _line_at(elf: ELFFile, address: int) -> tuple[str, int] | None:
    """Return file and line of an address, from the line program of its compilation unit."""
    if not elf.has_dwarf_info():
        return None
    dwarf = elf.get_dwarf_info()
    aranges = dwarf.get_aranges()
    offset = aranges.cu_offset_at_addr(address) if aranges else None
    units = dwarf.iter_CUs() if offset is None else (dwarf.get_CU_at(offset),)
    for unit in units:
        program = dwarf.line_program_for_CU(unit)
        if program and program.program_end_offset - program.program_start_offset > MAX_UNIT_BYTES:
            raise DamagedElf("a line table that is too long")
        found = program and _covering_row(program, address)
        if found:
            return _file_name(program, found.file), int(found.line)
    return None


def _covering_row(program: Any, address: int) -> Any | None:
    """Return the last row at or before the address, in the sequence that contains it."""
    before: Any = None
    for state in (entry.state for entry in program.get_entries() if entry.state):
        if before is not None and before.address <= address < state.address and before.line:
            return before
        before = None if state.end_sequence else state
    return None


def _file_name(program: Any, number: int) -> str:
    entry = program["file_entry"][number if program["version"] >= 5 else number - 1]
    return str(entry.name, "utf-8", "replace")
