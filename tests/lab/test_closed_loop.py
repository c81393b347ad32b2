"""The closed loop, live: the faulty module's fault is found, the fixed one is proven clean."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import msgspec
import pytest

from pagefault_doctor import klog
from pagefault_doctor.cli.main import main
from pagefault_doctor.lab import initramfs, module, requirements
from pagefault_doctor.lab.guest import GuestHost
from pagefault_doctor.lab.kernels import usual_stock
from pagefault_doctor.lab.machine import machine_of
from pagefault_doctor.lab.stock import release_of
from pagefault_doctor.lab.vm import Setup, VirtualMachine
from pagefault_doctor.model.command import Command, Risk
from pagefault_doctor.model.event import SessionStarted
from pagefault_doctor.model.scenario import Scenario
from pagefault_doctor.playbook import shelf
from pagefault_doctor.session.event_log import MemoryLog
from pagefault_doctor.session.walk import Walk
from pagefault_doctor.tools import TOOLS
from requirements import require, require_program

pytestmark = pytest.mark.lab

LOOPS = (
    "divide-error",
    "double-free",
    "double-list-del",
    "null-deref-module",
    "out-of-bounds-slab",
    "stack-overflow",
)
"""Scenarios of different causes that go round the whole loop; of the others, the fault is found."""

LOAD = "3s"
"""How long stress-ng runs for each: less than a person is proposed, for the test's sake."""

Capture = pytest.CaptureFixture[str]


@pytest.mark.parametrize(
    "scenario_id", [name for name in shelf.scenario_ids() if shelf.scenario(name).module]
)
def test_a_live_run_finds_the_fault(
    scenario_id: str, kernel: Path, tmp_path: Path, capsys: Capture
) -> None:
    for name in ("patch", "stress-ng"):
        require_program(name)
    scenario = shelf.scenario(scenario_id)
    for row in requirements.check(usual_stock(machine_of(scenario.arch))):
        wanted = row.need.use in (requirements.Use.BOOT, requirements.Use.BUILD)
        require(row.path or not wanted, f"no {row.need.name} for {scenario.arch}: {row.remedy}")
    told = crash(scenario, tmp_path / "kept", capsys)
    verdict = told["verdict"]
    assert (verdict["root_cause"], verdict["attribution"], verdict["module"]) == (
        scenario.root_cause,
        scenario.attribution,
        scenario.blamed,
    )
    assert told["lab"]["reproduced"] == 1
    if scenario_id in LOOPS:
        walk = prove(scenario, kernel, tmp_path)
        facts = {name: fact.value for name, fact in walk.view.case.facts.items()}
        assert facts["suspect.module"] == scenario.module
        assert facts["stress.passed"] is True
        assert facts["validate.new_reports"] == 0
        assert facts["validate.verdict"] == "fixed"


def crash(scenario: Scenario, kept: Path, capsys: Capture) -> dict[str, Any]:
    """Return the output of `pfdoctor lab run` for the faulty module; `kept` has its console."""
    assert main(["lab", "run", scenario.id, "--json", "--keep", str(kept)]) == 0
    (kept / "vmcore").unlink(missing_ok=True)
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    return told


def prove(scenario: Scenario, kernel: Path, folder: Path) -> Walk:
    """Read the faulty module's log, boot again, and walk through the step that proves the fix."""
    release = release_of(kernel)
    named = f"/root/{scenario.module}.ko"
    others = {
        initramfs.module_path(release, name): (folder / "kept" / f"{name}.ko").read_bytes()
        for name in scenario.bystanders
    }
    image = initramfs.build(release, {named: fixed(scenario, release, folder), **others})
    setup = Setup(kernel=kernel, append=" ".join(scenario.kernel_args))
    started = SessionStarted(
        id=scenario.id,
        version="test",
        playbook=scenario.playbook,
        host="lab",
        given={
            "fixed_module": named,
            "trigger": "\n".join(scenario.trigger),
            "log_of": "this-box",  # The guest stands in for the machine of the log.
        },
    )
    with GuestHost(VirtualMachine(setup, image)) as guest:
        for name in scenario.bystanders:
            assert guest.run(Command(argv=("modprobe", name), tool="test")).ok
        playbook = shelf.playbook(scenario.playbook)
        walk = Walk.start(started, playbook, host=guest, sink=MemoryLog(), tools=TOOLS)
        walk.give_log(klog.read((folder / "kept/serial.log").read_bytes(), "serial.log"))
        walk.enter("validate")
        while walk.proposed:
            consent = "not-needed" if walk.proposed.risk is Risk.READ else "asked"
            walk.run(shortened(walk.proposed), consent)
    return walk


def fixed(scenario: Scenario, release: str, folder: Path) -> bytes:
    """Return the scenario's module, built with `fix.patch`."""
    home, source = shelf.scenario_folder(scenario.id), folder / "src"
    shutil.copytree(home / "src", source)
    patch = ("patch", "-sp1", "-i", str(home / "fix.patch"))
    subprocess.run(patch, cwd=source, check=True, timeout=30)
    built = module.build(source, release, folder / "fixed")
    return next(m.data for m in built if m.name == scenario.module)


def shortened(command: Command) -> Command:
    """Return the command as a person in a hurry edits it."""
    if command.tool != "stress-ng":
        return command
    argv = tuple(LOAD if before == "--timeout" else word for before, word in pairs(command.argv))
    return msgspec.structs.replace(command, argv=argv, edited=True)


def pairs(argv: tuple[str, ...]) -> zip[tuple[str, str]]:
    """Give each word together with the one before it."""
    return zip(("", *argv), argv, strict=False)
