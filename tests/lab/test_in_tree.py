"""Modules of a kernel's own package: found by name, with what they depend on."""

from __future__ import annotations

import lzma
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from pagefault_doctor.lab import in_tree
from pagefault_doctor.lab.in_tree import in_tree_module
from pagefault_doctor.lab.kernels import KernelHere
from pagefault_doctor.lab.machine import DEFAULT_MACHINE
from pagefault_doctor.lab.stock import Stock
from pagefault_doctor.model.errors import MissingError, UsageError
from requirements import require_program
from tools.module_elf import module

RELEASE = "9.1.0-lab"
OTHER = "9.2.0-lab"


def module_file(release: str, softdep: str = "") -> bytes:
    """Return a module for a kernel, which may ask modprobe to load others before it."""
    asks = f"\0softdep={softdep}" if softdep else ""
    return module(source=f"0\0vermagic={release} SMP mod_unload{asks}")


def put_kernel(root: Path, release: str, files: Mapping[str, bytes], built_in: str = "") -> Stock:
    """Return the stock of a kernel with these files of modules."""
    require_program("modprobe")
    home = root / "lib/modules" / release
    for name, data in files.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_bytes(data)
    (home / "modules.builtin").write_text(built_in)
    subprocess.run((require_program("depmod"), "-b", str(root), release), check=True)
    return Stock(DEFAULT_MACHINE, root)


@pytest.fixture
def stock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stock:
    """A kernel with roof-tile, which asks for ladder, and with a stair that is built in."""
    monkeypatch.setattr(in_tree, "kernels_here", lambda machine: ())
    files = {
        "kernel/ladder.ko.xz": lzma.compress(module_file(RELEASE)),
        "kernel/roof-tile.ko.xz": lzma.compress(module_file(RELEASE, "pre: ladder")),
    }
    return put_kernel(tmp_path / "root", RELEASE, files, "kernel/stair.ko\n")


@pytest.mark.parametrize("name", ["roof-tile", "roof_tile"])
def test_a_module_is_found_by_either_spelling_with_what_is_loaded_before_it(
    stock: Stock, name: str
) -> None:
    found = in_tree_module(name, RELEASE, stock)
    assert (found.name, found.release, found.depends) == ("roof-tile", RELEASE, ("ladder",))
    assert found.data == module_file(RELEASE, "pre: ladder")


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("cellar", f"cellar is no module of {RELEASE}; another kernel may have it"),
        ("stair", f"stair is no module of {RELEASE}; it is built in; another kernel may have it"),
        ("laddr", f"laddr is no module of {RELEASE}; did you mean ladder?"),
    ],
)
def test_a_kernel_without_the_module_is_told_with_what_can_be_done(
    stock: Stock, name: str, told: str
) -> None:
    with pytest.raises(MissingError) as error:
        in_tree_module(name, RELEASE, stock)
    assert str(error.value).startswith(told)


def test_a_kernel_that_has_it_is_named(
    stock: Stock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = put_kernel(tmp_path / "other", OTHER, {"kernel/stair.ko": module_file(OTHER)})
    here = (
        KernelHere("9.1", RELEASE, str(stock.root)),
        KernelHere("9.2", OTHER, str(other.root)),
    )
    monkeypatch.setattr(in_tree, "kernels_here", lambda machine: here)
    with pytest.raises(MissingError, match=r"it is built in; --kernel 9\.2 has it as a module"):
        in_tree_module("stair", RELEASE, stock)


def test_an_alias_is_not_taken_for_the_name_of_a_module(stock: Stock) -> None:
    home = stock.path(f"lib/modules/{RELEASE}/kernel")
    asks = module(source=f"0\0vermagic={RELEASE} SMP\0alias=fs-chimney")
    put_kernel(stock.root, RELEASE, {"kernel/chimney.ko": asks})
    assert (home / "chimney.ko").exists()
    with pytest.raises(MissingError, match="fs-chimney is no module of"):
        in_tree_module("fs-chimney", RELEASE, stock)


@pytest.mark.parametrize("name", ["../ladder", "-a", "a b", "", "x" * 80])
def test_what_is_no_name_is_refused(stock: Stock, name: str) -> None:
    with pytest.raises(UsageError, match="is no name of a module"):
        in_tree_module(name, RELEASE, stock)
