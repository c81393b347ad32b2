"""Files of a module, on the machine itself, that would fill memory or never end."""

from __future__ import annotations

import gzip
import lzma
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from hosts.script_files import PACKAGE
from requirements import require_program
from symbols.damaged_elf import MODULE

SCRIPT: Final = PACKAGE / "tools/scripts/module_file.py"
RELEASE: Final = "0.0.0-nowhere"
_MEMORY: Final = 600 << 20
_LARGE: Final = 800 << 20


def said(path: Path) -> str:
    """Return what the script prints of a module's file, with little memory."""
    limit = f"import resource; resource.setrlimit(resource.RLIMIT_AS, ({_MEMORY}, {_MEMORY}))\n"
    done = subprocess.run(
        (sys.executable, "-c", limit + SCRIPT.read_text(), RELEASE, "fwsize", str(path)),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("end=.\n")
    return done.stdout


def zeros(path: Path) -> None:
    """Write a file that unpacks to many zeros."""
    if path.suffix == ".zst":
        program = require_program("zstd")
        with path.open("wb") as out:
            text = subprocess.Popen(("head", "-c", str(_LARGE), "/dev/zero"), stdout=-1)
            subprocess.run((program, "-q", "-c"), stdin=text.stdout, stdout=out, check=True)
            text.communicate()
    else:
        one = gzip.compress(bytes(_LARGE >> 4)) if path.suffix == ".gz" else b""
        packer = lzma.LZMACompressor(preset=0)
        pieces = [packer.compress(bytes(1 << 20)) for _ in range(0 if one else _LARGE >> 20)]
        path.write_bytes(one * 16 or b"".join(pieces) + packer.flush())


@pytest.mark.parametrize("suffix", [".gz", ".xz", ".zst"])
def test_a_packed_module_on_the_machine_unpacks_to_no_more_than_its_size_allows(
    tmp_path: Path, suffix: str
) -> None:
    zeros(tmp_path / f"fwsize.ko{suffix}")
    assert "error=it unpacks to more than" in said(tmp_path / f"fwsize.ko{suffix}")


@pytest.mark.parametrize("suffix", ["", ".gz", ".xz", ".zst"])
def test_a_sound_one_is_read(tmp_path: Path, suffix: str) -> None:
    data, path = MODULE.read_bytes(), tmp_path / f"fwsize.ko{suffix}"
    if suffix == ".zst":
        program = require_program("zstd")
        data = subprocess.run((program, "-c"), input=data, stdout=-1, check=True).stdout
    elif suffix:
        data = gzip.compress(data) if suffix == ".gz" else lzma.compress(data)
    path.write_bytes(data)
    assert "error=" not in said(path)


def test_a_module_that_is_no_regular_file_is_told_and_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fwsize.ko")
    (tmp_path / "device.ko").symlink_to("/dev/zero")
    assert "error=not a regular file" in said(tmp_path / "fwsize.ko")
    assert "error=not a regular file" in said(tmp_path / "device.ko")
