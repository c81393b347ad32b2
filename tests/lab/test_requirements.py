"""What the lab needs: reported with a remedy before anything is tried."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pagefault_doctor.lab import initramfs, requirements
from pagefault_doctor.lab.machine import ARM64
from pagefault_doctor.lab.requirements import Requirement, RequirementState, Use
from pagefault_doctor.lab.stock import Stock
from pagefault_doctor.model.errors import MissingError


def row(name: str, use: Use, path: str = "") -> RequirementState:
    need = Requirement(name, use, "tests", name, 1, lambda release: path)
    return RequirementState(need, path, "" if path else f"apt install {name}")


def test_every_need_is_found_or_has_a_remedy() -> None:
    rows = requirements.check()
    assert {"qemu-system-x86_64", "kernel", "headers", "vmlinux"} <= {r.need.name for r in rows}
    for each in rows:
        assert bool(each.path) != bool(each.remedy)
        assert not each.path or os.path.exists(each.path)
        assert "{" not in each.remedy


def test_on_a_bare_machine_only_remedies_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requirements, "environment", lambda: {"PATH": "/nonexistent"})
    monkeypatch.setattr(initramfs, "find_program", lambda name, stock: None)
    monkeypatch.setattr(Stock, "kernel", lambda stock: None)
    rows = requirements.check()
    assert not any(each.path for each in rows)
    assert "apt install linux-headers-cloud-amd64" in {each.remedy for each in rows}


def test_the_parts_of_another_architecture_are_fetched_its_tools_installed(tmp_path: Path) -> None:
    remedies = {row.need.name: row.remedy for row in requirements.check(Stock(ARM64, tmp_path))}
    for name in ("kernel", "headers", "busybox", "dash", "kmod", "vmlinux"):
        assert remedies[name] == "pfdoctor lab kernels fetch trixie --arch arm64"
    assert remedies["qemu-system-aarch64"] in ("", "apt install qemu-system-arm")
    assert remedies["aarch64-linux-gnu-gcc"] in ("", "apt install gcc-aarch64-linux-gnu")
    assert "crash" not in remedies


def test_a_kernel_that_may_not_be_read_is_told_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    nowhere = Path("/boot/vmlinuz-0.0.0-nowhere")
    monkeypatch.setattr(Stock, "kernel", lambda stock: nowhere)
    remedies = {each.need.name: each.remedy for each in requirements.check()}
    assert "sudo" in remedies["kernel"]


def test_all_that_is_missing_is_told_at_once() -> None:
    rows = (row("qemu", Use.BOOT), row("dash", Use.BOOT, "/bin/dash"), row("gcc", Use.BUILD))
    with pytest.raises(MissingError) as told:
        requirements.require(rows, Use.BOOT, Use.BUILD)
    assert told.value.problem == "the lab lacks qemu, gcc"
    assert "apt install qemu; apt install gcc" in told.value.remedy


def test_what_is_not_used_is_not_demanded() -> None:
    requirements.require((row("kmod", Use.BOOT, "/bin/kmod"), row("gcc", Use.BUILD)), Use.BOOT)


def test_a_module_of_another_kernel_needs_that_kernel() -> None:
    with pytest.raises(MissingError, match=r"0\.0\.0-nowhere.*--source"):
        requirements.find_kernel("0.0.0-nowhere")


@pytest.mark.parametrize(("tail", "counts"), [(b".debug_info\0.strtab", True), (b".BTF", False)])
def test_a_vmlinux_for_btf_alone_names_no_lines(tmp_path: Path, tail: bytes, counts: bool) -> None:
    headers = tmp_path / "lib/modules/9.1/build"
    headers.mkdir(parents=True)
    (headers / "vmlinux").write_bytes(b"\x7fELF" + bytes(1 << 17) + tail)
    found = requirements.find_vmlinux("9.1", Stock(ARM64, tmp_path))
    assert found == (str(headers / "vmlinux") if counts else "")
