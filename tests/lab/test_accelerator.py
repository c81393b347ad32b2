"""KVM is used only where it has proved itself."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from pagefault_doctor.lab import accelerator as tested
from pagefault_doctor.lab.accelerator import EMULATION, KVM, accelerator
from pagefault_doctor.lab.machine import X86_64, Machine

PROVEN = "#!/bin/sh\necho x >>{log}\necho 'Kernel panic - not syncing: VFS: no root'\n"
BROKEN = "#!/bin/sh\necho x >>{log}\necho 'failed to set MSR 0x10a'; exit 134\n"


@pytest.fixture(autouse=True)
def _forgetful(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    device = tmp_path / "kvm"
    device.touch()
    monkeypatch.setattr(tested, "DEVICE", device)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    accelerator.cache_clear()
    yield
    accelerator.cache_clear()


def qemu(folder: Path, script: str) -> tuple[Machine, Path]:
    """Return a machine of this architecture with a fake QEMU, and a kernel."""
    program = folder / "qemu"
    program.write_text(script.format(log=folder / "calls"))
    program.chmod(0o755)
    (folder / "vmlinuz").touch()
    machine = msgspec.structs.replace(X86_64, qemu=str(program), uname=os.uname().machine)
    return machine, folder / "vmlinuz"


def calls(folder: Path) -> int:
    return len((folder / "calls").read_text().split())


def test_kvm_is_used_where_a_kernel_boots_with_it(tmp_path: Path) -> None:
    assert accelerator(*qemu(tmp_path, PROVEN)) == KVM


def test_a_device_that_runs_no_guest_is_not_used(tmp_path: Path) -> None:
    assert accelerator(*qemu(tmp_path, BROKEN)) == EMULATION


def test_without_the_device_nothing_is_tried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tested, "DEVICE", tmp_path / "nowhere")
    assert accelerator(*qemu(tmp_path, PROVEN)) == EMULATION
    assert not (tmp_path / "calls").exists()


def test_a_guest_of_another_architecture_is_emulated(tmp_path: Path) -> None:
    machine, kernel = qemu(tmp_path, PROVEN)
    foreign = msgspec.structs.replace(machine, uname="pdp11")
    assert accelerator(foreign, kernel) == EMULATION
    assert not (tmp_path / "calls").exists()


def test_a_boot_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tested, "DEADLINE", 0.3)
    assert accelerator(*qemu(tmp_path, "#!/bin/sh\nsleep 60 #{log}\n")) == EMULATION


def test_the_answer_is_remembered_until_this_machine_reboots(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = qemu(tmp_path, BROKEN)
    for _ in range(2):
        accelerator(*asked)
        accelerator.cache_clear()
    assert calls(tmp_path) == 1
    monkeypatch.setattr(tested, "_boot_id", lambda: "another boot")
    accelerator(*asked)
    assert calls(tmp_path) == 2


def test_an_answer_that_others_could_have_written_is_not_taken(tmp_path: Path) -> None:
    asked = qemu(tmp_path, BROKEN)
    accelerator(*asked)
    (tmp_path / "cache/pfdoctor").rename(tmp_path / "theirs")
    (tmp_path / "cache/pfdoctor").symlink_to(tmp_path / "theirs")
    accelerator.cache_clear()
    accelerator(*asked)
    assert calls(tmp_path) == 2
