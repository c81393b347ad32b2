"""Scenarios with faulty hardware: the event really reaches the kernel, which reports it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from pagefault_doctor import klog
from pagefault_doctor.diagnosis import diagnose
from pagefault_doctor.lab import initramfs, requirements
from pagefault_doctor.lab.guest import GuestHost
from pagefault_doctor.lab.host import CRASHES, LabHost
from pagefault_doctor.lab.kernels import kernel_stock
from pagefault_doctor.lab.machine import machine_of
from pagefault_doctor.lab.stock import Stock, release_of
from pagefault_doctor.lab.target import scenario_target
from pagefault_doctor.lab.temp_folder import temp_folder
from pagefault_doctor.lab.vm import Setup, VirtualMachine
from pagefault_doctor.model.command import Command
from pagefault_doctor.model.errors import MissingError, PfDoctorError
from pagefault_doctor.playbook import shelf
from requirements import require

pytestmark = pytest.mark.lab

EACH = pytest.mark.parametrize(
    "scenario_id", [name for name in shelf.scenario_ids() if shelf.scenario(name).inject]
)


@pytest.fixture
def folder() -> Iterator[Path]:
    with temp_folder() as place:
        yield place


def stock_for(scenario_id: str) -> Stock:
    """What the scenario's guests are made of; without it the test is skipped, or fails."""
    scenario = shelf.scenario(scenario_id)
    try:
        stock = kernel_stock(machine_of(scenario.arch), scenario.kernel)
    except MissingError as error:
        require(False, f"{error}: {error.remedy}")
    for row in requirements.check(stock):
        wanted = row.need.use is requirements.Use.BOOT
        require(row.path or not wanted, f"no {row.need.name} for {scenario_id}: {row.remedy}")
    return stock


@EACH
def test_the_box_dies_of_the_event_and_its_log_is_kept(scenario_id: str, folder: Path) -> None:
    stock, scenario = stock_for(scenario_id), shelf.scenario(scenario_id)
    home = shelf.scenario_folder(scenario_id)
    said: list[str] = []
    target = scenario_target(scenario, home, folder, requirements.find_kernel(stock=stock), stock)
    with LabHost(target, folder) as host:
        console = host.crash_and_fault(said.append, threading.Event())
        log = klog.read(console.encode(), "serial.log")
        verdict = diagnose((log,), {}).verdict
        assert (verdict.root_cause, verdict.attribution, verdict.module) == (
            scenario.root_cause,
            scenario.attribution,
            None,
        )
        find = Command(argv=("find", CRASHES, "-type", "f"), tool="var-crash")
        kept = [line.rpartition("/")[2][:4] for line in host.run(find).output.split()]
        assert "dmes" in kept
        alive = host.run(Command(argv=("cat", "/proc/sys/kernel/tainted"), tool="test"))
        assert alive.output == "0\n"
    told = [line for line in said if "the hardware is told" in line]
    assert len(told) == 2 * len(scenario.inject)


def test_an_event_that_qemu_does_not_know_is_refused(kernel: Path) -> None:

    image = initramfs.build(release_of(kernel))
    with (
        GuestHost(VirtualMachine(Setup(kernel=kernel), image)) as guest,
        pytest.raises(PfDoctorError, match="does not inject flood"),
    ):
        guest.machine.inject("flood 1")
