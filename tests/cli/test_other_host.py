"""Moving a walk to another host in its middle."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from pagefault_doctor import klog
from pagefault_doctor.cli import other_host
from pagefault_doctor.cli.open_session import start_walk
from pagefault_doctor.cli.other_host import OtherHost
from pagefault_doctor.hosts.host import Host
from pagefault_doctor.hosts.local import LocalHost
from pagefault_doctor.model.errors import MissingError, UsageError
from pagefault_doctor.model.event import LabCase
from pagefault_doctor.session.walk import Walk
from session.small_walk import TableHost
from tools.example_reports import OOPS


@pytest.fixture
def walk() -> Walk:
    log = klog.read(OOPS.encode(), "crash.log")
    return start_walk(LocalHost(), logs=(log,), given={"log_of": "another"}, saved=False)


def move(walk: Walk, name: str) -> None:
    with ExitStack() as stack:
        OtherHost(stack)(walk, name)


def test_a_machine_over_ssh_is_connected_and_its_first_step_begins(
    walk: Walk, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, str | None]] = []

    def connect(destination: str, config: str | None) -> Host:
        asked.append((destination, config))
        return TableHost()

    monkeypatch.setattr(other_host, "connect", connect)
    move(walk, "root@pi")
    assert asked == [("root@pi", None)]
    assert walk.view.started.destination == "root@pi"
    assert walk.view.step == "check-logs"
    assert isinstance(walk.host, TableHost)
    assert walk.proposed
    assert walk.proposed.tool == "box"


def test_a_machine_out_of_reach_leaves_the_walk_where_it_is(
    walk: Walk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(destination: str, config: str | None) -> Host:
        raise MissingError("no route to pi", "is it on?")

    monkeypatch.setattr(other_host, "connect", refuse)
    walk.enter("reproduce")
    with pytest.raises(MissingError, match="no route"):
        move(walk, "pi")
    assert isinstance(walk.host, LocalHost)
    assert walk.view.step == "reproduce"
    assert walk.view.started.destination is None


def test_a_name_that_would_be_an_option_of_ssh_is_refused(walk: Walk) -> None:
    with pytest.raises(UsageError):
        move(walk, "-oProxyCommand=true")
    assert walk.view.started.destination is None


def test_here_is_this_machine_again(walk: Walk) -> None:
    move(walk, "here")
    assert isinstance(walk.host, LocalHost)
    assert walk.view.case.get("log.of", "") != "", "it is judged anew"
    assert not walk.view.case.has("given.log_of")


def test_the_lab_needs_the_source(walk: Walk) -> None:
    with pytest.raises(UsageError, match=r"needs the module's source; give its folder first"):
        move(walk, "lab")


def test_the_lab_gets_source_trigger_and_arguments_and_stands_in_for_the_machine_of_the_log(
    walk: Walk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pagefault_doctor.cli.lab_commands import host

    cases: list[LabCase] = []

    @contextmanager
    def lab_host(case: LabCase) -> Iterator[Host]:
        cases.append(case)
        yield TableHost()

    monkeypatch.setattr(host, "lab_host", lab_host)
    walk.give_fact("source_dir", str(tmp_path))
    walk.give_fact("trigger", "cat /proc/a\nsleep 1")
    move(walk, "lab")
    assert cases == [LabCase(source=str(tmp_path), trigger=("cat /proc/a", "sleep 1"))]
    assert walk.view.started.lab == cases[0]
    assert walk.view.case.get("log.of", "") == "this-box"
