"""The archive that the kernel unpacks."""

from __future__ import annotations

import os
import stat
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pagefault_doctor.lab.cpio import (
    CpioEntry,
    archive,
    character_device,
    file,
    folder,
    link,
    program,
)
from requirements import require_program


def unpack(data: bytes, where: Path) -> None:
    cpio = require_program("cpio")
    command = (cpio, "-idu", "--quiet", "--no-absolute-filenames")
    subprocess.run(command, input=data, cwd=where, check=True, timeout=30)


def headers(data: bytes) -> dict[str, tuple[int, bytes]]:
    """Read a newc archive: the mode and contents of each path."""
    found: dict[str, tuple[int, bytes]] = {}
    at = 0
    while True:
        fields = [int(data[at + 6 + 8 * n : at + 14 + 8 * n], 16) for n in range(13)]
        name = data[at + 110 : at + 109 + fields[11]].decode()
        if name == "TRAILER!!!":
            return found
        start = at + (110 + fields[11] + 3) // 4 * 4
        found[name] = fields[1], data[start : start + fields[6]]
        at = start + (fields[6] + 3) // 4 * 4


def test_cpio_unpacks_what_was_packed(tmp_path: Path) -> None:
    entries = (
        file("etc/hostname", b"lab\n"),
        program("init", b"#!/bin/sh\n"),
        link("bin", "usr/bin"),
        folder("proc"),
    )
    unpack(archive(entries), tmp_path)
    assert (tmp_path / "etc/hostname").read_bytes() == b"lab\n"
    assert os.access(tmp_path / "init", os.X_OK)
    assert os.readlink(tmp_path / "bin") == "usr/bin"
    assert (tmp_path / "proc").is_dir()


def test_the_folders_of_a_file_come_before_it() -> None:
    assert list(headers(archive([file("/usr/lib/modules/x.ko", b"")]))) == [
        "usr",
        "usr/lib",
        "usr/lib/modules",
        "usr/lib/modules/x.ko",
    ]


def test_the_first_entry_of_a_path_counts() -> None:
    packed = headers(archive([file("init", b"real"), file("init", b"stand-in")]))
    assert packed["init"][1] == b"real"


def test_a_device_keeps_its_kind_and_numbers() -> None:
    entry = character_device("dev/console", 5, 1)
    data = archive([entry])
    assert stat.S_ISCHR(headers(data)["dev/console"][0])
    record = data[data.index(b"dev/console") - 110 :]
    assert (record[78:86], record[86:94]) == (b"00000005", b"00000001")


@pytest.mark.parametrize("size", range(9))
def test_every_record_is_aligned(size: int) -> None:
    packed = headers(archive([file("x" * size + "y", b"z" * size), file("last", b"!")]))
    assert packed["last"][1] == b"!"


NAMES = st.text("abcdefgh./-_", min_size=1, max_size=12).filter(
    lambda name: all(part not in ("", ".", "..") for part in name.split("/"))
)


@given(st.dictionaries(NAMES, st.binary(max_size=40), max_size=6))
def test_contents_come_back(contents: dict[str, bytes]) -> None:
    entries: list[CpioEntry] = [file(name, data) for name, data in contents.items()]
    packed = headers(archive(entries))
    for name, data in contents.items():
        if stat.S_ISREG(packed[name][0]):
            assert packed[name][1] == data
