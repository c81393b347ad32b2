"""Debug information in files of its own, packed modules, and the compiler's names of functions."""

from __future__ import annotations

import gzip
import lzma
import shutil
import subprocess
from pathlib import Path

import pytest

from pagefault_doctor.cli.inputs import reports_with_source
from pagefault_doctor.klog import read_file
from pagefault_doctor.model.pointer import Pointer
from pagefault_doctor.model.report import Report
from pagefault_doctor.playbook import shelf
from pagefault_doctor.symbols import debug_file, module_file
from requirements import require_program
from symbols.faults import compiled, instructions, oops, told

FOLDER = shelf.scenario_folder("err-ptr")
MODULE = FOLDER / "fwsize.ko"


def run(*words: str | Path) -> None:
    require_program(str(words[0]))
    subprocess.run([str(word) for word in words], check=True)


def reports(folder: Path) -> tuple[Report, ...]:
    """Return the reports of the scenario's log, with what a folder of modules adds."""
    return reports_with_source(read_file(FOLDER / "serial.log").reports[:1], folder)


def pointer(folder: Path) -> Pointer | None:
    return reports(folder)[0].pointer


@pytest.fixture
def split(tmp_path: Path) -> tuple[Path, Path]:
    """Give the module without debug information, and the debug information alone."""
    bare, debug = tmp_path / "modules" / "fwsize.ko", tmp_path / "fwsize.debug"
    bare.parent.mkdir()
    run("objcopy", "--only-keep-debug", MODULE, debug)
    run("strip", "--strip-debug", "-o", bare, MODULE)
    return bare, debug


def build_id() -> str:
    return module_file.build_id(MODULE) or ""


@pytest.mark.parametrize("root", ["modules", "debug"])
def test_debug_information_is_found_by_the_build_id(
    split: tuple[Path, Path], root: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare, debug = split
    monkeypatch.setattr(debug_file, "DEBUG_ROOTS", (tmp_path / "debug",))
    assert pointer(bare.parent) is None
    there = tmp_path / root / ".build-id" / build_id()[:2] / f"{build_id()[2:]}.debug"
    there.parent.mkdir(parents=True)
    shutil.copy(debug, there)
    assert pointer(bare.parent) == pointer(FOLDER)
    assert reports(bare.parent)[0].source_line == reports(FOLDER)[0].source_line


def test_debug_information_is_found_by_the_path_of_the_module(
    split: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare, debug = split
    monkeypatch.setattr(debug_file, "DEBUG_ROOTS", (tmp_path / "debug",))
    there = tmp_path / "debug" / bare.parent.relative_to("/") / "fwsize.ko"
    there.parent.mkdir(parents=True)
    shutil.copy(debug, there)
    assert pointer(bare.parent) == pointer(FOLDER)


def test_debug_information_of_another_build_is_not_taken(
    split: tuple[Path, Path], tmp_path: Path
) -> None:
    bare, _ = split
    other = shelf.scenario_folder("null-deref-module") / "faulty.ko"
    there = bare.parent / ".build-id" / build_id()[:2] / f"{build_id()[2:]}.debug"
    there.parent.mkdir(parents=True)
    shutil.copy(other, there)
    assert pointer(bare.parent) is None


@pytest.mark.parametrize("is_whole", [True, False], ids=["whole", "damaged"])
def test_debug_information_is_found_by_its_link_and_checksum(
    tmp_path: Path, is_whole: bool
) -> None:
    """The file has no build id, as of a module that was linked without one."""
    whole = compiled(tmp_path, "x86_64", 5)
    debug, folder = tmp_path / "board.ko.dbg", tmp_path / "bare"
    folder.mkdir()
    bare = folder / "board.ko"
    run("objcopy", "--only-keep-debug", whole, debug)
    run("strip", "--strip-debug", "-o", bare, whole)
    run("objcopy", f"--add-gnu-debuglink={debug}", bare)
    (folder / ".debug").mkdir()
    data = debug.read_bytes() if is_whole else debug.read_bytes() + b"more"
    (folder / ".debug" / debug.name).write_bytes(data)
    line = instructions(whole, "x86_64", "by_member")[1]
    lines = oops("x86_64", "by_member", line, 0x60, {"rax": 0})
    found = told(bare, lines).pointer
    assert (found.name if found else None) == ("card->owner" if is_whole else None)


@pytest.mark.parametrize("suffix", [".gz", ".xz", ".zst"])
def test_packed_modules_tell_the_same(tmp_path: Path, suffix: str) -> None:
    packed = tmp_path / f"fwsize.ko{suffix}"
    if suffix == ".zst":
        run("zstd", "-q", "-o", packed, MODULE)
    else:
        pack = gzip.compress if suffix == ".gz" else lzma.compress
        packed.write_bytes(pack(MODULE.read_bytes()))
    assert pointer(tmp_path) == pointer(FOLDER)


def test_a_damaged_packed_module_tells_nothing(tmp_path: Path) -> None:
    for suffix in (".gz", ".xz", ".zst"):
        (tmp_path / f"fwsize.ko{suffix}").write_bytes(b"nothing of the kind")
        assert pointer(tmp_path) is None
