"""An edited command: what it needs consent for, whoever says what its risk is."""

from __future__ import annotations

import msgspec
import pytest

from pagefault_doctor.model.command import Command, Risk
from pagefault_doctor.model.errors import UsageError
from pagefault_doctor.session.edited_command import edited, needed_risk
from pagefault_doctor.session.event_log import MemoryLog
from pagefault_doctor.session.walk import ConsentError
from session.small_walk import MakeWalk, TableHost

LIST = Command(argv=("ls", "/boot"), tool="look")


def planned(text: str, risk: Risk = Risk.READ) -> Command:
    return Command(argv=tuple(text.split()), tool="look", risk=risk)


@pytest.mark.parametrize(
    ("plan", "text", "risk"),
    [
        ("cat /a", "cat /a", Risk.READ),
        ("cat /a", "cat /b /c", Risk.READ),
        ("cat /a", "/tmp/cat /a", Risk.CHANGE),
        ("/tmp/cat /a", "/tmp/cat /b", Risk.CHANGE),
        ("cat /a", "ls /a", Risk.CHANGE),
        ("dmesg", "dmesg --clear", Risk.CHANGE),
        ("sed -n 1p /a", "sed -i 1d /a", Risk.CHANGE),
        ("find /a", "find /a -delete", Risk.CHANGE),
        ("dkms status", "dkms remove x", Risk.CHANGE),
        ("coredumpctl info", "coredumpctl debug", Risk.CHANGE),
        ("perf report", "perf record true", Risk.CHANGE),
        ("sh -c true", "sh -c reboot", Risk.CHANGE),
        ("drgn -c /d", "drgn /tmp/script", Risk.CHANGE),
    ],
)
def test_an_edit_that_may_do_more_than_observe_is_a_change(
    plan: str, text: str, risk: Risk
) -> None:
    assert edited(planned(plan), text).risk is risk


@pytest.mark.parametrize("risk", [Risk.CHANGE, Risk.CRASH])
def test_an_edit_never_lowers_the_risk(risk: Risk) -> None:
    assert edited(planned("cat /a", risk), "cat /b").risk is risk


@pytest.mark.parametrize(
    "change",
    [
        {"as_root": True},
        {"asks": True},
        {"stdin": "rm -r /"},
        {"env": {"LD_PRELOAD": "/tmp/x.so"}},
        {"cwd": "/tmp"},
        {"tool": "other"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_else_differs_from_the_plan_is_a_change(change: dict[str, object]) -> None:
    assert needed_risk(msgspec.structs.replace(LIST, **change), LIST) is Risk.CHANGE


def test_more_time_or_another_reason_needs_no_consent() -> None:
    longer = msgspec.structs.replace(LIST, timeout=99.0, output_limit=1, why="other", undo="x")
    assert needed_risk(longer, LIST) is Risk.READ


def test_what_no_tool_planned_is_a_change() -> None:
    assert needed_risk(LIST, None) is Risk.CHANGE
    assert needed_risk(planned("x", Risk.CRASH), None) is Risk.CRASH


@pytest.mark.parametrize("text", ["", "   ", "cat 'a"])
def test_an_edit_that_is_no_command_is_an_error_in_one_line(text: str) -> None:
    with pytest.raises(UsageError, match=r"^not a command: [^\n]+$"):
        edited(LIST, text)


@pytest.mark.parametrize("read_only", [False, True])
def test_the_walk_does_not_believe_the_risk_that_a_command_claims(
    make_walk: MakeWalk, read_only: bool
) -> None:
    sink = MemoryLog()
    walk = make_walk(sink=sink, read_only=read_only)
    walk.enter("first")
    assert walk.proposed
    before = list(sink.events)
    for argv in (("rm", "-r", "/"), ("look", "elsewhere")):
        claimed = msgspec.structs.replace(walk.proposed, argv=argv, edited=True)
        with pytest.raises(ConsentError, match="its risk is change"):
            walk.run(claimed)
    assert isinstance(walk.host, TableHost)
    assert (walk.host.ran, sink.events) == ([], before)


def test_the_risk_that_was_needed_is_the_one_that_is_logged(make_walk: MakeWalk) -> None:
    walk = make_walk()
    walk.enter("second")
    assert walk.proposed
    milder = msgspec.structs.replace(walk.proposed, risk=Risk.READ)
    with pytest.raises(ConsentError, match="its risk is crash"):
        walk.run(milder)
    walk.run(milder, "typed box")
    assert walk.view.commands[-1].command.risk is Risk.CRASH
