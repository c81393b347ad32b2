"""Kernel module files on disk: finding one, and from function+offset to a source line.

Every section of a .ko starts at address 0, so a line is found by section: the relocations of
`.debug_line` say which section each sequence of the line program is about.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from pagefault_doctor.model.report import SourceLine
from pagefault_doctor.model.untrusted import clean_line
from pagefault_doctor.symbols.compressed_module import Unpack, UnreadableModule, open_packed
from pagefault_doctor.symbols.dwarf import line_table

if TYPE_CHECKING:
    from elftools.elf.elffile import ELFFile

SUFFIXES: Final = (".ko", ".ko.debug", ".ko.xz", ".ko.gz", ".ko.zst")
_PREFERRED: Final = ("updates", "extra", "weak-updates")
"""Folders that `depmod` searches before the kernel's own (`depmod.d`)."""
_MOST_FOLDERS: Final = 20_000
_SHF_ALLOC: Final = 2


def _stem(file_name: str) -> str | None:
    for suffix in SUFFIXES:
        if file_name.endswith(suffix):
            return file_name.removesuffix(suffix).replace("-", "_")
    return None


def _candidates(module_dir: Path, name: str) -> Iterator[Path]:
    wanted = name.replace("-", "_")
    for count, (folder, _, files) in enumerate(os.walk(module_dir)):
        if count >= _MOST_FOLDERS:
            return
        yield from (Path(folder, file) for file in files if _stem(file) == wanted)


def _preference(path: Path, module_dir: Path) -> tuple[int, int, str]:
    parts = path.relative_to(module_dir).parts
    kind = next(i for i, suffix in enumerate(SUFFIXES) if path.name.endswith(suffix))
    return (not any(part in _PREFERRED for part in parts), kind, str(path))


def find_module(module_dir: Path, name: str) -> Path | None:
    """Return the file of a module in a folder or below it, or None.

    `-` and `_` count as the same, as for modprobe. Where there are several, the one that modprobe
    would take, then the uncompressed one.
    """
    found = list(_candidates(module_dir, name))
    return min(found, key=lambda path: _preference(path, module_dir), default=None)


def open_module(path: Path, unpack: Unpack | None = None) -> ELFFile:
    """Return a module file as an ELF file; the caller closes its `stream`.

    Raises UnreadableModule where it is not one. `unpack` helps with what Python cannot unpack.
    """
    from elftools.common.exceptions import ELFError
    from elftools.elf.elffile import ELFFile

    stream = open_packed(path, unpack)
    try:
        return ELFFile(stream)
    except (ELFError, ValueError, KeyError) as error:
        stream.close()
        raise UnreadableModule(f"{path} is not a kernel module: {error}") from error


def broken() -> tuple[type[Exception], ...]:
    """Return what pyelftools raises on a damaged file."""
    from elftools.common.exceptions import DWARFError, ELFError
    from elftools.construct import ConstructError

    return (
        UnreadableModule, ELFError, DWARFError, ConstructError, OSError, ValueError, KeyError,
        IndexError, AttributeError, TypeError, AssertionError, EOFError, OverflowError,
        NotImplementedError, RecursionError, MemoryError, ArithmeticError, struct.error, zlib.error,
    )  # fmt: skip


def source_line(ko: Path, function: str, offset: int, size: int | None = None) -> SourceLine | None:
    """Return the source line at `function`+`offset` (bytes) of a module file, or None.

    The file may be stripped or damaged: then there is no answer. `size` tells functions of one
    name apart; the kernel prints it after the offset.
    """
    try:
        elf = open_module(ko)
        with elf.stream:
            place = place_of(elf, function, offset, size)
            row = line_table.lookup(elf, place.section, place.at) if place else None
    except broken():
        return None
    return SourceLine(clean_line(row[0]), row[1]) if row else None


def _functions(elf: ELFFile) -> list[Any]:
    table: Any = elf.get_section_by_name(".symtab")
    symbols = table.iter_symbols() if table else ()
    return [s for s in symbols if s["st_info"]["type"] == "STT_FUNC"]


def _named(functions: list[Any], name: str) -> list[Any]:
    """Return the functions of that name, else those that the compiler made of it (`.isra.0`)."""
    exact = [s for s in functions if s.name == name]
    made = [s for s in functions if s.name.startswith(f"{name}.") and ".cold" not in s.name]
    return exact or made


class CodePlace(msgspec.Struct, frozen=True):
    """A place in a file's code: section, offset in it, and the function's start and size there."""

    section: int
    at: int
    start: int
    size: int


def place_of(elf: ELFFile, name: str, offset: int, size: int | None) -> CodePlace | None:
    """Return where `name`+`offset` lies, or None where the function is unknown or ambiguous."""
    found = [s for s in _named(_functions(elf), name) if offset < s["st_size"]]
    fitting = [s for s in found if s["st_size"] == size] or found
    places = {
        CodePlace(s["st_shndx"], s["st_value"] + offset, s["st_value"], s["st_size"])
        for s in fitting
    }
    return places.pop() if len(places) == 1 else None


def placed(ko: Path, function: str, offset: int, size: int | None) -> tuple[str, int] | None:
    """Return the section that `function`+`offset` lies in and the offset in it, or None."""
    try:
        elf = open_module(ko)
        with elf.stream:
            place = place_of(elf, function, offset, size)
            return (elf.get_section(place.section).name, place.at) if place else None
    except broken():
        return None


def landmarks(ko: Path) -> tuple[tuple[str, int, int], ...]:
    """Return one symbol of each section that is loaded: section, symbol number, its offset.

    The kernel keeps the numbers, so that the symbol's address gives that of the section.
    """
    found: dict[int, tuple[str, int, int]] = {}
    try:
        elf = open_module(ko)
        with elf.stream:
            table: Any = elf.get_section_by_name(".symtab")
            for number, symbol in enumerate(table.iter_symbols() if table else ()):
                index = symbol["st_shndx"]
                if isinstance(index, int) and index not in found:
                    section = elf.get_section(index)
                    if section["sh_flags"] & _SHF_ALLOC:
                        found[index] = (section.name, number, symbol["st_value"])
    except broken():
        return ()
    return tuple(found.values())


def identity(elf: ELFFile) -> str | None:
    """Return the build id of an open file in hexadecimal, or None."""
    section: Any = elf.get_section_by_name(".note.gnu.build-id")
    notes = section.iter_notes() if section else ()
    return next((str(n["n_desc"]) for n in notes if n["n_type"] == "NT_GNU_BUILD_ID"), None)


def build_id(path: Path) -> str | None:
    """Return the build id of a module or kernel file in hexadecimal, or None."""
    try:
        elf = open_module(path)
        with elf.stream:
            return identity(elf)
    except broken():
        return None
