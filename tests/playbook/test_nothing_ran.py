"""Where nothing could run, no step claims that something was found out, tried or proven.

What each step says then is on file, to be read: `PFDOCTOR_UPDATE_GOLDEN=1 pytest FILE` writes it.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from pagefault_doctor import klog
from pagefault_doctor.hosts.host import Host, OnOutput
from pagefault_doctor.model.command import Command, Result, ResultStatus
from pagefault_doctor.model.event import SessionStarted
from pagefault_doctor.model.playbook import StepStatus
from pagefault_doctor.playbook import shelf
from pagefault_doctor.session.event_log import MemoryLog
from pagefault_doctor.session.walk import Walk
from pagefault_doctor.tools import TOOLS
from tools.example_reports import OOPS

GOLDEN = Path(__file__).parent / "golden"
MOST = 60
WAYS = {
    "missing": (ResultStatus.MISSING, None),
    "refused": (ResultStatus.REFUSED, None),
    "failing": (ResultStatus.FAILED, 1),
}


class BrokenHost(Host):
    """A host on which every command ends in the same way, without output."""

    name = "broken"
    live = True

    def __init__(self, way: str) -> None:
        self._status, self._code = WAYS[way]

    def run(
        self,
        command: Command,
        on_output: OnOutput | None = None,
        cancel: threading.Event | None = None,
    ) -> Result:
        return Result(
            command=command, status=self._status, exit_code=self._code, errors="it does not work"
        )


def walk_through(playbook_id: str, way: str, log: str) -> list[str]:
    """Return one line for each step: its status, and what it says."""
    started = SessionStarted(id="s", version="1", playbook=playbook_id, host="broken")
    playbook = shelf.playbook(playbook_id)
    walk = Walk.start(started, playbook, host=BrokenHost(way), sink=MemoryLog(), tools=TOOLS)
    told = []
    for step in playbook.steps:
        walk.enter(step.id)
        if log and step is playbook.steps[0]:
            walk.give_log(klog.read(log.encode(), "crash.log"))
            walk.give_fact("log_of", "this-box")
        for _ in range(MOST):
            if walk.proposed is None:
                break
            walk.run(walk.proposed, "asked")
        assert walk.suggestion is not None
        status = walk.view.state.steps[step.id].status
        told.append(f"{step.id}: {status}: {walk.suggestion.because}")
    return told


@pytest.mark.parametrize("playbook_id", shelf.playbook_ids())
def test_what_is_said_then_is_as_on_file(playbook_id: str) -> None:
    told = []
    for way in WAYS:
        for log in ("", OOPS):
            told.append(f"== every command {way}, {'a log was given' if log else 'no log'}")
            told += walk_through(playbook_id, way, log)
    text = "\n".join(told) + "\n"
    file = GOLDEN / f"nothing-ran-{playbook_id}.txt"
    if os.environ.get("PFDOCTOR_UPDATE_GOLDEN"):
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, "utf-8")
    assert text == file.read_text("utf-8")


@pytest.mark.parametrize("way", ["missing", "refused"])
@pytest.mark.parametrize("playbook_id", shelf.playbook_ids())
def test_no_step_with_tools_is_done_where_none_could_start(playbook_id: str, way: str) -> None:
    statuses = [line.split(": ")[1] for line in walk_through(playbook_id, way, "")]
    # Their tools want nothing where there is no report.
    needless = {"debug-module", "rule-out-hardware"}
    done = [
        step.id
        for step, status in zip(shelf.playbook(playbook_id).steps, statuses, strict=True)
        if status == StepStatus.DONE and step.id not in needless
    ]
    assert done == []
