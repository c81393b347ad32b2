"""A tiny playbook with tiny tools, and a host whose commands answer from a table."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

import pytest

from pagefault_doctor.hosts.host import Host, OnOutput
from pagefault_doctor.model.case import Case, ToolReading
from pagefault_doctor.model.command import Blocked, Command, Result, ResultStatus, Risk
from pagefault_doctor.model.event import SessionStarted
from pagefault_doctor.model.fact import Mark
from pagefault_doctor.model.playbook import Condition, Playbook, Step, Suggestion
from pagefault_doctor.session.event_log import MemoryLog, Sink
from pagefault_doctor.session.walk import Walk
from pagefault_doctor.tools.tool import Plan, Tool, fact, finding, once


class TableHost(Host):
    """A host that answers each argv from a table; what is not in it is missing."""

    name = "box"
    live = True

    def __init__(self, answers: Mapping[tuple[str, ...], str] = {}) -> None:
        self.answers = answers
        self.ran: list[tuple[str, ...]] = []

    def run(
        self,
        command: Command,
        on_output: OnOutput | None = None,
        cancel: threading.Event | None = None,
    ) -> Result:
        self.ran.append(command.argv)
        if cancel is not None and cancel.is_set():
            return Result(command=command, status=ResultStatus.CANCELLED)
        output = self.answers.get(command.argv)
        if output is None:
            return Result(command=command, status=ResultStatus.MISSING, errors="not there")
        if on_output:
            on_output(output)
        return Result(command=command, status=ResultStatus.OK, exit_code=0, output=output)


def _read_word(result: Result, case: Case) -> ToolReading:
    words = result.output.split()
    bad = tuple(finding(f"found {w}", Mark.BAD, result, 1) for w in words if w == "trouble")
    return ToolReading(facts=(fact("look.words", len(words), result),), findings=bad)


def _broken(result: Result, case: Case) -> ToolReading:
    raise ValueError("unreadable")


def _refuse(case: Case) -> Blocked:
    return Blocked("no dump", "set up kdump")


def _tool(tool_id: str, plan: Plan, **options: object) -> Tool:
    read: Callable[[Result, Case], ToolReading] = _read_word
    return Tool(id=tool_id, purpose="for the test", plan=plan, read=read, **options)  # type: ignore[arg-type]


TOOLS = {
    "look": _tool("look", once("look", "look", "around")),
    "idle": _tool("idle", lambda case: None),
    "wall": _tool("wall", _refuse),
    "push": _tool("push", once("push", "push", risk=Risk.CRASH), risk=Risk.CRASH),
    "broken": Tool(id="broken", purpose="", plan=once("broken", "broken"), read=_broken),
    "endless": _tool("endless", lambda case: Command(argv=("again",), tool="endless")),
}

PLAYBOOK = Playbook(
    schema=1,
    id="small",
    title="Small",
    summary="A playbook for tests.",
    steps=(
        Step(
            id="first",
            title="First",
            why="To see.",
            tools=("look", "idle"),
            suggest=(
                Suggestion("third", "{look.words} words", Condition("look.words", at_least=3)),
            ),
        ),
        Step(id="second", title="Second", why="To push.", tools=("wall", "push")),
        Step(id="third", title="Third", why="To end.", tools=("wall",)),
    ),
)

ANSWERS = {("look", "around"): "all calm\n", ("push",): "pushed\n", ("broken",): "x\n"}

MakeWalk = Callable[..., Walk]


@pytest.fixture
def make_walk() -> MakeWalk:
    """Make a walk through the small playbook, with a clock that stands still."""

    def make(
        answers: Mapping[tuple[str, ...], str] = ANSWERS,
        *,
        playbook: Playbook = PLAYBOOK,
        read_only: bool = False,
        tools: Mapping[str, Tool] = TOOLS,
        sink: Sink | None = None,
    ) -> Walk:
        started = SessionStarted(
            id="s1", version="0", playbook=playbook.id, host="box", read_only=read_only
        )
        return Walk.start(
            started,
            playbook,
            host=TableHost(answers),
            sink=sink or MemoryLog(),
            tools=tools,
            clock=lambda: 7.0,
        )

    return make
