"""A resumed session on the lab: the new guest gets what the first one had."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pagefault_doctor.cli.lab_commands.host import given_facts, lab_host
from pagefault_doctor.cli.lab_commands.restore import FRESH_MACHINE, restore_machine
from pagefault_doctor.cli.open_session import start_walk
from pagefault_doctor.lab.host import LabHost
from pagefault_doctor.lab.stock import release_of
from pagefault_doctor.model.command import Command, ResultStatus
from pagefault_doctor.model.event import (
    CommandFinished,
    CommandStarted,
    Event,
    LabCase,
    StepEntered,
)
from pagefault_doctor.playbook import shelf
from pagefault_doctor.session.event_log import MemoryLog
from pagefault_doctor.session.walk import Walk
from pagefault_doctor.tools import TOOLS
from requirements import require, require_program

pytestmark = pytest.mark.lab

SCENARIO = "null-deref-module"
CASE = LabCase(scenario=SCENARIO)
FILE = "/usr/src/faulty-1.0/faulty.c"
FIX = shelf.scenario_folder(SCENARIO) / "fix.patch"


@pytest.fixture
def box(kernel: Path) -> Iterator[LabHost]:
    headers = Path("/lib/modules", release_of(kernel), "build")
    require(headers.exists(), "no kernel headers: package linux-headers-cloud-amd64")
    for name in ("make", "gcc", "patch"):
        require_program(name)
    with lab_host(CASE) as host:
        yield host


def taken_up(box: LabHost, step: str, *ran: tuple[str, tuple[str, ...], int, str]) -> Walk:
    """Return a session taken up in a step in which these had run: tool, argv, exit code, output."""
    started = start_walk(box, given=given_facts(CASE), lab=CASE, saved=False).view.started
    events: list[Event] = [started, StepEntered(step=step)]
    for number, (tool, argv, code, output) in enumerate(ran, 1):
        status = ResultStatus.FAILED if code else ResultStatus.OK
        events.append(CommandStarted(number=number, step=step, tool=tool, argv=argv))
        events.append(CommandFinished(number=number, status=status, exit_code=code, output=output))
    playbook = shelf.playbook("kernel-page-fault")
    return Walk.resume(tuple(events), playbook, host=box, sink=MemoryLog(), tools=TOOLS)


def change() -> str:
    """The output of `diff` for the fixed source, with the guest's paths."""
    return (
        FIX.read_text()
        .replace("--- a/faulty.c", f"--- {FILE}.orig")
        .replace("+++ b/faulty.c", f"+++ {FILE}")
    )


COPY = ("edit", ("cp", "-n", FILE, f"{FILE}.orig"), 0, "")
EDIT = ("edit", ("nano", "+37", FILE), 0, "")
BUILD = (
    "module-build",
    ("make", "-C", "/lib/modules/{}/build", "M=/usr/src/faulty-1.0", "modules"),
    0,
    "  LD [M]  /usr/src/faulty-1.0/faulty.ko\n",
)


def test_the_change_is_made_and_built_again(box: LabHost) -> None:
    diff = ("diff", ("diff", "-u", f"{FILE}.orig", FILE), 1, change())
    tool, argv, code, output = BUILD
    build = (tool, tuple(word.format(box.release) for word in argv), code, output)
    walk = taken_up(box, "fix-code", COPY, EDIT, diff, build)
    told = restore_machine(walk, box)
    assert told[0] == FRESH_MACHINE
    assert f"your change to {FILE} was made again" in told
    assert "the module was built again: ok" in told
    source = box.tools_here.path("/usr/src/faulty-1.0")
    assert (source / "faulty.ko").is_file()
    now = box.tools_here.run(Command(argv=("diff", "-u", f"{FILE}.orig", FILE), tool="diff")).output
    assert changed_lines(now) == changed_lines(change())


def changed_lines(diff: str) -> list[str]:
    return [
        line for line in diff.splitlines() if line[:1] in "+-" and line[:3] not in ("+++", "---")
    ]


def test_a_change_of_which_there_is_no_diff_is_told_as_lost(box: LabHost) -> None:
    told = restore_machine(taken_up(box, "fix-code", COPY, EDIT), box)
    assert any("is lost" in line for line in told)
    assert not box.tools_here.path(f"{FILE}.orig").exists()


def test_a_diff_that_does_not_fit_is_told(box: LabHost) -> None:
    diff = ("diff", ("diff", "-u", f"{FILE}.orig", FILE), 1, change().replace("state", "estate"))
    told = restore_machine(taken_up(box, "fix-code", COPY, EDIT, diff), box)
    assert any("could not be made again" in line for line in told)


def test_a_trial_on_the_box_that_is_gone_begins_again(box: LabHost) -> None:
    before = ("dmesg-before", ("dmesg",), 0, "[    0.0] Linux version\n")
    walk = taken_up(box, "reproduce", before)
    told = restore_machine(walk, box)
    assert "the step reproduce begins again" in told[-1]
    assert not walk.view.case.done("dmesg-before")
    assert walk.proposed


def test_a_step_about_the_source_goes_on_where_it_stood(box: LabHost) -> None:
    walk = taken_up(box, "fix-code", COPY)
    assert restore_machine(walk, box) == (FRESH_MACHINE,)
    assert walk.view.case.done("edit")
