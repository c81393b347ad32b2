"""The keys that change the case on the way: another log, another host."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import msgspec
import pytest
from textual.pilot import Pilot

from pagefault_doctor import klog
from pagefault_doctor.model.case import ToolReading
from pagefault_doctor.model.errors import MissingError
from pagefault_doctor.model.log import KernelLog
from pagefault_doctor.session.walk import Walk
from pagefault_doctor.tools.tool import Tool, once
from pagefault_doctor.tui.app import WizardApp
from tui.wizard_bench import (
    LOG,
    PLAYBOOK,
    TOOLS,
    FakeHost,
    drive,
    make_app,
    make_walk,
    press,
    settle,
    text_of,
)


@pytest.fixture(autouse=True)
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the wizard hand over a terminal that the tests do not have."""
    monkeypatch.setattr(WizardApp, "suspend", lambda app: nullcontext())


def play_keys(walk: Walk, *keys: str, **options: Any) -> str:
    """Return what the wizard shows after these keys."""
    shown: list[str] = []

    async def play(app: WizardApp, pilot: Pilot[int]) -> None:
        await settle(app, pilot)
        await press(app, pilot, *keys)
        shown.append(" ".join(text_of(app).split()))

    drive(make_app(walk, **options), play)
    return shown[0]


def test_x_asks_for_a_host_and_goes_there() -> None:
    walk, _ = make_walk(FakeHost())
    moved: list[str] = []

    def move(walk: Walk, name: str) -> None:
        moved.append(name)
        walk.host = FakeHost(name="pi")

    said = play_keys(walk, "x", *"root@pi", "enter", move=move)
    assert moved == ["root@pi"]
    assert "Commands run on pi from now on." in said


def test_a_host_out_of_reach_is_told_and_the_walk_stays() -> None:
    walk, _ = make_walk(FakeHost())

    def move(walk: Walk, name: str) -> None:
        raise MissingError("no route to pi", "is it on?")

    said = play_keys(walk, "x", *"pi", "enter", move=move)
    assert "no route to pi; is it on?" in said
    assert walk.host.name == "db7"


def test_nothing_typed_changes_nothing() -> None:
    walk, _ = make_walk(FakeHost())
    moved: list[str] = []
    play_keys(walk, "x", "enter", move=lambda walk, name: moved.append(name))
    assert moved == []


def test_a_adds_a_log_to_those_that_are_there(tmp_path: Path) -> None:
    walk, _ = make_walk(FakeHost())
    (tmp_path / "more.log").write_text(LOG)

    def read_logs(path: str) -> tuple[KernelLog, ...]:
        return (klog.read(Path(path).read_bytes(), path),)

    said = play_keys(walk, "a", *f"{tmp_path}/mo", "tab", "enter", read_logs=read_logs)
    assert [log.source for log in walk.view.case.logs] == [f"{tmp_path}/more.log"]
    assert "1 report: BUG: kernel NULL pointer dereference" in said


def test_what_is_no_log_is_told(tmp_path: Path) -> None:
    walk, _ = make_walk(FakeHost())
    (tmp_path / "dump").touch()

    def read_logs(path: str) -> tuple[KernelLog, ...]:
        raise MissingError("dump is no log", "for a crash dump use --vmcore FILE")

    said = play_keys(walk, "a", *f"{tmp_path}/dump", "enter", read_logs=read_logs)
    assert "dump is no log; for a crash dump use --vmcore FILE" in said
    assert not walk.view.case.logs


@pytest.mark.parametrize("key", ["a", "x"])
def test_a_training_walk_keeps_its_machine_and_logs(key: str) -> None:
    walk, _ = make_walk(FakeHost())
    assert "A training walk has its own machine and logs." in play_keys(walk, key)


def test_with_a_log_in_hand_the_first_page_tells_whose_it_is_before_any_key() -> None:
    box = Tool(
        id="box",
        purpose="asks the box",
        plan=once("box", "uname", "-r"),
        read=lambda result, case: ToolReading(),
    )
    host = FakeHost()
    book = msgspec.structs.replace(
        PLAYBOOK,
        steps=(msgspec.structs.replace(PLAYBOOK.steps[0], tools=("box",)), *PLAYBOOK.steps[1:]),
    )
    for has_log, ran in ((False, []), (True, [("uname", "-r")])):
        walk, _ = make_walk(host, playbook=book, tools={**TOOLS, "box": box})
        walk.enter("check-logs")
        if has_log:
            walk.give_log(klog.read(LOG.encode(), "case.log"))
        play_keys(walk)
        assert host.ran == ran
