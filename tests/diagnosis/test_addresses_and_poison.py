"""What an address alone shows."""

from __future__ import annotations

import pytest

from pagefault_doctor.diagnosis import poison
from pagefault_doctor.diagnosis.address import (
    AddressClass,
    classify,
    errno_name,
    error_of,
    printable,
    repaired,
    unshadowed,
)


@pytest.mark.parametrize(
    ("value", "arch", "part"),
    [
        (0x0, "x86_64", AddressClass.NULL),
        (0x28, "x86_64", AddressClass.NEAR_NULL),
        (0xFFFF, "arm64", AddressClass.NEAR_NULL),
        (0x10000, "x86_64", AddressClass.USER),
        (0xFFFFFFFFFFFFF001, "x86_64", AddressClass.ERROR),
        (0xFFFFFFFFFFFFF000, "x86_64", AddressClass.KERNEL),
        (0xFFFFFFF4, "arm", AddressClass.ERROR),
        (0x7FFFFFFFE000, "x86_64", AddressClass.USER),
        (0x800000000000, "x86_64", AddressClass.NON_CANONICAL),
        (0xDFFF91A2C3D4E5F0, "x86_64", AddressClass.NON_CANONICAL),
        (0xDEAD000000000108, "x86_64", AddressClass.POISON),
        (0x6B6B6B6B6B6B6BA5, "x86_64", AddressClass.POISON),
        (0xFFFF888012345678, "x86_64", AddressClass.DIRECT_MAP),
        (0xFFFF91A2C3D40000, "x86_64", AddressClass.KERNEL),
        (0xFF11000012345678, "x86_64", AddressClass.DIRECT_MAP),
        (0xFFFFC90000346000, "x86_64", AddressClass.VMALLOC),
        (0xFFFFEA0000123440, "x86_64", AddressClass.VMEMMAP),
        (0xFFFFFFFF81234567, "x86_64", AddressClass.TEXT),
        (0xFFFFFFFFC0B70060, "x86_64", AddressClass.MODULES),
        (0xBF012344, "arm", AddressClass.MODULES),
        (0x12345678, "arm", AddressClass.USER),
        (0xFFFF800008A01000, "arm64", AddressClass.KERNEL),
        (0xFFFF7999C288D600, "arm64", AddressClass.DIRECT_MAP),
        (0x0000FFFFFD0E0048, "arm64", AddressClass.USER),
        (0xFFEE000012345678, "arm64", AddressClass.NON_CANONICAL),
        (0xFFFF000004C12340, "arm64", AddressClass.DIRECT_MAP),
        (0x0000FFFF9B8A6540, "arm64", AddressClass.USER),
        (0x001F9B8A6540FFFF, "arm64", AddressClass.NON_CANONICAL),
    ],
)
def test_the_part_of_the_address_space(value: int, arch: str, part: AddressClass) -> None:
    assert classify(value, arch) is part


@pytest.mark.parametrize(
    ("value", "name", "offset"),
    [
        (0xDEAD000000000100, "LIST_POISON1", 0),
        (0xDEAD000000000108, "LIST_POISON1", 8),
        (0xDEAD000000000122, "LIST_POISON2", 0),
        (0xDEAD0000000000E8, "LIST_POISON1", -0x18),
        (0x5DEADBEEF0000100, "LIST_POISON1", 0),
        (0x00100100, "LIST_POISON1", 0),
        (0x6B6B6B6B6B6B6B6B, "POISON_FREE", 0),
        (0x6B6B6B6B6B6B6B83, "POISON_FREE", 0x18),
        (0x6B6B6B6B6B6B73, "POISON_FREE", 8),
        (0xA56B6B6B6B6B6B6B, "POISON_FREE", 0),
        (0xA55A5A5A5A5A5A6A, "POISON_INUSE", 0x10),
        (0x5A5A5A5A5A5A5A5A, "POISON_INUSE", 0),
        (0xCCCCCCCCCCCCCCCC, "POISON_FREE_INITMEM", 0),
    ],
)
def test_poison_is_known_with_its_distance(value: int, name: str, offset: int) -> None:
    hit = poison.find(value)
    assert hit is not None
    assert (hit.poison.name, hit.offset) == (name, offset)


@pytest.mark.parametrize("value", [0x0, 0x100, 0x122, 0xFFFF888012345678, 0xDEAD000012345678])
def test_ordinary_values_and_small_offsets_are_no_poison(value: int) -> None:
    assert poison.find(value) is None


def test_errors_have_names() -> None:
    assert error_of(0xFFFFFFFFFFFFFFF4) == 12
    assert errno_name(12) == "-ENOMEM"
    assert error_of(0xFFFFFFFFFFFFF000) is None


def test_the_shadow_of_kasan_is_undone() -> None:
    assert unshadowed(0xDFFFFC0000000003) == 0x18


def test_text_is_told_from_addresses() -> None:
    assert printable(int.from_bytes(b"/dev/nul", "little")) == "dev/nu"
    assert printable(0xFFFF888012345678) is None


def test_a_flipped_bit_is_repaired_only_towards_a_known_neighbour() -> None:
    bad, neighbour = 0xDFFF91A2C3D4E5F0, 0xFFFF91A2C0000000
    assert repaired(bad, (neighbour,)) == (61, 0xFFFF91A2C3D4E5F0)
    assert repaired(bad, (0xFFFF888100000000,)) is None
    assert repaired(bad, ()) is None
