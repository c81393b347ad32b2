"""A log of another machine and a source folder, walked to a fix that is proven in the lab."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pagefault_doctor import klog
from pagefault_doctor.hosts.local import LocalHost
from pagefault_doctor.model.command import Command, Result, ResultStatus, Risk
from pagefault_doctor.model.event import SessionStarted
from pagefault_doctor.playbook import shelf
from pagefault_doctor.playbook.engine import END
from pagefault_doctor.session.event_log import MemoryLog
from pagefault_doctor.session.walk import Walk
from pagefault_doctor.tools import TOOLS
from requirements import require_program

pytestmark = pytest.mark.lab

MOST_COMMANDS = 40


@pytest.fixture
def walk(kernel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Walk:
    """A walk that has nothing but the log of a NULL pointer in a module, and its source."""
    for name in ("make", "gcc", "gdb", "patch"):
        require_program(name)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    home = shelf.scenario_folder("null-deref-module")
    shutil.copytree(home / "src", tmp_path / "src")
    log = klog.read((home / "serial.log").read_bytes(), "serial.log")
    started = SessionStarted(
        id="elsewhere",
        version="test",
        playbook="kernel-page-fault",
        host="here",
        given={"log_of": "another", "source_dir": str(tmp_path / "src")},
    )
    playbook = shelf.playbook("kernel-page-fault")
    walk = Walk.start(started, playbook, host=LocalHost(), sink=MemoryLog(), tools=TOOLS)
    walk.enter("check-logs")
    walk.give_log(log)
    return walk


def to_the_end(walk: Walk, source: Path) -> list[str]:
    """Run all that is proposed, mend the source where the editor opens; return the steps."""

    def mend(command: Command) -> Result:
        patch = shelf.scenario_folder("null-deref-module") / "fix.patch"
        subprocess.run(("patch", "-sp1", "-i", str(patch)), cwd=source, check=True, timeout=30)
        return Result(command=command, status=ResultStatus.OK, exit_code=0)

    steps = ["check-logs"]
    for _ in range(MOST_COMMANDS):
        if command := walk.proposed:
            consent = "not-needed" if command.risk is Risk.READ else "asked"
            walk.run(command, consent, runner=mend if command.interactive else None)
        elif walk.suggestion and walk.suggestion.go != END:
            walk.go_on()
            steps.append(str(walk.view.step))
        else:
            return steps
    raise AssertionError(f"no end after {steps}")


def test_a_log_and_a_source_folder_lead_to_a_fix_that_is_proven(walk: Walk, tmp_path: Path) -> None:
    steps = to_the_end(walk, tmp_path / "src")
    facts = {name: fact.value for name, fact in walk.view.case.facts.items()}
    assert facts["lab.faults"] == facts["lab.runs"]
    assert facts["reproduce.reproduced"] is True
    assert (str(facts["debug.file"]).rpartition("/")[2], facts["debug.pointer"]) == (
        "faulty.c",
        "state",
    )
    assert facts["source.code"] == "state->status = FAULTY_READY;"
    assert facts["fix.changed"] is True
    assert facts["validate.verdict"] == "fixed"
    assert steps[-1] == "validate"
    assert {"reproduce", "debug-module", "fix-code"} <= {*steps}
    ran = [record.command for record in walk.view.commands]
    assert not any(TOOLS[command.tool].of_box for command in ran)
