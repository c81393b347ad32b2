"""What is refused to this user is tried through sudo, where that asks for no password."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest

from pagefault_doctor.cli.open_session import start_walk
from pagefault_doctor.cli.unattended import walk_steps
from pagefault_doctor.hosts.local import LocalHost
from pagefault_doctor.model.command import Blocked, Command, Risk
from pagefault_doctor.tools import TOOLS
from pagefault_doctor.tools.logs import dmesg
from pagefault_doctor.tools.tool import next_command
from tools.example_reports import BOOT, OOPS, follow, known, told

NO = told(errors="dmesg: read kernel buffer failed: Operation not permitted\n", exit_code=1)


def test_a_refused_command_is_run_again_as_root() -> None:
    case = known({"host.uid": 1000, "host.sudo": True})
    case, ran, blocked = follow(dmesg.TOOL, case, NO, told(BOOT + OOPS))
    assert [command.text for command in ran] == ["dmesg", "sudo -n -- dmesg"]
    assert blocked is None
    assert case.reports[0].module == "wobble"


def test_it_is_not_tried_for_ever() -> None:
    case = known({"host.uid": 1000, "host.sudo": True})
    _, ran, blocked = follow(dmesg.TOOL, case, NO, NO)
    assert len(ran) == 2
    assert blocked is not None


@pytest.mark.parametrize("facts", [{"host.uid": 1000}, {"host.uid": 0, "host.sudo": True}])
def test_without_sudo_or_for_root_it_stays_refused(facts: dict[str, int]) -> None:
    _, ran, blocked = follow(dmesg.TOOL, known({**facts}), NO)
    assert len(ran) == 1
    assert blocked is not None


def test_what_needs_root_goes_through_sudo_and_keeps_its_risk() -> None:
    tool = next(tool for tool in TOOLS.values() if tool.needs_root)
    tool = msgspec.structs.replace(
        tool,
        programs=(),
        plan=lambda case: Command(argv=("insmod", "x.ko"), tool=tool.id, risk=Risk.CRASH),
    )
    wanted = next_command(tool, known({"host.uid": 1000, "host.sudo": True}))
    assert isinstance(wanted, Command)
    assert (wanted.text, wanted.risk) == ("sudo -n -- insmod x.ko", Risk.CRASH)
    assert isinstance(next_command(tool, known({"host.uid": 1000})), Blocked)


def test_a_walk_of_a_user_with_sudo_reads_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "log").write_text(BOOT + OOPS)
    for name, script in {
        "id": "echo 1000",
        "sudo": '[ "$1 $2" = "-n --" ] && shift; shift; AS_ROOT=1 exec "$@"',
        "dmesg": f'[ "$AS_ROOT" ] && exec cat {tmp_path}/log; '
        "echo 'dmesg: read kernel buffer failed: Operation not permitted' >&2; exit 1",
    }.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    walk = start_walk(LocalHost(), saved=False)
    walk_steps(walk, ("check-logs",))
    ran = [record.command.text for record in walk.view.commands if record.command.tool == "dmesg"]
    assert ran == ["dmesg", "sudo -n -- dmesg"]
    assert walk.view.case.reports[0].module == "wobble"
