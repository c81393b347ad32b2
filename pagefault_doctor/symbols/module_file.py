"""Kernel module files on disk: find one, and map function+offset to a source line.

Every section of a .ko starts at address 0, so a line is looked up by section: the relocations of
`.debug_line` name the section of each line sequence.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from pagefault_doctor.model.report import SourceLine
from pagefault_doctor.model.untrusted import clean_line
from pagefault_doctor.symbols.compressed_module import Unpack, UnreadableModule, open_packed
from pagefault_doctor.symbols.dwarf import line_table
from pagefault_doctor.symbols.file_search import Tell, files_below, ignore

if TYPE_CHECKING:
    from elftools.elf.elffile import ELFFile

SUFFIXES: Final = (".ko", ".ko.debug", ".ko.xz", ".ko.gz", ".ko.zst")
"""Endings of module files, in the order of preference."""
_PREFERRED: Final = ("updates", "extra", "weak-updates")
"""Folders that `depmod` searches before the kernel's own modules (depmod.d(5))."""
_MAX_CANDIDATES: Final = 1000
_SHF_ALLOC: Final = 2


def _module_name(file_name: str) -> str | None:
    for suffix in SUFFIXES:
        if file_name.endswith(suffix):
            return file_name.removesuffix(suffix).replace("-", "_")
    return None


def _candidates(module_dir: Path, name: str, tell: Tell) -> Iterator[Path]:
    wanted = name.replace("-", "_")
    found = files_below(module_dir, lambda file: _module_name(file) == wanted, tell)
    return islice(found, _MAX_CANDIDATES)


def _preference(path: Path, module_dir: Path) -> tuple[int, int, str]:
    parts = path.relative_to(module_dir).parts
    kind = next(i for i, suffix in enumerate(SUFFIXES) if path.name.endswith(suffix))
    return (not any(part in _PREFERRED for part in parts), kind, str(path))


def find_module(module_dir: Path, name: str, tell: Tell = ignore) -> Path | None:
    """Return the file of a module in a folder or below it, or None; see `file_search.files_below`.

    `-` and `_` count as the same, as in modprobe. Of several files, the one that modprobe would
    load comes first, then the uncompressed one.
    """
    found = list(_candidates(module_dir, name, tell))
    return min(found, key=lambda path: _preference(path, module_dir), default=None)


def module_files(folder: Path, tell: Tell = ignore) -> dict[str, Path]:
    """Return the files of all modules in a folder or below it, by name with `_` for `-`.

    Of several files for a module it is the one that `find_module` returns.
    """
    found: dict[str, Path] = {}
    paths = files_below(folder, lambda file: _module_name(file) is not None, tell)
    for path in sorted(paths, key=lambda path: _preference(path, folder)):
        found.setdefault(_module_name(path.name) or "", path)
    return found


def open_module(path: Path, unpack: Unpack | None = None) -> ELFFile:
    """Return a module file as an ELF file, which the caller closes.

    Raises UnreadableModule if it is not one. `unpack` handles compression that Python cannot read.
    """
    from elftools.common.exceptions import ELFError

    from pagefault_doctor.symbols.bounded_elf import BoundedElf

    stream = open_packed(path, unpack)
    try:
        return BoundedElf(stream)
    except (ELFError, ValueError, KeyError) as error:
        stream.close()
        raise UnreadableModule(f"{path} is not a kernel module: {error}") from error


def elf_errors() -> tuple[type[Exception], ...]:
    """Return the exceptions that pyelftools raises on a damaged file.

    A function, so that pyelftools is only imported when a file is read.
    """
    from elftools.common.exceptions import DWARFError, ELFError
    from elftools.construct import ConstructError

    return (
        UnreadableModule, ELFError, DWARFError, ConstructError, OSError, ValueError, KeyError,
        IndexError, AttributeError, TypeError, AssertionError, EOFError, OverflowError,
        NotImplementedError, RecursionError, MemoryError, ArithmeticError, struct.error, zlib.error,
    )  # fmt: skip


def unreadable(path: Path, error: Exception) -> str:
    """Return in one line why a file adds nothing, for the person."""
    if isinstance(error, UnreadableModule):
        return clean_line(error.problem)
    reason = str(error) or type(error).__name__
    return clean_line(f"{path} was not used: {reason}")


@contextmanager
def _damage_told(path: Path) -> Iterator[None]:
    try:
        yield
    except elf_errors() as error:
        raise UnreadableModule(unreadable(path, error)) from error


def source_line(ko: Path, function: str, offset: int, size: int | None = None) -> SourceLine | None:
    """Return the source line at `function`+`offset` (bytes) of a module file, or None.

    None if the file is stripped or damaged. `size` distinguishes functions of the same name; the
    kernel prints it after the offset.
    """
    with suppress(*elf_errors()), open_module(ko) as elf:
        location = find_code(elf, function, offset, size)
        row = line_table.lookup(elf, location.section, location.at) if location else None
        return SourceLine(clean_line(row[0]), row[1]) if row else None
    return None


def _functions(elf: ELFFile) -> list[Any]:
    table: Any = elf.get_section_by_name(".symtab")
    symbols = table.iter_symbols() if table else ()
    return [s for s in symbols if s["st_info"]["type"] == "STT_FUNC"]


def _functions_named(functions: list[Any], name: str) -> list[Any]:
    """Return the functions of that name, else the clones that the compiler made (`.isra.0`)."""
    exact = [s for s in functions if s.name == name]
    clones = [s for s in functions if s.name.startswith(f"{name}.") and ".cold" not in s.name]
    return exact or clones


class CodeLocation(msgspec.Struct, frozen=True):
    """A location in a file's code: section, offset `at`, and the function's start and size."""

    section: int
    at: int
    start: int
    size: int


def find_code(elf: ELFFile, name: str, offset: int, size: int | None) -> CodeLocation | None:
    """Return the location of `name`+`offset`, or None if the function is unknown or ambiguous."""
    found = [s for s in _functions_named(_functions(elf), name) if offset < s["st_size"]]
    fitting = [s for s in found if s["st_size"] == size] or found
    # On ARM the lowest bit of a function's address marks Thumb code (ELF for the Arm architecture).
    marks = 1 if elf["e_machine"] == "EM_ARM" else 0
    starts = ((s["st_shndx"], s["st_value"] & ~marks, s["st_size"]) for s in fitting)
    locations = {CodeLocation(at, start + offset, start, long) for at, start, long in starts}
    return locations.pop() if len(locations) == 1 else None


def section_and_offset(
    ko: Path, function: str, offset: int, size: int | None
) -> tuple[str, int] | None:
    """Return the section of `function`+`offset` and the offset in it, or None if it has none.

    Raises UnreadableModule where the file is damaged.
    """
    with _damage_told(ko), open_module(ko) as elf:
        location = find_code(elf, function, offset, size)
        return (elf.get_section(location.section).name, location.at) if location else None


def section_symbols(ko: Path) -> tuple[tuple[str, int, int], ...]:
    """Return one symbol for each loaded section: section name, symbol number, offset.

    The kernel keeps the symbol numbers, so the address of that symbol gives the section's address.
    Raises UnreadableModule where the file is damaged.
    """
    found: dict[int, tuple[str, int, int]] = {}
    with _damage_told(ko), open_module(ko) as elf:
        table: Any = elf.get_section_by_name(".symtab")
        for number, symbol in enumerate(table.iter_symbols() if table else ()):
            index = symbol["st_shndx"]
            if isinstance(index, int) and index not in found:
                section = elf.get_section(index)
                if section["sh_flags"] & _SHF_ALLOC:
                    found[index] = (section.name, number, symbol["st_value"])
        return tuple(found.values())


def elf_build_id(elf: ELFFile) -> str | None:
    """Return the build id of an open ELF file in hexadecimal, or None."""
    section: Any = elf.get_section_by_name(".note.gnu.build-id")
    notes = section.iter_notes() if section else ()
    return next((str(n["n_desc"]) for n in notes if n["n_type"] == "NT_GNU_BUILD_ID"), None)


def build_id(path: Path) -> str | None:
    """Return the build id of a module or kernel file in hexadecimal, or None."""
    with suppress(*elf_errors()), open_module(path) as elf:
        return elf_build_id(elf)
    return None
