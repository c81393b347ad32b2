"""A fault in a module's file: the source line, what is inlined there, and the bad pointer."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec

from pagefault_doctor.model.pointer import InlinedCall, Pointer
from pagefault_doctor.model.report import Report, SourceLine
from pagefault_doctor.model.untrusted import clean_line
from pagefault_doctor.symbols import line_program
from pagefault_doctor.symbols.access import Access
from pagefault_doctor.symbols.backwards import Code
from pagefault_doctor.symbols.module_file import Placed, broken, open_module, place_of
from pagefault_doctor.symbols.pointer import Finder
from pagefault_doctor.symbols.sections import Sections

_MACHINES: Final = {"EM_X86_64": "x86_64", "EM_AARCH64": "arm64"}
_WIDE: Final = frozenset({1, 257})
"""Relocations of 8 bytes; all others in code are of 4."""


def told(file: Path, report: Report, access: Access | None) -> Report:
    """Return the report with all that the module's file says of its place.

    The file may be stripped, damaged or of another build: then less is said, or nothing.
    """
    if not report.function or report.offset is None:
        return report
    offset = report.offset - report.is_call
    try:
        elf = open_module(file)
        with elf.stream:
            sections = Sections(elf)
            placed = place_of(elf, report.function, offset, report.size)
            if placed is None or (access and _is_another_build(sections, placed, access)):
                return report
            line = line_program.lookup(elf, placed.section, placed.at)
            inlined, pointer = _looked_up(sections, placed, access)
    except broken():
        return report
    return msgspec.structs.replace(
        report,
        source_line=SourceLine(clean_line(line[0]), line[1]) if line else None,
        inlined=inlined,
        pointer=pointer,
    )


def _is_another_build(sections: Sections, placed: Placed, access: Access) -> bool:
    """Return whether the file has another instruction there than the one that ran."""
    name = sections.elf.get_section(placed.section).name
    data = sections.data(name)
    end = placed.at + len(access.code)
    if not data or not access.code:
        return False
    there, ran = bytearray(data[placed.at : end]), bytearray(access.code)
    for offset, kind, _, _ in sections.relocations(name, placed.at, end):
        begin = offset - placed.at
        width = 8 if kind in _WIDE else 4
        if sections.machine == "EM_AARCH64":
            return False
        there[begin : begin + width] = ran[begin : begin + width]
    return there != ran


def _looked_up(
    sections: Sections, placed: Placed, access: Access | None
) -> tuple[tuple[InlinedCall, ...], Pointer | None]:
    """Return what is inlined at the place, and the bad pointer; what is damaged is not told."""
    arch = _MACHINES.get(sections.machine)
    if arch is None:
        return (), None
    try:
        finder = Finder(sections, arch, placed.section, placed.at)
        inlined = finder.inlined(_files(sections, finder))
        if access is None or access.arch != arch:
            return inlined, None
        code = _code(sections, arch, placed)
        return inlined, finder.pointer(access, code, placed.at)
    except broken():
        return (), None


def _files(sections: Sections, finder: Finder) -> dict[int, str]:
    numbers = {s.call_file for s in finder.around if s.call_file is not None}
    start = finder.root.number(0x10) if finder.root and numbers else None
    if start is None:
        return {}
    return {
        number: clean_line(line_program.file_name(sections, start, number)) for number in numbers
    }


def _code(sections: Sections, arch: str, placed: Placed) -> Code | None:
    try:
        return Code(sections, arch, placed.section, placed.start, placed.start + placed.size)
    except ImportError:  # A file that was carried to another platform has no capstone for it.
        return None
