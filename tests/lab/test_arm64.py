"""Guests of arm64 on another machine: built for, booted, crashed, debugged, and its dump read."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from pagefault_doctor.cli.main import main
from pagefault_doctor.lab import requirements
from pagefault_doctor.lab.host import LabHost
from pagefault_doctor.lab.kernels import usual_stock
from pagefault_doctor.lab.machine import ARM64
from pagefault_doctor.lab.module import read
from pagefault_doctor.lab.stock import Stock
from pagefault_doctor.lab.target import scenario_target
from pagefault_doctor.lab.temp_folder import temp_folder
from pagefault_doctor.model.command import Command
from pagefault_doctor.playbook import shelf
from requirements import require

SCENARIO = "freed-notifier"
FAULTY_LINE = "account->times++;"

Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def arm64() -> Stock:
    """What arm64 guests are made of here."""
    stock = usual_stock(ARM64)
    for row in requirements.check(stock):
        require(row.path, f"no {row.need.name} for arm64: {row.remedy}")
    return stock


@pytest.fixture(scope="module")
def box(arm64: Stock) -> Iterator[LabHost]:
    """The machine of the scenario, before anything ran on it."""
    home = shelf.scenario_folder(SCENARIO)
    with temp_folder() as folder:
        kernel = requirements.find_kernel(stock=arm64)
        target = scenario_target(shelf.scenario(SCENARIO), home, folder, kernel, arm64)
        with LabHost(target, folder) as host:
            yield host


@pytest.mark.lab
@pytest.mark.usefixtures("arm64")
def test_it_crashes_and_dump_and_gdb_name_the_line(tmp_path: Path, capsys: Capture) -> None:
    kept = tmp_path / "kept"
    assert main(["lab", "run", SCENARIO, "--gdb", "--json", "--keep", str(kept)]) == 0
    told = json.loads(capsys.readouterr().out)
    report, verdict, ran = told["reports"][0], told["verdict"], told["lab"]
    assert report["arch"] == "arm64"
    wanted = ("use-after-free", "module", "uplink")
    assert (verdict["root_cause"], verdict["attribution"], verdict["module"]) == wanted
    source = (shelf.scenario_folder(SCENARIO) / "src/uplink.c").read_text().splitlines()
    line = next(n for n, text in enumerate(source, 1) if text.strip() == FAULTY_LINE)
    assert report["source_line"]["line"] == line
    # A dump from within the delay loop of the panic has no stack to follow: then it names nothing.
    assert ran["dump"].get("dump.line", line) == line, ran["dump"]
    assert ran["gdb"]["line"] == line, ran["gdb"]
    assert ran["gdb"]["holders"] == ["account"]
    assert ran["gdb"]["value"] == 0xA56B6B6B6B6B6B6B
    assert read(kept / "uplink.ko").arch == ARM64.elf


@pytest.mark.lab
def test_the_box_is_arm64_and_its_desk_builds_and_reads_for_it(box: LabHost) -> None:
    def run(*argv: str, tool: str) -> str:
        result = box.run(Command(argv=argv, tool=tool), None, threading.Event())
        return result.output + result.errors

    assert run("uname", "-m", tool="test") == "aarch64\n"
    source = shelf.scenario(SCENARIO).given["source_dir"]
    build = f"/lib/modules/{box.release}/build"
    said = run("make", "-C", build, f"M={source}", "modules", tool="module-build")
    assert f"LD [M]  {source}/uplink.ko" in said
    assert str(box.target.stock.root) not in said
    asked = ("gdb", "-batch", "-nx", "-ex", "info line uplink_exit", f"{source}/uplink.ko")
    assert f'of "{source}/uplink.c"' in run(*asked, tool="gdb-module")


def test_a_bundled_case_keeps_its_architecture(capsys: Capture) -> None:
    assert main(["lab", "run", SCENARIO, "--arch", "x86_64"]) == 2
    assert "architecture of its own" in capsys.readouterr().err


def test_an_unknown_architecture_is_told_with_those_there_are(capsys: Capture) -> None:
    source = str(shelf.scenario_folder(SCENARIO) / "src")
    assert main(["lab", "run", "--source", source, "--arch", "pdp11"]) == 2
    assert "arm64" in capsys.readouterr().err


def test_what_is_missing_of_it_is_told_with_how_to_get_it(tmp_path: Path, capsys: Capture) -> None:
    assert main(["lab", "run", SCENARIO, "--root", str(tmp_path)]) == 3
    assert "pfdoctor lab kernels fetch trixie --arch arm64" in capsys.readouterr().err


def test_kdump_is_refused_where_the_kernel_loads_none(capsys: Capture) -> None:
    assert main(["lab", "run", SCENARIO, "--dump", "kdump"]) == 2
    assert "no kdump in guests of arm64" in capsys.readouterr().err


def test_a_module_tells_its_architecture_itself() -> None:
    assert read(shelf.scenario_folder(SCENARIO) / "uplink.ko").arch == ARM64.elf
    assert read(shelf.scenario_folder("err-ptr") / "fwsize.ko").arch != ARM64.elf
