"""Dumps whose headers ask for more than there is: the script reads a bounded part and says so."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from hosts.script_files import PACKAGE
from tools.dump.test_dump_file import elf_dump, elf_image, flattened, kdump_dump

SCRIPT = PACKAGE / "tools/scripts/dump_header.py"
_MEMORY = 1 << 29


def said(*words: str | Path) -> str:
    """Return what the script prints, with little memory and in little time."""
    limit = f"import resource; resource.setrlimit(resource.RLIMIT_AS, ({_MEMORY}, {_MEMORY}))\n"
    code = limit + SCRIPT.read_text()
    done = subprocess.run(
        (sys.executable, "-c", code, *map(str, words)), capture_output=True, text=True, timeout=100
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def changed(data: bytes, at: int, form: str, *values: int) -> bytes:
    out = bytearray(data)
    struct.pack_into(form, out, at, *values)
    return bytes(out)


@pytest.mark.parametrize(
    "dump",
    [
        changed(elf_dump(), 32, "<Q", (1 << 64) - 1),
        changed(elf_dump(), 56, "<H", 0xFFFF),
        changed(elf_dump(), 64 + 32, "<Q", 1 << 62),
        changed(kdump_dump(), 424, "<IiII", 1, 1 << 30, 0xFFFFFFFF, 0xFFFFFFFF),
        changed(kdump_dump(), 424, "<IiII", 1, -(1 << 31), 1, 2),
        changed(kdump_dump(), 4096 + 32, "<qQ", 1 << 62, 1 << 62),
        flattened(changed(kdump_dump(), 424, "<IiII", 1, 1 << 30, 0xFFFFFFFF, 0xFFFFFFFF)),
        flattened(changed(kdump_dump(), 424, "<IiII", 1, 4096, 1, 0xFFFFFFFF)),
        flattened(elf_dump(), end=False) + struct.pack(">qq", 1 << 62, 1) + b"x",
    ],
)
def test_a_header_that_asks_for_what_is_not_there_is_a_cut_dump(
    tmp_path: Path, dump: bytes
) -> None:
    (tmp_path / "vmcore").write_bytes(dump)
    assert "cut=1" in said(tmp_path / "vmcore", "")


def test_notes_that_lie_over_each_other_are_not_read_without_end(tmp_path: Path) -> None:
    """Each of 65 thousand headers names the same 16 MB."""
    rows = struct.pack("<IIQQQQQQ", 4, 0, 0, 0, 0, 1 << 24, 1 << 24, 0) * 0xFFFF
    dump = changed(elf_dump()[:64] + rows, 56, "<H", 0xFFFF)
    with (tmp_path / "vmcore").open("wb") as file:
        # A note that is as long as the rest, so that the time goes into reading.
        file.write(dump)
        file.truncate(1 << 25)
    assert "cut=1" in said(tmp_path / "vmcore", "")


@pytest.mark.parametrize("at", [40, 58, 60])
def test_a_vmlinux_whose_header_asks_for_too_much_is_none(tmp_path: Path, at: int) -> None:
    (tmp_path / "vmcore").write_bytes(elf_dump())
    (tmp_path / "vmlinux").write_bytes(changed(elf_image("ab" * 20), at, "<H", 0xFFFF))
    assert "vmlinux_bad=" in said(tmp_path / "vmcore", tmp_path / "vmlinux")


def test_names_of_sections_beyond_all_bounds_are_not_read(tmp_path: Path) -> None:
    image = elf_image("ab" * 20)
    size_of_names = len(image) - 64 + 32
    (tmp_path / "vmcore").write_bytes(elf_dump())
    (tmp_path / "vmlinux").write_bytes(changed(image, size_of_names, "<Q", 1 << 62))
    assert "vmlinux_bad=no vmlinux" in said(tmp_path / "vmcore", tmp_path / "vmlinux")


@pytest.mark.parametrize("kind", ["fifo", "device", "folder"])
def test_a_dump_that_is_no_regular_file_is_told_and_not_opened(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "vmcore"
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    else:
        path.mkdir()
    assert "not a regular file" in said(path, "")
