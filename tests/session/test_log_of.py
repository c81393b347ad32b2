"""A log of another machine: no command about this one is proposed, until the person says it is."""

from __future__ import annotations

import pytest

from pagefault_doctor import klog
from pagefault_doctor.hosts.host import Host
from pagefault_doctor.model.command import Blocked, Command, Result, ResultStatus, Risk
from pagefault_doctor.model.event import (
    CommandStarted,
    FactGiven,
    LogRead,
    Outcome,
    SessionStarted,
    ToolFinished,
)
from pagefault_doctor.playbook.shelf import playbook
from pagefault_doctor.session.event_log import MemoryLog, encode
from pagefault_doctor.session.redact.redaction import Redaction
from pagefault_doctor.session.walk import Walk
from pagefault_doctor.tools import TOOLS
from pagefault_doctor.tools.tool import next_command
from session.small_walk import TableHost

LOG = """\
Mar  3 10:00:02 turnip kernel: [   78.000000] BUG: kernel NULL pointer dereference, address: 0010
Mar  3 10:00:02 turnip kernel: [   78.000030] Oops: 0000 [#1] PREEMPT SMP
Mar  3 10:00:02 turnip kernel: [   78.000040] CPU: 1 PID: 77 Comm: cat Tainted: G O 6.9.1-amd64 #1
Mar  3 10:00:02 turnip kernel: [   78.000060] RIP: 0010:radish_show+0x11/0x40 [radish]
Mar  3 10:00:02 turnip kernel: [   78.000130] Modules linked in: radish(O) ext4
"""
BOX = "kernel=6.9.1-amd64\nname=carrot\nmachine=x86_64\nuid=0\nend=\n"


class Carrot(TableHost):
    """A box that answers what it is, and nothing else."""

    def run(self, command: Command, *args: object, **options: object) -> Result:
        result = super().run(command)
        if command.tool != "box":
            return result
        return Result(command=command, status=ResultStatus.OK, exit_code=0, output=BOX)


def walk_with(given: dict[str, str], host: Host | None = None) -> tuple[Walk, MemoryLog]:
    log = MemoryLog()
    started = SessionStarted(
        id="s", version="1", playbook="kernel-page-fault", host="carrot", given=given
    )
    chosen = playbook("kernel-page-fault")
    walk = Walk.start(started, chosen, host=host or Carrot(), sink=log, tools=TOOLS)
    walk.enter(chosen.steps[0].id)
    walk.give_log(klog.read(LOG.encode(), "case.log"))
    return walk, log


def run_to(walk: Walk, step: str) -> None:
    while walk.proposed is not None:
        walk.run(walk.proposed)
    walk.enter(step)


def blocked_in(log: MemoryLog, step: str) -> set[str]:
    return {
        event.tool
        for event in log.events
        if isinstance(event, ToolFinished)
        and (event.step, event.outcome) == (step, Outcome.BLOCKED)
        and "another machine" in event.reason
    }


def test_no_command_about_this_box_is_proposed_for_a_log_of_another_machine() -> None:
    walk, log = walk_with({})
    run_to(walk, "identify-module")
    assert walk.view.case.get("log.of", "") == "another"
    steps = [step.id for step in walk.view.playbook.steps]
    for step in steps[steps.index("identify-module") :]:
        walk.enter(step)
        while walk.proposed is not None:
            assert not TOOLS[walk.proposed.tool].of_box
            walk.run(walk.proposed, "yes")
        assert blocked_in(log, step) == set(), "a step has tools for such a case, or none"
    ran = {event.tool for event in log.events if isinstance(event, CommandStarted)}
    of_logs = {"dmesg", "journal", "kern-log", "pstore", "var-crash"}
    assert not ran & (of_logs | {"modinfo", "module-file", "newer-kernel", "module-build"})


def test_the_person_can_say_that_it_is_of_this_box() -> None:
    walk, log = walk_with({})
    run_to(walk, "identify-module")
    walk.give_fact("log_of", "this-box")
    assert isinstance(log.events[-1], FactGiven)
    walk.enter("identify-module")
    assert walk.proposed is not None
    assert walk.proposed.tool == "taint"


def test_it_can_be_said_at_the_start() -> None:
    walk, log = walk_with({"log_of": "this-box"})
    run_to(walk, "identify-module")
    assert blocked_in(log, "identify-module") == set()
    assert walk.proposed is not None
    assert walk.proposed.tool == "taint"


def test_each_tool_that_loads_or_changes_the_box_is_marked() -> None:
    """What alters files that were given, or works in the lab, is of no box."""
    elsewhere = {
        *("edit", "module-build", "program-build", "valgrind", "other-kernels"),
        *("other-kernels-fixed", "debug-files", "dump-symbols", "line-symbols", "gdb-live"),
        *("gcc-analyzer", "sparse", "coccinelle", "lab-run", "lab-run-fixed"),
        "source-package",
    }
    risky = {name for name, tool in TOOLS.items() if tool.risk is not Risk.READ}
    assert risky - elsewhere <= {name for name, tool in TOOLS.items() if tool.of_box}


@pytest.mark.parametrize("tool", [name for name, tool in TOOLS.items() if tool.of_box])
def test_no_tool_about_the_box_plans_a_command_for_another_machine(tool: str) -> None:
    walk, _ = walk_with({"log_of": "another", "module_dir": "/x", "trigger": "true"})
    planned = next_command(TOOLS[tool], walk.view.case)
    assert planned is None or isinstance(planned, Blocked)


def test_the_name_in_a_mark_of_the_log_is_redacted() -> None:
    _, log = walk_with({})
    kept = [event for event in Redaction().events(log.events) if isinstance(event, LogRead)]
    assert kept[0].log.machine
    assert b"turnip" not in encode(kept[0])
