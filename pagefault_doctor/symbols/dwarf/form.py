"""DWARF 4 and 5 forms: the encoding of abbreviations and attribute values (7.5)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from pagefault_doctor.symbols.elf_sections import DamagedElf

_FIXED: Final = {
    0x01: 8, 0x05: 2, 0x06: 4, 0x07: 8, 0x0B: 1, 0x0C: 1, 0x0E: 4, 0x10: 4, 0x11: 1, 0x12: 2,
    0x13: 4, 0x14: 8, 0x17: 4, 0x19: 0, 0x1E: 16, 0x1F: 4, 0x20: 8, 0x21: 0, 0x25: 1, 0x26: 2,
    0x27: 3, 0x28: 4, 0x29: 1, 0x2A: 2, 0x2B: 3, 0x2C: 4, 0x1F20: 4, 0x1F21: 4,
}  # fmt: skip
"""Size in bytes of each fixed-size form (7.5.6), in 32-bit DWARF with 8-byte addresses."""
_ULEB: Final = frozenset({0x0F, 0x15, 0x1A, 0x1B, 0x22, 0x23})
_BLOCKS: Final = {0x0A: 1, 0x03: 2, 0x04: 4}
_EXPRLOC, _BLOCK, _STRING, _SDATA, _INDIRECT, _FLAG = 0x18, 0x09, 0x08, 0x0D, 0x16, 0x19
IMPLICIT: Final = 0x21
"""DW_FORM_implicit_const: the value is in the abbreviation."""

Value = int | bytes | str
"""The value of an attribute: a number, a block or a string."""


class Abbreviation(NamedTuple):
    """An abbreviation: tag, and for each attribute its name, form and implicit constant."""

    tag: int
    has_children: bool
    attributes: tuple[tuple[int, int, int], ...]


def read_uleb(data: bytes, at: int) -> tuple[int, int]:
    """Return an unsigned LEB128 number and the offset behind it."""
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
        if shift > 140:
            raise DamagedElf("a number without end")


def read_sleb(data: bytes, at: int) -> tuple[int, int]:
    """Return a signed LEB128 number and the offset behind it."""
    value, end = read_uleb(data, at)
    bits = 7 * (end - at)
    return (value - (1 << bits) if data[end - 1] & 0x40 else value), end


def read_value(data: bytes, form: int, at: int) -> tuple[Value, int]:
    """Return the value of a form and the offset behind it. Raises DamagedElf if it is cut off."""
    size = _FIXED.get(form)
    if size is not None:
        end = at + size
        if end > len(data):
            raise DamagedElf("an entry that breaks off")
        return (int.from_bytes(data[at:end], "little") if form != _FLAG else 1), end
    if form in _ULEB:
        return read_uleb(data, at)
    if form == _SDATA:
        return read_sleb(data, at)
    if form == _STRING:
        end = data.index(b"\0", at)
        return str(data[at:end], "utf-8", "replace"), end + 1
    if form == _INDIRECT:
        form, at = read_uleb(data, at)
        if form == _INDIRECT:
            raise DamagedElf("a form of a form")
        return read_value(data, form, at)
    return _block(data, form, at)


def fixed_size(form: int) -> int | None:
    """Return the bytes of a form that always has the same number of them, else None."""
    return _FIXED.get(form)


def skip_value(data: bytes, form: int, at: int) -> int:
    """Return the offset behind a value. Raises what `read_value` raises."""
    return read_value(data, form, at)[1]


def _block(data: bytes, form: int, at: int) -> tuple[Value, int]:
    if form in (_EXPRLOC, _BLOCK):
        length, at = read_uleb(data, at)
    elif form in _BLOCKS:
        width = _BLOCKS[form]
        length, at = int.from_bytes(data[at : at + width], "little"), at + width
    else:
        raise DamagedElf(f"form {form:#x}")
    if at + length > len(data):
        raise DamagedElf("a block that breaks off")
    return data[at : at + length], at + length


def read_abbreviations(
    data: bytes, at: int, count: Callable[[], None]
) -> Iterator[tuple[int, Abbreviation]]:
    """Yield the code and content of each abbreviation; calls `count` for each."""
    while True:
        count()
        code, at = read_uleb(data, at)
        if not code:
            return
        tag, at = read_uleb(data, at)
        has_children, at = bool(data[at]), at + 1
        attributes: list[tuple[int, int, int]] = []
        while True:
            name, at = read_uleb(data, at)
            form, at = read_uleb(data, at)
            constant = 0
            if form == IMPLICIT:
                constant, at = read_sleb(data, at)
            if not name and not form:
                break
            attributes.append((name, form, constant))
        yield code, Abbreviation(tag, has_children, tuple(attributes))
