"""BTF against the DWARF of the same modules, and against a table written by hand."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pagefault_doctor.model.pointer import Pointer
from pagefault_doctor.symbols.access import FaultingAccess
from pagefault_doctor.symbols.btf import Btf
from pagefault_doctor.symbols.btf_pointer import module_types, pointer_by_types
from pagefault_doctor.symbols.elf_sections import Sections
from pagefault_doctor.symbols.function_code import FunctionCode
from pagefault_doctor.symbols.instruction import decode_bytes
from pagefault_doctor.symbols.module_file import elf_errors, find_code, open_module
from pagefault_doctor.symbols.pointer import find_pointer
from pagefault_doctor.symbols.variable_names import VariableNames
from requirements import require


def table(types: bytes, texts: bytes) -> bytes:
    """Return BTF of these types and texts (`include/uapi/linux/btf.h`)."""
    head = struct.pack("<HBBIIIII", 0xEB9F, 1, 0, 24, 0, len(types), len(types), len(texts))
    return head + types + texts


TEXTS = b"\0int\0card\0id\0owner\0lock\0look\0at\0"


def text(word: bytes) -> int:
    return TEXTS.index(b"\0" + word + b"\0") + 1


def kind(number: int, name: int, count: int, last: int) -> bytes:
    return struct.pack("<III", name, number << 24 | count, last)


TYPES = b"".join(
    (
        kind(1, text(b"int"), 0, 4) + struct.pack("<I", 32),  # 1: int
        kind(4, text(b"card"), 3, 40),  # 2: struct card, of which the last member has no name
        *(
            struct.pack("<III", name, of, 8 * at)
            for name, of, at in ((text(b"id"), 1, 0), (text(b"owner"), 3, 8), (0, 5, 16))
        ),
        kind(2, 0, 0, 2),  # 3: struct card *
        kind(3, 0, 0, 0) + struct.pack("<III", 1, 1, 6),  # 4: int [6]
        kind(4, 0, 1, 24) + struct.pack("<III", text(b"lock"), 4, 0),  # 5: struct { int lock[6]; }
        kind(13, 0, 1, 1) + struct.pack("<II", text(b"at"), 3),  # 6: int (struct card *at)
        kind(12, text(b"look"), 0, 6),  # 7: look
    )
)


def test_types_are_named_as_c_writes_them_and_members_are_found() -> None:
    types = Btf(table(TYPES, TEXTS))
    taken = types.function("look")
    assert taken
    assert [(part.name, types.type_name(part.type)) for part in taken] == [("at", "struct card *")]
    members = {at: types.member_at(2, at, 4) for at in (0, 8, 16, 24, 12, 40)}
    assert {at: found.name if found else None for at, found in members.items()} == {
        0: "id",
        8: "owner",
        16: "lock",
        24: "lock[2]",
        12: None,
        40: None,
    }


@given(st.integers(0, len(TYPES) + 24), st.binary(min_size=1, max_size=8))
def test_damaged_types_are_refused_or_read(at: int, filling: bytes) -> None:
    data = bytearray(table(TYPES, TEXTS))
    data[at : at + len(filling)] = filling
    try:
        types = Btf(bytes(data))
        for number in range(types.count):
            types.type_name(number)
            types.member_at(number, 16, 4)
        types.function("look")
    except elf_errors():
        pass


FOLDERS = "/usr/lib/debug/lib/modules/*/kernel/"
MODULES = ("net/vmw_vsock/vsock.ko", "drivers/block/loop.ko")


def accesses(code: FunctionCode, value: int) -> Iterator[tuple[int, FaultingAccess]]:
    """Yield each instruction that goes through a register, as if that had held the value."""
    for at in code.places:
        found = decode_bytes(code.bytes_at(at), code.arch)
        if found and found.base and not found.index and found.base not in ("rsp", "rip", "rbp"):
            yield (
                at,
                FaultingAccess(
                    arch=code.arch,
                    register=found.base,
                    value=value % (1 << 64),
                    address=(value + found.displacement) % (1 << 64),
                    size=found.size,
                    registers={},
                ),
            )


def both(file: Path, value: int = 0) -> Iterator[tuple[Pointer | None, Pointer | None]]:
    """Yield the results of DWARF and of BTF for each access of a module's functions."""
    elf = open_module(file)
    release = file.parts[file.parts.index("modules") + 1]
    with elf.stream:
        types, sections = module_types(elf, file.parent, release), Sections(elf)
        require(types, "the kernel's types: package linux-image-cloud-amd64-dbg")
        assert types
        for name in [name for name, _ in types.functions()][:16]:
            placed = find_code(elf, name, 0, None)
            if placed is None:
                continue
            code = FunctionCode(sections, "x86_64", placed, sections)
            for at, access in islice(accesses(code, value), 4):
                names = VariableNames(sections, "x86_64", placed.section, at)
                ours = pointer_by_types(types, access, name, code, at)
                yield find_pointer(names, access, code), ours


@pytest.mark.parametrize("module", MODULES)
def test_btf_says_the_same_as_dwarf_where_it_says_something(module: str) -> None:
    files = list(Path("/").glob(f"{FOLDERS[1:]}{module}"))
    require(files, "modules with debug information: package linux-image-cloud-amd64-dbg")
    compared = 0
    for by_dwarf, by_types in both(files[0]):
        if by_dwarf is None or by_types is None or by_types.name is None:
            continue
        # A variable of another name or type may be a cast of the same pointer.
        if (by_types.name, by_types.type) == (by_dwarf.name, by_dwarf.type):
            assert by_types.member in (by_dwarf.member, None)
            assert by_types.offset == by_dwarf.offset
            compared += 1
    assert compared > 5


def test_btf_finds_the_same_structure_at_null_as_dwarf() -> None:
    """container_of() of NULL results in a value a little below zero."""
    files = list(Path("/").glob(f"{FOLDERS[1:]}{MODULES[1]}"))
    require(files, "modules with debug information: package linux-image-cloud-amd64-dbg")
    found = set()
    for below in range(8, 0x80, 8):
        for by_dwarf, by_types in both(files[0], -below):
            if by_dwarf is None or by_types is None or by_types.name is None:
                continue
            if (by_types.name, by_types.type) == (by_dwarf.name, by_dwarf.type):
                assert by_types.around == by_dwarf.around, below
                found.add(by_types.around)
    assert len(found - {None}) > 1, found
