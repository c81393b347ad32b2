"""Separate debug files: where they are searched for.

The places are those of gdb ("Debugging Information in Separate Files"): the build id below
`.build-id`, the name in `.gnu_debuglink`, and the same path below a folder of debug files, as
distributions package them.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pagefault_doctor.files.regular_file import open_regular
from pagefault_doctor.symbols.file_search import Tell, ignore
from pagefault_doctor.symbols.module_file import (
    elf_build_id,
    elf_errors,
    open_module,
    unreadable,
)

if TYPE_CHECKING:
    from elftools.elf.elffile import ELFFile

DEBUG_ROOTS: Final = (Path("/usr/lib/debug"),)
"""Folders of debug files that distributions use."""
_DEBUG_INFO: Final = ".debug_info"
_MAX_CHECKSUM_BYTES: Final = 1 << 30


def has_debug_info(elf: ELFFile) -> bool:
    """Return whether the file itself has debug information."""
    section = elf.get_section_by_name(_DEBUG_INFO)
    return section is not None and section["sh_type"] != "SHT_NOBITS"


def find_debug_file(file: Path, elf: ELFFile, folder: Path, tell: Tell = ignore) -> Path | None:
    """Return the file with the debug information of another file, or None.

    `folder` is searched as well as DEBUG_ROOTS. The file must have the same build id, or the
    checksum in `.gnu_debuglink`. `tell` gets the files that could not be read.
    """
    build_id = elf_build_id(elf)
    link = _debuglink(elf)
    for path in _candidate_paths(file, build_id, link[0] if link else None, (folder, *DEBUG_ROOTS)):
        if path != file and path.is_file() and _matches(path, build_id, link, tell):
            return path
    return None


def _candidate_paths(
    file: Path, build_id: str | None, link: str | None, roots: tuple[Path, ...]
) -> Iterator[Path]:
    absolute = file.absolute()
    below = absolute.parent.relative_to(absolute.anchor)
    for root in roots:
        if build_id and len(build_id) > 2:
            yield root / ".build-id" / build_id[:2] / f"{build_id[2:]}.debug"
    if link:
        yield from (absolute.parent / link, absolute.parent / ".debug" / link)
        yield from (root / below / link for root in roots)
    name = absolute.name
    for suffix in (".xz", ".gz", ".zst"):
        name = name.removesuffix(suffix)
    for root in roots:
        yield from (root / below / name, root / below / f"{name}.debug")


def _debuglink(elf: ELFFile) -> tuple[str, int] | None:
    """Return the file name and the checksum from `.gnu_debuglink`, or None."""
    section: Any = elf.get_section_by_name(".gnu_debuglink")
    data = section.data() if section is not None else b""
    name = str(data.split(b"\0")[0], "utf-8", "replace")
    if not name or "/" in name or name in (".", "..") or len(data) < 8:
        return None
    return name, int.from_bytes(data[-4:], "little")


def _matches(path: Path, build_id: str | None, link: tuple[str, int] | None, tell: Tell) -> bool:
    try:
        with open_module(path) as elf:
            if not has_debug_info(elf):
                return False
            own = elf_build_id(elf)
        if build_id and own:
            return own == build_id
        return link is not None and path.name == link[0] and _checksum(path) == link[1]
    except elf_errors() as error:
        tell(unreadable(path, error))
        return False


def _checksum(path: Path) -> int:
    """Return the CRC-32 of a file, as `objcopy --add-gnu-debuglink` computes it."""
    value = done = 0
    with open_regular(path) as file:
        while (piece := file.read(1 << 20)) and done < _MAX_CHECKSUM_BYTES:
            value, done = zlib.crc32(piece, value), done + len(piece)
    return value
