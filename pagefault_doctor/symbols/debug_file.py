"""Debug information that was put into a file of its own: where it is looked for.

The places are those of gdb ("Debugging Information in Separate Files"): by the build id below
`.build-id`, by the name in `.gnu_debuglink`, and by the same path below a folder of debug files, as
the packages of distributions lay it out.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pagefault_doctor.symbols.module_file import broken, identity, open_module

if TYPE_CHECKING:
    from elftools.elf.elffile import ELFFile

DEBUG_ROOTS: Final = (Path("/usr/lib/debug"),)
_INFO: Final = ".debug_info"
_LARGEST: Final = 1 << 30


def has_debug_info(elf: ELFFile) -> bool:
    """Return whether a file has debug information of its own."""
    section = elf.get_section_by_name(_INFO)
    return section is not None and section["sh_type"] != "SHT_NOBITS"


def find_debug_file(file: Path, elf: ELFFile, folder: Path) -> Path | None:
    """Return the file that has the debug information of another, or None.

    `folder` is searched as well as DEBUG_ROOTS. Only a file of the same build id counts, or one
    with the checksum that the link names.
    """
    wanted = identity(elf)
    link = _link(elf)
    for path in _places(file, wanted, link[0] if link else None, (folder, *DEBUG_ROOTS)):
        if path != file and path.is_file() and _is_of(path, wanted, link):
            return path
    return None


def _places(
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
    for packed in (".xz", ".gz", ".zst"):
        name = name.removesuffix(packed)
    for root in roots:
        yield from (root / below / name, root / below / f"{name}.debug")


def _link(elf: ELFFile) -> tuple[str, int] | None:
    """Return the file name and the checksum of `.gnu_debuglink`, or None."""
    section: Any = elf.get_section_by_name(".gnu_debuglink")
    data = section.data() if section is not None else b""
    name = str(data.split(b"\0")[0], "utf-8", "replace")
    if not name or "/" in name or name in (".", "..") or len(data) < 8:
        return None
    return name, int.from_bytes(data[-4:], "little")


def _is_of(path: Path, build_id: str | None, link: tuple[str, int] | None) -> bool:
    try:
        elf = open_module(path)
        with elf.stream:
            if not has_debug_info(elf):
                return False
            own = identity(elf)
        if build_id and own:
            return own == build_id
        return link is not None and path.name == link[0] and _checksum(path) == link[1]
    except broken():
        return False


def _checksum(path: Path) -> int:
    """Return the CRC-32 of a file, as objcopy --add-gnu-debuglink takes it."""
    value = left = 0
    with path.open("rb") as file:
        while (piece := file.read(1 << 20)) and left < _LARGEST:
            value, left = zlib.crc32(piece, value), left + len(piece)
    return value
