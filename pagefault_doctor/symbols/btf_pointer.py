"""The bad pointer in a module without DWARF: from BTF types and the function's arguments.

BTF describes what a function takes and which members a structure has, but not where a variable
lives. So the value is followed backwards in the code from the faulting register to the register
that an argument is passed in (see `value_origin`).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from pagefault_doctor.model.pattern import regex
from pagefault_doctor.model.pointer import Pointer
from pagefault_doctor.model.untrusted import clean_line
from pagefault_doctor.symbols.access import (
    ADDRESS_SPACE,
    NEAR,
    FaultingAccess,
    candidate_pointer,
    signed,
)
from pagefault_doctor.symbols.btf import PTR, STRUCT, UNION, Btf, BtfMember
from pagefault_doctor.symbols.function_code import FunctionCode
from pagefault_doctor.symbols.instruction import ARGUMENTS
from pagefault_doctor.symbols.module_file import open_module
from pagefault_doctor.symbols.value_origin import origin_in_function

if TYPE_CHECKING:
    from elftools.elf.elffile import ELFFile

_BTF_SECTION: Final = ".BTF"
_RUNNING_KERNEL: Final = Path("/sys/kernel/btf/vmlinux")
_VMLINUX_FILES: Final = ("/usr/lib/debug/boot/vmlinux-{}", "/usr/lib/debug/lib/modules/{}/vmlinux")
_RELEASE: Final = regex(r"[0-9][0-9A-Za-z.+_~-]{0,127}")
_WORD: Final = 8
_MAX_LOADS: Final = 3
_MAX_STEPS: Final = 12


class _Expression(msgspec.Struct, frozen=True):
    """A C expression; its value plus `add` is what a register holds."""

    path: str
    type: int
    add: int = 0
    loads: int = 0


def module_types(elf: ELFFile, folder: Path, release: str | None) -> Btf | None:
    """Return the types of a module, or None without BTF for the module or its kernel.

    The kernel's BTF comes from the running kernel if the release is the same, else from a vmlinux
    in the folder or in the debug packages. Raises what `module_file.elf_errors` lists.
    """
    section = elf.get_section_by_name(_BTF_SECTION)
    base = _kernel_types(folder, release) if section is not None else None
    return Btf(section.data(), base) if section is not None and base is not None else None


def _kernel_types(folder: Path, release: str | None) -> Btf | None:
    known = release if release and _RELEASE.fullmatch(release) else None
    if known == os.uname().release and _RUNNING_KERNEL.is_file():
        return Btf(_RUNNING_KERNEL.read_bytes())
    files = [Path(name.format(known)) for name in _VMLINUX_FILES] if known else []
    for path in (folder / "vmlinux", *files):
        if path.is_file():
            with open_module(path) as elf:
                section = elf.get_section_by_name(_BTF_SECTION)
                if section is not None:
                    return Btf(section.data())
    return None


def pointer_by_types(
    types: Btf, access: FaultingAccess, function: str, code: FunctionCode, at: int
) -> Pointer | None:
    """Return the pointer that the access at offset `at` went through, or None.

    If the pointer does not come from an argument, the result only lists the members that the access
    may have been to.
    """
    parameters = types.function(function)
    register = access.register
    if parameters is None or register is None:
        return None
    named = _traced(types, parameters, code, register, at, _MAX_STEPS)
    if named is None:
        offset = access.address - access.value
        members = _possible_members(types, parameters, offset, access.size)
        return candidate_pointer(access, offset, members) if offset > 0 else None
    start = (access.value - named.add) % ADDRESS_SPACE
    offset = signed(access.address - start)
    inside = _pointed_member(types, named.type, offset, access.size)
    holder = types.type_name(types.kind(types.strip_qualifiers(named.type)).size_or_type)
    return Pointer(
        register=register,
        held=f"{access.value:#x}",
        value=f"{start:#x}",
        offset=offset,
        how="load" if named.loads else "location",
        name=clean_line(named.path),
        type=clean_line(types.type_name(named.type)),
        access=clean_line(f"{named.path}->{inside.name}") if inside else None,
        member=clean_line(f"{holder.removeprefix('const ')}.{inside.name}") if inside else None,
        around=_enclosing_structure(types, named.type, holder, start),
        function=clean_line(function),
    )


def _enclosing_structure(types: Btf, pointer: int, holder: str, start: int) -> str | None:
    """Return the member structure that would lie at address 0, or None."""
    below = ADDRESS_SPACE - start
    found = _pointed_member(types, pointer, below, 0) if below < NEAR else None
    if found is None or types.kind(types.strip_qualifiers(found.type)).kind not in (STRUCT, UNION):
        return None
    return clean_line(f"{holder.removeprefix('const ')}.{found.name}")


def _traced(
    types: Btf, parameters: list[BtfMember], code: FunctionCode, register: str, at: int, steps: int
) -> _Expression | None:
    came = origin_in_function(code, register, at) if steps else None
    if came is None or came.register is None or came.how == "call":
        return None
    if came.how == "entry":
        return _argument(types, parameters, code.arch, register)
    holder = _traced(types, parameters, code, came.register, came.at, steps - 1)
    if holder is None:
        return None
    if came.how == "copy":
        return msgspec.structs.replace(holder, add=holder.add + came.add)
    inside = _pointed_member(types, holder.type, came.add + holder.add, _WORD)
    if inside is None or holder.loads >= _MAX_LOADS:
        return None
    if types.kind(types.strip_qualifiers(inside.type)).kind != PTR:
        return None
    return _Expression(f"{holder.path}->{inside.name}", inside.type, loads=holder.loads + 1)


def _argument(
    types: Btf, parameters: list[BtfMember], arch: str, register: str
) -> _Expression | None:
    """Return the argument that is passed in a register, or None.

    A structure passed by value can take two registers or none: then the registers are unknown.
    """
    kinds = [types.kind(types.strip_qualifiers(part.type)).kind for part in parameters]
    is_plain = all(kind not in (STRUCT, UNION) for kind in kinds)
    names = ARGUMENTS[arch][: len(parameters)]
    if not is_plain or register not in names:
        return None
    index = names.index(register)
    part = parameters[index]
    return _Expression(part.name, part.type) if kinds[index] == PTR and part.name else None


def _pointed_member(types: Btf, pointer: int, offset: int, size: int) -> BtfMember | None:
    """Return the member at an offset of what a pointer points to, or None."""
    found = types.kind(types.strip_qualifiers(pointer))
    return types.member_at(found.size_or_type, offset, size) if found.kind == PTR else None


def _possible_members(
    types: Btf, parameters: list[BtfMember], offset: int, size: int
) -> Iterator[str]:
    for part in parameters:
        inside = _pointed_member(types, part.type, offset, size)
        if inside is not None:
            holder = types.type_name(types.kind(types.strip_qualifiers(part.type)).size_or_type)
            yield clean_line(f"{holder.removeprefix('const ')}.{inside.name}")
