"""One crash on each kernel and architecture that was fetched, from its source to the verdict."""

from __future__ import annotations

import json

import pytest

from pagefault_doctor.cli.main import main
from pagefault_doctor.lab.kernels import kernel_stock
from pagefault_doctor.lab.machine import MACHINES, machine_of
from pagefault_doctor.model.errors import MissingError
from pagefault_doctor.playbook import shelf
from requirements import require

CLASSIC = shelf.scenario_folder("null-deref-module") / "src"
FAULTY_LINE = "state->status = FAULTY_READY;"

KERNELS = ("5.10", "", "6.12", "forky")
"""Of this machine's architecture; the empty name is its own kernel, and what forky has changes."""

OTHERS = (("arm64", ""), ("riscv64", "6.12"), ("s390x", "6.12"))

Capture = pytest.CaptureFixture[str]


def require_fetched(arch: str, kernel: str) -> None:
    machine = machine_of(arch)
    try:
        stock = kernel_stock(machine, kernel)
        there, remedy = stock.kernel() is not None, stock.remedy
    except MissingError as error:
        there, remedy = False, error.remedy
    require(there, f"no kernel {kernel or 'at all'} for {machine.arch}: {remedy}")


def verdict_of(capsys: Capture, *options: str) -> tuple[dict[str, object], dict[str, object]]:
    assert main(["lab", "run", "--source", str(CLASSIC), "--json", *options]) == 0
    told = json.loads(capsys.readouterr().out)
    return told["verdict"], told["reports"][0]


def assert_named(verdict: dict[str, object], report: dict[str, object]) -> None:
    wanted = ("null-deref", "module", "faulty")
    assert (verdict["root_cause"], verdict["attribution"], verdict["module"]) == wanted
    assert report["function"] == "faulty_init"


def assert_its_line_is_named(report: dict[str, object]) -> None:
    lines = (CLASSIC / "faulty.c").read_text().splitlines()
    line = next(n for n, text in enumerate(lines, 1) if text.strip() == FAULTY_LINE)
    assert isinstance(report["source_line"], dict)
    assert report["source_line"]["line"] == line


@pytest.mark.lab
@pytest.mark.parametrize("kernel", KERNELS)
def test_the_classic_module_on_a_kernel(kernel: str, capsys: Capture) -> None:
    require_fetched("", kernel)
    given = ("--kernel", kernel) if kernel else ()
    verdict, report = verdict_of(capsys, *given)
    assert_named(verdict, report)
    assert_its_line_is_named(report)


@pytest.mark.lab
@pytest.mark.parametrize(("arch", "kernel"), OTHERS)
def test_the_classic_module_on_another_architecture(
    arch: str, kernel: str, capsys: Capture
) -> None:
    require_fetched(arch, kernel)
    given = ("--kernel", kernel) if kernel else ()
    assert_named(*verdict_of(capsys, "--arch", arch, *given))


def test_each_architecture_has_names_of_its_own() -> None:
    names = [name for m in MACHINES for name in {m.arch, m.uname, m.debian}]
    assert len(names) == len(set(names))
