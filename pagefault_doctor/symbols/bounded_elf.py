"""An ELF file of which no more is unpacked than its own size allows.

pyelftools takes what the headers announce: a section of 1.6 MB can claim 6 GB, and zlib fills them.
"""

from __future__ import annotations

import zlib
from io import BytesIO
from typing import Any, BinaryIO, Final

from elftools.elf.elffile import ELFFile

from pagefault_doctor.symbols.elf_sections import DamagedElf

_RATIO: Final = 16
"""Unpacked bytes for each byte of the file; compilers' debug information has 3 to 8."""
_LEAST_BYTES: Final = 4 << 20
_MOST_BYTES: Final = 2 << 30
_LEAST_HEADER_BYTES: Final = 40
"""The header of a section in a 32-bit file (elf(5)); in others it is longer."""
_ZLIB_MARK: Final = b"ZLIB"
"""Before GNU's sections `.zdebug_*`; then comes their size in 8 bytes, big-endian."""


class BoundedElf(ELFFile):
    """An ELF file, read from a stream that it then owns.

    Methods raise DamagedElf where sections lie outside of the file or unpack to too much, else what
    `module_file.elf_errors` lists.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._unpacked: dict[tuple[int, int], int] = {}
        super().__init__(stream)

    def num_sections(self) -> int:
        """Return the number of sections."""
        count, each = int(super().num_sections()), int(self["e_shentsize"])
        if count and each < _LEAST_HEADER_BYTES:
            raise DamagedElf(f"section headers of {each} bytes")
        if self["e_shoff"] + count * each > self.stream_len:
            raise DamagedElf("it breaks off before the end of its section headers")
        return count

    def _make_section(self, section_header: Any) -> Any:
        kind = section_header["sh_type"]
        if kind == "SHT_NOBITS":
            # It takes no room in the file, and pyelftools would make that many zeros.
            section_header["sh_size"] = min(section_header["sh_size"], self.stream_len)
        end = section_header["sh_offset"] + section_header["sh_size"]
        if kind not in ("SHT_NOBITS", "SHT_NULL") and end > self.stream_len:
            raise DamagedElf("a section ends beyond the end of the file")
        section = super()._make_section(section_header)
        if section.compressed:
            self._announce(section_header, section.data_size)
        return section

    def _announce(self, header: Any, size: int) -> None:
        """Count what a section will unpack to, once for each section."""
        # zlib takes a limit of 0 for none.
        if not size:
            raise DamagedElf("a compressed section of no bytes")
        self._unpacked[header["sh_name"], header["sh_offset"]] = size
        limit = min(max(_RATIO * self.stream_len, _LEAST_BYTES), _MOST_BYTES)
        if sum(self._unpacked.values()) > limit:
            raise DamagedElf(f"its sections unpack to more than {limit:,} bytes")

    def _read_dwarf_section(self, section: Any, relocate_dwarf_sections: bool) -> Any:
        if section.name.startswith(".zdebug"):
            mark = section.data()[:12]
            if mark[:4] != _ZLIB_MARK:
                raise DamagedElf(f"{section.name} does not begin with {_ZLIB_MARK.decode()}")
            self._announce(section.header, int.from_bytes(mark[4:], "big"))
        return super()._read_dwarf_section(section, relocate_dwarf_sections)

    @staticmethod
    def _decompress_dwarf_section(section: Any) -> Any:
        packed = section.stream.getvalue()
        size = int.from_bytes(packed[4:12], "big")
        data = zlib.decompressobj().decompress(packed[12:], size)
        if len(data) != size:
            raise DamagedElf(f"{section.name} has {len(data)} bytes and announces {size}")
        return section._replace(stream=BytesIO(data), size=size)
