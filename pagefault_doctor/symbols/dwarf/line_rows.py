"""The rows of one unit's line program, decoded at once (DWARF 2 to 5, section 6.2).

`line_table` answers one question about a file of any machine; these rows answer many about a file
whose sections can be relocated (`elf_sections.WIDTHS`) or need not be.
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from typing import Final, NamedTuple

from pagefault_doctor.symbols.dwarf.form import Value, read_sleb, read_uleb, read_value
from pagefault_doctor.symbols.dwarf.line_table import MAX_UNIT_BYTES
from pagefault_doctor.symbols.elf_sections import DamagedElf, Sections, text_at

_STRINGS: Final = {0x0E: ".debug_str", 0x1F: ".debug_line_str"}
"""The sections of DW_FORM_strp and DW_FORM_line_strp."""
_PATH, _DIRECTORY = 1, 2
"""DW_LNCT_path and DW_LNCT_directory_index (7.22)."""
_MAX_FILES: Final = 100_000


class _Header(NamedTuple):
    """What of a header the rows depend on; `start` is where the program begins."""

    version: int
    step: int
    line_base: int
    line_range: int
    opcode_base: int
    lengths: bytes
    start: int


class _Sequence(NamedTuple):
    """Rows of ascending addresses: `rows` has the file's number and the line of each address."""

    end: int
    addresses: list[int]
    rows: list[tuple[int, int]]


class LineRows:
    """The rows of the unit at an offset of `.debug_line`.

    Raises DamagedElf, struct.error or IndexError where the unit is damaged.
    """

    def __init__(self, sections: Sections, start: int, folder: str) -> None:
        self._sections, self._folder = sections, folder
        (length,) = struct.unpack("<I", sections.read(".debug_line", start, start + 4))
        if length > MAX_UNIT_BYTES:
            raise DamagedElf(f"a line table of {length:,} bytes")
        data = sections.read(".debug_line", start, start + 4 + length)
        self._folders: list[str] = []
        self._files: list[tuple[str, int]] = []
        self._header = self._read_header(data)
        self._sequences = _sequences(data, self._header)

    def at(self, address: int) -> tuple[str, int] | None:
        """Return file and line of an address, or None.

        Of several rows for one address the last one counts, as addr2line takes it.
        """
        for sequence in self._sequences:
            if sequence.addresses[0] <= address < sequence.end:
                file, line = sequence.rows[bisect_right(sequence.addresses, address) - 1]
                return self.path(file), line
        return None

    def path(self, number: int) -> str:
        """Return the path of a file by its number, from the folder of the build on."""
        is_new = self._header.version >= 5
        index = number if is_new else number - 1
        if not 0 <= index < len(self._files):
            return "?"
        name, at = self._files[index]
        if name.startswith("/"):
            return name
        # Number 0 is the folder of the build, which the table has itself since version 5.
        below = self._folders[at if is_new else at - 1] if 0 < at <= self._last_folder else ""
        folder = below if below.startswith("/") or not self._folder else self._folder
        parts = (folder, "" if folder == below else below, name)
        return "/".join(part for part in parts if part)

    @property
    def _last_folder(self) -> int:
        return len(self._folders) - (self._header.version >= 5)

    def _read_header(self, data: bytes) -> _Header:
        (version,) = struct.unpack_from("<H", data, 4)
        if not 2 <= version <= 5:
            raise DamagedElf(f"a line table of version {version}")
        at = 8 if version >= 5 else 6
        (length,) = struct.unpack_from("<I", data, at)
        start = at = at + 4
        step, at = data[at], at + (2 if version >= 4 else 1)
        _, line_base, line_range, opcode_base = struct.unpack_from("<BbBB", data, at)
        if not line_range or not opcode_base:
            raise DamagedElf("a line table without opcodes")
        lengths = data[at + 4 : at + 3 + opcode_base]
        at += 3 + opcode_base
        if version >= 5:
            entries, at = self._read_entries(data, at)
            self._folders = [name for name, _ in entries]
            self._files, at = self._read_entries(data, at)
        else:
            self._read_old_names(data, at)
        return _Header(version, step, line_base, line_range, opcode_base, lengths, start + length)

    def _read_entries(self, data: bytes, at: int) -> tuple[list[tuple[str, int]], int]:
        """Return the names of a table of version 5, each with the number of its folder."""
        count, at = data[at], at + 1
        form: list[tuple[int, int]] = []
        for _ in range(count):
            kind, at = read_uleb(data, at)
            code, at = read_uleb(data, at)
            form.append((kind, code))
        count, at = read_uleb(data, at)
        if count > _MAX_FILES:
            raise DamagedElf(f"a line table of {count:,} files")
        entries = []
        for _ in range(count):
            name, folder = "", 0
            for kind, code in form:
                value, at = read_value(data, code, at)
                if kind == _PATH:
                    name = self._text(code, value)
                elif kind == _DIRECTORY and isinstance(value, int):
                    folder = value
            entries.append((name, folder))
        return entries, at

    def _text(self, form: int, value: Value) -> str:
        if isinstance(value, int) and form in _STRINGS:
            return text_at(self._sections.data(_STRINGS[form]), value)
        return value if isinstance(value, str) else "?"

    def _read_old_names(self, data: bytes, at: int) -> None:
        """Read the tables of version 2 to 4, each of which ends with an empty name."""
        while data[at]:
            end = data.index(b"\0", at)
            self._folders.append(str(data[at:end], "utf-8", "replace"))
            at = end + 1
        at += 1
        while data[at]:
            end = data.index(b"\0", at)
            folder, rest = read_uleb(data, end + 1)
            self._files.append((str(data[at:end], "utf-8", "replace"), folder))
            _, rest = read_uleb(data, rest)
            _, at = read_uleb(data, rest)


def _sequences(data: bytes, header: _Header) -> list[_Sequence]:
    """Return the sequences of a line program (6.2.5).

    One long function: it runs for each of some ten thousand bytes, and calls would double its time.
    """
    base, step = header.opcode_base, header.step
    # A special opcode advances the address and the line at once (6.2.5.1).
    advances = [(op - base) // header.line_range * step for op in range(256)]
    lines = [header.line_base + (op - base) % header.line_range for op in range(256)]
    found: list[_Sequence] = []
    address, file, line = 0, 1, 1
    addresses: list[int] = []
    rows: list[tuple[int, int]] = []
    at, end = header.start, len(data)
    while at < end:
        op = data[at]
        at += 1
        if op >= base:
            address += advances[op]
            line += lines[op]
        elif op == 0:
            length, at = read_uleb(data, at)
            kind = data[at] if length else 0
            if kind == 1:
                if addresses and address > addresses[0]:
                    found.append(_Sequence(address, addresses, rows))
                address, file, line, addresses, rows = 0, 1, 1, [], []
            elif kind == 2:
                address = int.from_bytes(data[at + 1 : at + length], "little")
            at += length
            continue
        elif op != 1:
            if op == 3:
                change, at = read_sleb(data, at)
                line += change
            elif op == 8:
                address += advances[255]
            elif op == 9:
                address, at = address + int.from_bytes(data[at : at + 2], "little"), at + 2
            elif op in (2, 4):
                value, at = read_uleb(data, at)
                address, file = (address + value * step, file) if op == 2 else (address, value)
            else:
                for _ in range(header.lengths[op - 1]):
                    _, at = read_uleb(data, at)
            continue
        if addresses and addresses[-1] == address:
            rows[-1] = (file, line)
        else:
            addresses.append(address)
            rows.append((file, line))
    return found
