"""Runs the wizard on a fake walk in the terminal it is started in; for the tests of that."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

from pagefault_doctor.hosts.local import LocalHost
from pagefault_doctor.model.case import ToolReading
from pagefault_doctor.model.event import SessionStarted
from pagefault_doctor.model.playbook import Playbook, Step
from pagefault_doctor.session.event_log import EventLog
from pagefault_doctor.session.walk import Walk
from pagefault_doctor.tools.tool import Tool, once
from pagefault_doctor.tui.launch import run_wizard


def main(path: Path, *argv: str) -> int:
    """Walk through two steps that both run `argv`, and keep the session in `path`.

    With `raise` for a program, the wizard itself fails at its first look at the step. Options of
    the wizard's face may come first, and `--fail=MODULE:CLASS.METHOD`, which then raises.
    """
    options = tuple(word for word in argv if word.startswith("--"))
    argv = argv[len(options) :]
    for option in options:
        if option.startswith("--fail="):
            module, _, name = option.removeprefix("--fail=").partition(":")
            owner, method = name.split(".")
            setattr(getattr(import_module(module), owner), method, _fail)
    tool = Tool(
        id="probe",
        purpose="probes",
        plan=once("probe", *argv, timeout=60.0),
        read=lambda result, case: ToolReading(),
    )
    steps = tuple(
        Step(id=name, title=f"The step {name}", why="To see.", tools=("probe",))
        for name in ("first", "second")
    )
    playbook = Playbook(schema=1, id="child", title="Child", summary="", steps=steps)
    walk = Walk.start(
        SessionStarted(id=path.stem, version="0", playbook="child", host="box"),
        playbook,
        host=LocalHost(),
        sink=EventLog.create(path),
        tools={"probe": tool},
    )
    return run_wizard(
        walk,
        ascii="--ascii" in options,
        slow_link="--slow-link" in options,
        mouse="--no-mouse" not in options,
        session_path=path,
        vitals=_fail if argv == ("raise",) else None,
    )


def _fail(*_: object) -> str:
    raise RuntimeError("a mistake of our own")


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), *sys.argv[2:]))
