"""What goes into a guest."""

from __future__ import annotations

import gzip
import lzma
from collections.abc import Callable
from pathlib import Path

import pytest

from pagefault_doctor.lab import initramfs
from pagefault_doctor.lab.initramfs import libraries
from pagefault_doctor.lab.machine import MACHINES, S390X
from pagefault_doctor.lab.stock import DEFAULT_STOCK, Stock
from pagefault_doctor.model.errors import MissingError


def test_libraries_are_those_a_program_needs_and_its_loader() -> None:
    shell = initramfs.find_program("sh")
    assert shell
    found = dict(libraries(shell))
    assert any("libc.so" in path for path in found)
    assert any("ld-linux" in path or "ld-musl" in path for path in found)
    assert all(str(path) == place and path.is_file() for place, path in found.items())


def test_what_the_files_themselves_name_is_what_the_loader_would_load(tmp_path: Path) -> None:
    shell = initramfs.find_program("dmesg")
    assert shell
    named = dict(libraries(shell, Stock(DEFAULT_STOCK.machine, Path("/usr/.."))))
    loaded = dict(libraries(shell))
    assert {path.resolve() for path in named.values()} == {p.resolve() for p in loaded.values()}


def test_what_is_no_program_needs_no_library(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("hello => /etc/passwd (0x1\n")
    assert tuple(libraries(tmp_path / "text")) == ()
    assert tuple(libraries(tmp_path / "text", Stock(DEFAULT_STOCK.machine, tmp_path))) == ()


@pytest.mark.parametrize(
    ("path", "ends_up_at"),
    [
        ("/lib/modules/6.1/x.ko", "usr/lib/modules/6.1/x.ko"),
        ("/lib64/ld-linux-x86-64.so.2", "usr/lib64/ld-linux-x86-64.so.2"),
        ("/usr/lib/x", "usr/lib/x"),
        ("/libexec/x", "libexec/x"),
        ("/etc/passwd", "etc/passwd"),
    ],
)
def test_top_folders_are_merged_into_usr(path: str, ends_up_at: str) -> None:
    assert initramfs.merged_path(path) == ends_up_at


def test_a_guest_is_not_built_without_its_base(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(initramfs, "find_program", lambda name, stock: None)
    with pytest.raises(MissingError, match="busybox, dash, kmod"):
        initramfs.build("6.1.0")


@pytest.mark.parametrize("end", ["", ".xz", ".gz"])
def test_the_modules_that_pass_a_panic_on_are_unpacked(tmp_path: Path, end: str) -> None:
    """From Linux 6.12 on Debian's are compressed; without them a dump cannot be read."""
    folder = tmp_path / "lib/modules/9.1"
    packers: dict[str, Callable[[bytes], bytes]]
    packers = {"": bytes, ".xz": lzma.compress, ".gz": gzip.compress}
    for name in initramfs.CRASH_REPORT_MODULES:
        path = folder / f"{name}{end}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(packers[end](b"\x7fELF of " + name.encode()))
    (folder / "modules.order").write_text("kernel/x.ko\n")
    entries = list(initramfs._shipped_modules("9.1", Stock(DEFAULT_STOCK.machine, tmp_path)))
    places = {entry.path: entry.data for entry in entries}
    for name in initramfs.CRASH_REPORT_MODULES:
        assert places[f"usr/lib/modules/9.1/{name}"] == b"\x7fELF of " + name.encode()
    assert len(places) == 1 + len(initramfs.CRASH_REPORT_MODULES)


def test_a_guest_whose_port_needs_a_module_has_it(tmp_path: Path) -> None:
    needing = [one for one in MACHINES if one.agent_module]
    assert S390X in needing
    for one in needing:
        path = tmp_path / "lib/modules/9.1" / one.agent_module
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"\x7fELF")
        entries = initramfs._shipped_modules("9.1", Stock(one, tmp_path))
        assert f"usr/lib/modules/9.1/{one.agent_module}" in {entry.path for entry in entries}
