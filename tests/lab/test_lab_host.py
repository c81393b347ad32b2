"""The lab as a host: faulty at first, booted again where needed, its crashes kept."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from pagefault_doctor.lab.host import CUT_SHORT, LabHost
from pagefault_doctor.lab.module import build
from pagefault_doctor.lab.stock import release_of
from pagefault_doctor.lab.target import LabTarget, build_target, scenario_target
from pagefault_doctor.lab.temp_folder import temp_folder
from pagefault_doctor.model.command import Command, ResultStatus, Risk
from pagefault_doctor.model.errors import UsageError
from pagefault_doctor.playbook import shelf
from requirements import require

pytestmark = pytest.mark.lab

SOURCE = shelf.scenario_folder("null-deref-module") / "src"


@pytest.fixture
def folder(kernel: Path) -> Iterator[Path]:
    headers = Path("/lib/modules", release_of(kernel), "build")
    require(headers.exists(), "no kernel headers: package linux-headers-cloud-amd64")
    with temp_folder() as place:
        yield place


def command(*argv: str, tool: str = "test", risk: Risk = Risk.READ) -> Command:
    return Command(argv=argv, tool=tool, risk=risk)


def patient_of(folder: Path, kernel: Path, *kernel_args: str) -> LabTarget:
    return build_target(
        SOURCE, folder, kernel=kernel, seen_as="/usr/src/faulty-1.0", kernel_args=kernel_args
    )


def test_a_guest_that_panics_is_told_kept_and_booted_anew(folder: Path, kernel: Path) -> None:
    said: list[str] = []
    with LabHost(patient_of(folder, kernel, "oops=panic"), folder) as host:
        log = host.run(command("dmesg", tool="dmesg"), said.append).output
        assert "faulty_init" not in log
        before = host.run(command("find", "/var/crash", "-type", "f", tool="var-crash")).output
        assert sorted(line.rpartition("/")[2][:4] for line in before.splitlines()) == [
            *("dmes", "dump")
        ]
        died = host.run(command("modprobe", "faulty", tool="insmod", risk=Risk.CRASH), said.append)
        assert (died.status, died.exit_code) == (ResultStatus.SIGNALED, None)
        assert died.errors.startswith(CUT_SHORT)
        assert "RIP: 0010:faulty_init" in died.errors
        alive = host.run(command("cat", "/proc/sys/kernel/tainted"))
        assert alive.output == "0\n"
    assert "lab: the kernel panicked\n" in said


def test_files_of_the_source_folder_reach_the_guest_as_they_are_now(
    folder: Path, kernel: Path
) -> None:
    path = "/usr/src/faulty-1.0/notes"
    with LabHost(patient_of(folder, kernel), folder) as host:
        for text in ("old\n" * 20_000, "new\n"):
            host.tools_here.path(path).write_text(text)
            assert host.run(command("cat", path)).output == text


def test_a_boot_that_nobody_waits_for_is_given_up(folder: Path, kernel: Path) -> None:
    cancel = threading.Event()
    cancel.set()
    with LabHost(patient_of(folder, kernel), folder) as host:
        assert host.run(command("true"), cancel=cancel).status is ResultStatus.CANCELLED


def test_the_modules_debug_information_names_the_source_as_the_box_has_it(
    folder: Path, kernel: Path
) -> None:
    (module,) = build(SOURCE, release_of(kernel), folder / "x", Path("/usr/src/faulty-1.0"))
    assert b"/usr/src/faulty-1.0/faulty.c" in module.data
    assert bytes(folder) not in module.data


def test_a_scenario_whose_module_is_not_built_is_refused(folder: Path, kernel: Path) -> None:
    scenario = shelf.scenario("err-ptr")
    home = shelf.scenario_folder("null-deref-module")
    with pytest.raises(UsageError, match="no module fwsize"):
        scenario_target(scenario, home, folder, kernel)
