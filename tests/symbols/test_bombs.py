"""Files that would fill memory or never end: they are read up to what their own size allows."""

from __future__ import annotations

import gzip
import json
import lzma
import os
import shutil
import socket
import struct
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Final

import pytest

from pagefault_doctor.symbols import btf, compressed_module, file_search
from pagefault_doctor.symbols.btf import Btf
from pagefault_doctor.symbols.elf_sections import DamagedElf
from pagefault_doctor.symbols.module_file import open_module
from requirements import require_program
from symbols.damaged_elf import COMPRESSED, MODULE, NOBITS, announced, bomb, with_sections

LOG: Final = MODULE.parent / "serial.log"
_MEMORY: Final = 800 << 20
"""Bytes of address space of the child; Python and capstone take a third."""
_CHILD: Final = f"""
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, ({_MEMORY}, {_MEMORY}))
from pagefault_doctor.cli.main import main
sys.exit(main(["diagnose", "--json", sys.argv[1], "--module-dir", sys.argv[2]]))
"""
_HUGE: Final = 6 << 30
_LARGE: Final = 800 << 20
SECTIONS: Final = (
    *(".debug_info", ".debug_abbrev", ".debug_aranges", ".debug_str", ".debug_line"),
    *(".debug_rnglists", ".debug_loclists", ".debug_line_str"),
)


def diagnosed(folder: Path) -> str:
    """Return what a report says of a folder of modules, in a child with little memory.

    It must give its diagnosis all the same, and not by running out of memory.
    """
    done = subprocess.run(
        (sys.executable, "-c", _CHILD, str(LOG), str(folder)),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert "fwsize" in done.stdout
    assert "MemoryError" not in done.stderr
    assert "Traceback" not in done.stderr
    return "; ".join(report.get("file_note", "") for report in json.loads(done.stdout)["reports"])


def test_a_bomb_is_what_it_says() -> None:
    assert zlib.decompress(bomb(32 << 20)) == bytes(32 << 20)


def module_of(tmp_path: Path, data: bytes) -> Path:
    (tmp_path / "fwsize.ko").write_bytes(data)
    return tmp_path


def test_a_sound_module_needs_no_word(tmp_path: Path) -> None:
    shutil.copy(MODULE, tmp_path)
    assert diagnosed(tmp_path) == ""


@pytest.mark.parametrize("claim", [_HUGE, _LARGE, 0], ids=["huge", "large", "none"])
def test_a_compressed_section_unpacks_to_no_more_than_its_file_allows(
    tmp_path: Path, claim: int
) -> None:
    packed = announced(claim, bomb(_LARGE))
    data = with_sections(dict.fromkeys(SECTIONS, packed), COMPRESSED)
    said = diagnosed(module_of(tmp_path, data))
    assert f"{tmp_path}/fwsize.ko was not used:" in said
    assert ("unpack to more than" if claim else "a compressed section of no bytes") in said


@pytest.mark.parametrize("claim", [_LARGE, 100], ids=["announced", "not announced"])
def test_so_does_a_section_in_the_older_form(tmp_path: Path, claim: int) -> None:
    sections = dict.fromkeys(SECTIONS, b"ZLIB" + claim.to_bytes(8, "big") + bomb(_LARGE))
    del sections[".debug_line"]
    data = with_sections(sections, rename="z")
    assert "was not used" in diagnosed(module_of(tmp_path, data))


def test_a_section_that_claims_more_than_its_file_has_is_not_made_up(tmp_path: Path) -> None:
    data = with_sections(dict.fromkeys(SECTIONS, b""), kind=NOBITS, size=_LARGE)
    diagnosed(module_of(tmp_path, data))
    with open_module(tmp_path / "fwsize.ko") as elf:
        section = elf.get_section_by_name(".debug_str")
        assert section
        assert len(section.data()) <= len(data)
    module_of(tmp_path, with_sections({".debug_line": b""}, size=_LARGE))
    assert "ends beyond the end of the file" in diagnosed(tmp_path)


def test_section_headers_without_end_are_not_looked_for(tmp_path: Path) -> None:
    data = bytearray(MODULE.read_bytes())
    (table,) = struct.unpack_from("<Q", data, 0x28)
    # The number of sections is then in the size of the first.
    struct.pack_into("<H", data, 0x3C, 0)
    struct.pack_into("<Q", data, table + 0x20, 1 << 40)
    assert "section headers" in diagnosed(module_of(tmp_path, bytes(data)))


@pytest.mark.parametrize("suffix", [".gz", ".xz", ".zst"])
def test_a_packed_module_unpacks_to_no_more_than_its_size_allows(
    tmp_path: Path, suffix: str
) -> None:
    packed = tmp_path / f"fwsize.ko{suffix}"
    if suffix == ".zst":
        program = require_program("zstd")
        zeros = tmp_path / "zeros"
        with zeros.open("wb") as file:
            file.truncate(_LARGE)
        subprocess.run((program, "-q", zeros, "-o", packed), check=True)
        zeros.unlink()
    else:
        # Both formats may hold several streams, one after another.
        pack = gzip.compress if suffix == ".gz" else lzma.compress
        packed.write_bytes(pack(bytes(1 << 20)) * (_LARGE >> 20))
    assert f"{packed} unpacks to more than" in diagnosed(tmp_path)


def test_what_a_sound_module_unpacks_to_is_far_from_the_limit(tmp_path: Path) -> None:
    packed = tmp_path / "fwsize.ko.xz"
    packed.write_bytes(lzma.compress(MODULE.read_bytes()))
    assert len(MODULE.read_bytes()) < compressed_module._RATIO * packed.stat().st_size / 4


def test_only_regular_files_are_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fwsize.ko")
    os.symlink("/dev/zero", tmp_path / "fwsize.ko.gz")
    os.symlink("fwsize.ko.xz", tmp_path / "fwsize.ko.xz")
    with socket.socket(socket.AF_UNIX) as listener:
        there = os.getcwd()
        os.chdir(tmp_path)
        try:
            listener.bind("fwsize.ko.zst")
        finally:
            os.chdir(there)
        said = diagnosed(tmp_path)
    assert said.count("is not a readable file") == 4
    (tmp_path / "sound").mkdir()
    shutil.copy(MODULE, tmp_path / "sound")
    os.symlink("..", tmp_path / "sound" / "loop")
    found = file_search.files_below(tmp_path, lambda name: name.startswith("fwsize.ko"))
    assert list(found) == [tmp_path / "sound" / "fwsize.ko"]


def test_a_folder_without_end_is_searched_to_a_bound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(30):
        (tmp_path / f"{number}.ko").touch()
    monkeypatch.setattr(file_search, "MAX_ENTRIES", 20)
    said: list[str] = []
    assert len(list(file_search.files_below(tmp_path, lambda _: True, said.append))) == 20
    assert said == [f"{tmp_path} has more than 20 files: the rest was left out"]


def test_a_folder_that_cannot_be_searched_is_told(tmp_path: Path) -> None:
    said: list[str] = []
    assert not list(file_search.files_below(tmp_path / "gone", lambda _: True, said.append))
    assert said == [f"{tmp_path}/gone was not searched: No such file or directory"]


@pytest.mark.parametrize("damage", ["empty", "cut", "text"])
def test_a_module_that_cannot_be_read_is_told_not_passed_over(tmp_path: Path, damage: str) -> None:
    whole = MODULE.read_bytes()
    data = {"empty": b"", "cut": whole[: len(whole) // 2], "text": b"no module\n" * 99}[damage]
    said = diagnosed(module_of(tmp_path, data))
    assert "\n" not in said
    assert f"{tmp_path}/fwsize.ko" in said


def test_structures_in_structures_without_end_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of 20 structures holds the next one ten times, all at the same place."""
    assert btf._MAX_MEMBERS < 10**7
    monkeypatch.setattr(btf, "_MAX_MEMBERS", 10_000)
    strings = b"\0member\0"
    types = b""
    for number in range(1, 21):
        types += struct.pack("<III", 1, 4 << 24 | 10, 64)
        types += struct.pack("<III", 1, number + 1, 0) * 10
    types += struct.pack("<III", 1, 4 << 24 | 0, 64)
    header = struct.pack("<HBBIIIII", 0xEB9F, 1, 0, 24, 0, len(types), len(types), len(strings))
    found = Btf(header + types + strings)
    with pytest.raises(DamagedElf, match="too many members"):
        found.member_at(1, 8, 8)
    assert found.count * 10 < btf._MAX_MEMBERS
