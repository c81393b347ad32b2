"""Programs and shared libraries on disk: from the kernel's segfault line to a source line.

The line ends with `in FILE[base+size]`, newer ones with `in FILE[offset,base+size]` (`mm/memory.c`,
print_vma_addr): where the mapping with the instruction begins, and how far into the file the
instruction lies. The program headers turn that into an address of the file's own, wherever the
loader put it (ELF, "Program Header").
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from pagefault_doctor.model.untrusted import clean_line
from pagefault_doctor.symbols.module_file import broken

if TYPE_CHECKING:
    from elftools.elf.elffile import ELFFile

_PAGE: Final = 4096
_EXECUTE: Final = 1
"""PF_X of a program header."""

_MOST_FOLDERS: Final = 20_000


class ProgramPlace(msgspec.Struct, frozen=True):
    """A place in a program's code: the function, and file and line where DWARF tells them."""

    function: str | None
    file: str | None
    line: int | None


def find_object(folder: Path, name: str) -> Path | None:
    """Return the file of that name in a folder or below it, or None."""
    for count, (place, _, files) in enumerate(os.walk(folder)):
        if count >= _MOST_FOLDERS:
            break
        if name in files:
            return Path(place, name)
    return None


def spot(path: Path, details: Mapping[str, str]) -> ProgramPlace | None:
    """Return where a program died, by its segfault line (see `klog/formats/user_space.py`).

    None where the file does not fit the line, has no symbols, or is damaged.
    """
    from elftools.elf.elffile import ELFFile

    try:
        with path.open("rb") as stream:
            elf = ELFFile(stream)
            address = _file_address(elf, details)
            if address is None:
                return None
            row = _row(elf, address)
            function = _function(elf, address)
    except broken():
        return None
    if row is None:
        return ProgramPlace(function, None, None) if function else None
    return ProgramPlace(function, clean_line(row[0]), row[1])


def _number(details: Mapping[str, str], name: str) -> int | None:
    try:
        return int(details[name], 16)
    except (KeyError, ValueError):
        return None


def _file_address(elf: ELFFile, details: Mapping[str, str]) -> int | None:
    """Return the instruction's address as the file counts, or None where the file does not fit."""
    ip, base, size = (_number(details, name) for name in ("ip", "base", "object_size"))
    if ip is None or base is None or size is None or not 0 <= ip - base < size:
        return None
    offset = _number(details, "object_offset")
    for segment in elf.iter_segments("PT_LOAD"):
        if not segment["p_flags"] & _EXECUTE:
            continue
        start = segment["p_offset"] // _PAGE * _PAGE
        end = -(-(segment["p_offset"] + segment["p_filesz"]) // _PAGE) * _PAGE
        at = offset if offset is not None else start + ip - base
        if start <= at < end and size <= end - start:
            return int(segment["p_vaddr"] + at - segment["p_offset"])
    return None


def _function(elf: ELFFile, address: int) -> str | None:
    for name in (".symtab", ".dynsym"):
        table: Any = elf.get_section_by_name(name)
        for symbol in table.iter_symbols() if table else ():
            begin = symbol["st_value"]
            kind = symbol["st_info"]["type"]
            if kind == "STT_FUNC" and begin <= address < begin + symbol["st_size"]:
                return clean_line(symbol.name)
    return None


def _row(elf: ELFFile, address: int) -> tuple[str, int] | None:
    """Return file and line of an address, by the line program of its compilation unit."""
    if not elf.has_dwarf_info():
        return None
    dwarf = elf.get_dwarf_info()
    unit_at = dwarf.get_aranges()
    offset = unit_at.cu_offset_at_addr(address) if unit_at else None
    units = dwarf.iter_CUs() if offset is None else (dwarf.get_CU_at(offset),)
    for unit in units:
        program = dwarf.line_program_for_CU(unit)
        found = program and _covering(program, address)
        if found:
            return _file_name(program, found.file), int(found.line)
    return None


def _covering(program: Any, address: int) -> Any | None:
    """Return the last row at or before the address of the sequence that holds it."""
    before: Any = None
    for state in (entry.state for entry in program.get_entries() if entry.state):
        if before is not None and before.address <= address < state.address and before.line:
            return before
        before = None if state.end_sequence else state
    return None


def _file_name(program: Any, number: int) -> str:
    entry = program["file_entry"][number if program["version"] >= 5 else number - 1]
    return str(entry.name, "utf-8", "replace")
