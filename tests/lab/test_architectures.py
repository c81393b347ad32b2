"""Guests of every architecture of which a kernel was fetched: built for, booted and crashed."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

from pagefault_doctor.cli.lab_commands.pairs import pairs
from pagefault_doctor.cli.main import main
from pagefault_doctor.lab import kernels, machine, module, requirements, stock
from pagefault_doctor.lab.kernels import usual_stock
from pagefault_doctor.lab.machine import MACHINES, Machine, machine_of
from pagefault_doctor.lab.stock import Stock
from pagefault_doctor.lab.vm import Setup, VirtualMachine
from pagefault_doctor.model.errors import MissingError, UsageError
from requirements import require

SOURCE = Path(__file__).parents[2] / "playbooks/scenarios/null-deref-module/src"
FOREIGN = tuple(one for one in MACHINES if not one.native)

Capture = pytest.CaptureFixture[str]

each_foreign = pytest.mark.parametrize("guest", FOREIGN, ids=lambda one: one.arch)


def stock_here(guest: Machine) -> Stock:
    """Return what guests of a machine are made of; skips where nothing was fetched."""
    stock = usual_stock(guest)
    if stock.kernel() is None:
        pytest.skip(f"no kernel for {guest.arch} was fetched: {stock.remedy}")
    uses = (requirements.Use.BOOT, requirements.Use.BUILD)
    for row in requirements.check(stock):
        require(row.path or row.need.use not in uses, f"no {row.need.name}: {row.remedy}")
    return stock


@pytest.mark.lab
@each_foreign
def test_the_classic_module_crashes_it_and_is_named(guest: Machine, capsys: Capture) -> None:
    stock_here(guest)
    words = ["--source", str(SOURCE), "--arch", guest.arch, "--timeout", "300", "--json"]
    assert main(["lab", "run", *words]) == 0
    told = json.loads(capsys.readouterr().out)
    report, verdict = told["reports"][0], told["verdict"]
    assert (report["function"], report["module"]) == ("faulty_init", "faulty")
    assert int(report["fault"]["address"], 16) == 0
    wanted = ("null-deref", "module", "faulty")
    assert (verdict["root_cause"], verdict["attribution"], verdict["module"]) == wanted
    assert told["lab"]["panicked"] == 1


@each_foreign
def test_a_program_is_compiled_for_its_guests(guest: Machine, tmp_path: Path) -> None:
    stock = stock_here(guest)
    (tmp_path / "x.c").write_text("#include <stdio.h>\nint main(void) { return puts(STATE); }\n")
    flags = ("-static", '-DSTATE="on"')
    built = module.build_program(tmp_path / "x.c", "x", stock, flags)
    assert ELFFile(BytesIO(built)).get_machine_arch() == guest.elf


@pytest.mark.parametrize("guest", MACHINES, ids=lambda one: one.arch)
def test_the_table_has_each_architecture_by_all_of_its_names(guest: Machine) -> None:
    names = (guest.arch, guest.uname, guest.debian, guest.elf)
    assert [machine_of(name) for name in names] == [guest] * 4
    assert guest.cpus[-1][0] == (0, 0)
    assert set(guest.suites) <= {*kernels.STABLE.values(), *kernels.MOVING}
    assert sum(one.elf == guest.elf for one in MACHINES) == 1


@each_foreign
def test_without_qemu_its_package_is_named(guest: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    setup = Setup(kernel=Path("/boot/vmlinuz"), stock=Stock(guest, Path("/nowhere")))
    with pytest.raises(MissingError) as told:
        VirtualMachine(setup, b"")
    assert told.value.remedy == f"apt install {guest.qemu_package}"


def test_a_command_line_that_a_guest_would_cut_is_refused() -> None:
    setup = Setup(
        kernel=Path("/boot/vmlinuz"),
        stock=Stock(machine.MIPS64EL, Path("/nowhere")),
        append="x" * machine.MIPS64EL.command_line,
    )
    require(requirements.check(setup.stock)[0].path, "apt install qemu-system-mips")
    with pytest.raises(UsageError, match="less than"):
        VirtualMachine(setup, b"")


def test_each_architecture_is_told_with_what_it_lacks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(stock, "SHARED_CACHE", tmp_path / "shared")
    folder = tmp_path / "pfdoctor/lab/kernels/riscv64/forky"
    folder.mkdir(parents=True)
    (folder / "complete").write_text("9.1-riscv64\n")
    told = {pair.arch: pair for pair in pairs()}
    assert set(told) == {one.arch for one in MACHINES}
    assert "kernel" in told["riscv64"].lacks
    assert (told["riscv64"].name, told["riscv64"].release) == ("forky", "9.1-riscv64")
    assert "pfdoctor lab kernels fetch trixie --arch s390x" in told["s390x"].remedy
    assert "pfdoctor lab kernels fetch bookworm --arch mips64el" in told["mips64el"].remedy


def test_the_list_tells_what_guests_of_an_architecture_cannot_do(capsys: Capture) -> None:
    assert main(["lab", "kernels", "--arch", "mips64el"]) == 0
    assert machine.MIPS64EL.limits in capsys.readouterr().out
    assert machine.MIPS64EL.limits
