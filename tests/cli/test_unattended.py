"""Walks without a person: what runs by itself, and what `--yes` covers."""

from __future__ import annotations

import pytest

from pagefault_doctor.cli.unattended import (
    CONSENT_BY_OPTION,
    DECLINED,
    NEEDS_TERMINAL,
    walk_playbook,
)
from pagefault_doctor.hosts.recorded import RecordedHost
from pagefault_doctor.model.case import ToolReading
from pagefault_doctor.model.command import Risk
from pagefault_doctor.model.event import SessionStarted
from pagefault_doctor.model.playbook import Playbook, Step
from pagefault_doctor.report import text
from pagefault_doctor.report.outline import session_outline
from pagefault_doctor.session.event_log import MemoryLog
from pagefault_doctor.session.walk import Walk
from pagefault_doctor.tools.tool import Tool, once


def walk(risk: Risk, *, interactive: bool = False, read_only: bool = False) -> Walk:
    """Return a walk whose only step wants one command of that risk."""
    plan = once("push", "push", risk=risk, interactive=interactive)
    tool = Tool(id="push", purpose="pushes", plan=plan, read=lambda result, case: ToolReading())
    step = Step(id="only", title="Only", why="To push.", tools=("push",))
    playbook = Playbook(schema=1, id="small", title="Small", summary="", steps=(step,))
    started = SessionStarted(
        id="s1", version="0", playbook="small", host="box", user="jdoe", read_only=read_only
    )
    return Walk.start(
        started, playbook, host=RecordedHost(()), sink=MemoryLog(), tools={"push": tool}
    )


def ran(walk: Walk) -> list[tuple[str, str]]:
    return [(record.command.text, record.consent) for record in walk.view.commands]


@pytest.mark.parametrize("risk", [Risk.LOAD, Risk.CHANGE, Risk.CRASH])
def test_without_a_yes_only_what_observes_runs(risk: Risk) -> None:
    this = walk(risk)
    walk_playbook(this)
    assert ran(this) == []
    assert [declined.reason for declined in this.view.declined] == [DECLINED]


@pytest.mark.parametrize("risk", [Risk.LOAD, Risk.CHANGE])
def test_a_yes_covers_load_and_change_and_the_report_says_who_consented(risk: Risk) -> None:
    this = walk(risk)
    walk_playbook(this, yes=True)
    assert ran(this) == [("push", CONSENT_BY_OPTION)]
    assert "consent: --yes by jdoe" in text.render(session_outline(this.view))


def test_a_yes_never_covers_a_crash() -> None:
    this = walk(Risk.CRASH)
    walk_playbook(this, yes=True)
    assert ran(this) == []
    assert [declined.risk for declined in this.view.declined] == [Risk.CRASH]


def test_read_only_is_stronger_than_a_yes() -> None:
    this = walk(Risk.CHANGE, read_only=True)
    walk_playbook(this, yes=True)
    assert ran(this) == []


def test_what_needs_a_terminal_is_left_to_the_person() -> None:
    this = walk(Risk.CHANGE, interactive=True)
    walk_playbook(this, yes=True)
    assert [declined.reason for declined in this.view.declined] == [NEEDS_TERMINAL]
