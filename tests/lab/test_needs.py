"""What the lab needs: told with a remedy before anything is tried."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pagefault_doctor.lab import needs
from pagefault_doctor.lab.needs import Need, Row, Use
from pagefault_doctor.model.errors import MissingError


def row(name: str, use: Use, path: str = "") -> Row:
    need = Need(name, use, "tests", name, 1, lambda release: path)
    return Row(need, path, "" if path else f"apt install {name}")


def test_every_need_is_found_or_has_a_remedy() -> None:
    rows = needs.look()
    assert {"qemu-system-x86_64", "kernel", "headers", "vmlinux"} <= {r.need.name for r in rows}
    for each in rows:
        assert bool(each.path) != bool(each.remedy)
        assert not each.path or os.path.exists(each.path)
        assert "{" not in each.remedy


def test_on_a_bare_machine_only_remedies_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(needs, "environment", lambda: {"PATH": "/nonexistent"})
    monkeypatch.setattr(needs, "installed_kernel", lambda: None)
    rows = needs.look()
    assert not any(each.path for each in rows)
    assert "apt install linux-headers-cloud-amd64" in {each.remedy for each in rows}


def test_a_kernel_that_may_not_be_read_is_told_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(needs, "installed_kernel", lambda: Path("/boot/vmlinuz-0.0.0-nowhere"))
    remedies = {each.need.name: each.remedy for each in needs.look()}
    assert "sudo" in remedies["kernel"]


def test_all_that_is_missing_is_told_at_once() -> None:
    rows = (row("qemu", Use.BOOT), row("dash", Use.BOOT, "/bin/dash"), row("gcc", Use.BUILD))
    with pytest.raises(MissingError) as told:
        needs.demand(rows, Use.BOOT, Use.BUILD)
    assert told.value.problem == "the lab lacks qemu, gcc"
    assert "apt install qemu; apt install gcc" in told.value.remedy


def test_what_is_not_used_is_not_demanded() -> None:
    needs.demand((row("kmod", Use.BOOT, "/bin/kmod"), row("gcc", Use.BUILD)), Use.BOOT)


def test_a_module_of_another_kernel_needs_that_kernel() -> None:
    with pytest.raises(MissingError, match=r"0\.0\.0-nowhere.*--source"):
        needs.kernel_of("0.0.0-nowhere")
