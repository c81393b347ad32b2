"""The bad pointer where a module has no DWARF: by the types in BTF and the function's arguments.

BTF tells what a function takes and which members a structure has, not where a variable lives. An
argument comes in a register of its own, and what is done with it until the fault is followed in the
code (see `backwards`).
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
from pagefault_doctor.symbols.access import NEAR, FaultingAccess
from pagefault_doctor.symbols.btf import PTR, STRUCT, UNION, Btf, BtfMember
from pagefault_doctor.symbols.function_code import FunctionCode
from pagefault_doctor.symbols.module_file import open_module
from pagefault_doctor.symbols.value_origin import origin_in_function

if TYPE_CHECKING:
    from elftools.elf.elffile import ELFFile

_ARGUMENTS: Final = {
    "x86_64": ("rdi", "rsi", "rdx", "rcx", "r8", "r9"),
    "arm64": tuple(f"x{n}" for n in range(8)),
}
"""System V psABI, figure 3.4; the Procedure Call Standard for the Arm 64-bit Architecture, 6.8."""
_SECTION: Final = ".BTF"
_RUNNING: Final = Path("/sys/kernel/btf/vmlinux")
_KERNELS: Final = ("/usr/lib/debug/boot/vmlinux-{}", "/usr/lib/debug/lib/modules/{}/vmlinux")
_RELEASE: Final = regex(r"[0-9][0-9A-Za-z.+_~-]{0,127}")
_WORD: Final = 8
_MOST_LOADS: Final = 3
_MOST_STEPS: Final = 12
_MOST_CANDIDATES: Final = 3
_WRAP: Final = 1 << 64


class _Named(msgspec.Struct, frozen=True):
    """An expression of the source whose value plus `add` is that of a register."""

    path: str
    type: int
    add: int = 0
    loads: int = 0


def types_of(elf: ELFFile, folder: Path, release: str | None) -> Btf | None:
    """Return the types of a module, which go on those of its kernel, or None.

    The kernel's are those of the running one, where its release is the same, or of a vmlinux in
    the folder or among the debug files. Raises what `module_file.broken` lists.
    """
    section = elf.get_section_by_name(_SECTION)
    base = _kernel(folder, release) if section is not None else None
    return Btf(section.data(), base) if section is not None and base is not None else None


def _kernel(folder: Path, release: str | None) -> Btf | None:
    known = release if release and _RELEASE.fullmatch(release) else None
    if known == os.uname().release and _RUNNING.is_file():
        return Btf(_RUNNING.read_bytes())
    files = [Path(name.format(known)) for name in _KERNELS] if known else []
    for path in (folder / "vmlinux", *files):
        if path.is_file():
            elf = open_module(path)
            with elf.stream:
                section = elf.get_section_by_name(_SECTION)
                if section is not None:
                    return Btf(section.data())
    return None


def pointer_by_types(
    types: Btf, access: FaultingAccess, function: str, code: FunctionCode, at: int
) -> Pointer | None:
    """Return the pointer that an access at an offset went through, or None.

    Where it is no argument and came of none, the members that it may have been to are candidates.
    """
    taken = types.function(function)
    register = access.register
    if taken is None or register is None:
        return None
    named = _traced(types, taken, code, register, at, _MOST_STEPS)
    if named is None:
        return _guess(types, taken, access, register)
    start = (access.value - named.add) % _WRAP
    offset = (access.address - start + _WRAP // 2) % _WRAP - _WRAP // 2
    inside = _through(types, named.type, offset, access.size)
    holder = types.type_name(types.kind(types.bare(named.type)).size_or_type)
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
        around=_around(types, named.type, holder, start),
        function=clean_line(function),
    )


def _around(types: Btf, pointer: int, holder: str, start: int) -> str | None:
    """Return the structure in what a pointer points to that lies at address 0, or None."""
    found = _through(types, pointer, _WRAP - start, 0) if _WRAP - start < NEAR else None
    if found is None or types.kind(types.bare(found.type)).kind not in (STRUCT, UNION):
        return None
    return clean_line(f"{holder.removeprefix('const ')}.{found.name}")


def _traced(
    types: Btf, taken: list[BtfMember], code: FunctionCode, register: str, at: int, steps: int
) -> _Named | None:
    came = origin_in_function(code, register, at) if steps else None
    if came is None or came.register is None or came.how == "call":
        return None
    if came.how == "entry":
        return _argument(types, taken, code.arch, register)
    holder = _traced(types, taken, code, came.register, came.at, steps - 1)
    if holder is None:
        return None
    if came.how == "copy":
        return msgspec.structs.replace(holder, add=holder.add + came.add)
    inside = _through(types, holder.type, came.add + holder.add, _WORD)
    if inside is None or holder.loads >= _MOST_LOADS:
        return None
    if types.kind(types.bare(inside.type)).kind != PTR:
        return None
    return _Named(f"{holder.path}->{inside.name}", inside.type, loads=holder.loads + 1)


def _argument(types: Btf, taken: list[BtfMember], arch: str, register: str) -> _Named | None:
    """Return the argument that comes in a register; each must fit into one for that."""
    kinds = [types.kind(types.bare(part.type)).kind for part in taken]
    is_plain = all(kind not in (STRUCT, UNION) for kind in kinds)
    names = _ARGUMENTS[arch][: len(taken)]
    if not is_plain or register not in names:
        return None
    index = names.index(register)
    part = taken[index]
    return _Named(part.name, part.type) if kinds[index] == PTR and part.name else None


def _through(types: Btf, pointer: int, offset: int, size: int) -> BtfMember | None:
    """Return the member that begins at an offset of what a pointer points to, or None."""
    found = types.kind(types.bare(pointer))
    return types.member_at(found.size_or_type, offset, size) if found.kind == PTR else None


def _guess(
    types: Btf, taken: list[BtfMember], access: FaultingAccess, register: str
) -> Pointer | None:
    offset = access.address - access.value
    found = tuple(dict.fromkeys(_members(types, taken, offset, access.size)))
    if offset <= 0 or not found:
        return None
    return Pointer(
        register=register,
        held=f"{access.value:#x}",
        value=f"{access.value:#x}",
        offset=offset,
        how="candidates",
        candidates=found[:_MOST_CANDIDATES],
    )


def _members(types: Btf, taken: list[BtfMember], offset: int, size: int) -> Iterator[str]:
    for part in taken:
        inside = _through(types, part.type, offset, size)
        if inside is not None:
            holder = types.type_name(types.kind(types.bare(part.type)).size_or_type)
            yield clean_line(f"{holder.removeprefix('const ')}.{inside.name}")
