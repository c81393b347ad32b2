"""A session on the lab's box that is taken up again: the next box is brought to where it stood.

The new box falls ill as the first did, and leaves a dump, before its first command runs. What the
person had changed on the first one is done again here; what cannot be is told.
"""

from __future__ import annotations

from typing import Final

import msgspec

from pagefault_doctor.lab import host_tools
from pagefault_doctor.lab.host import LabHost
from pagefault_doctor.model.command import Command
from pagefault_doctor.session.view import CommandRecord
from pagefault_doctor.session.walk import Walk

_STAYS: Final = host_tools.TOOLS - {"var-crash"}
"""Tools whose answers hold for any box of the case: they are about the source and the module."""

FRESH: Final = (
    "the lab's box is set up anew: at its next command it crashes, leaves a dump, and faults again"
)


def bring_back(walk: Walk, host: LabHost) -> tuple[str, ...]:
    """Do again on the new box what the session did on the first; return what was done, as told.

    A step that was in the middle of looking at the first box is entered again.
    """
    told = [FRESH, *_source(walk, host)]
    step = walk.view.step
    if step and walk.proposed and not set(walk.view.case.results) <= _STAYS:
        walk.enter(step)
        told.append(f"the step {step} begins again, since it was about the box that is gone")
    return tuple(told)


def _source(walk: Walk, host: LabHost) -> list[str]:
    """Change and build the source again, where the box had a copy of its own."""
    assert walk.view.started.lab
    if not walk.view.started.lab.scenario:
        return []
    edit = _last(walk, "edit", but="cp")
    change, build = _last(walk, "diff"), _last(walk, "module-build")
    if edit is None:
        return []
    if change is None or change.result is None or change.number < edit.number:
        return ["what you changed in the source is lost, for no diff was taken: edit it again"]
    if change.result.exit_code != 1:
        return []
    file = change.command.argv[-1]
    argv = ("patch", "-s", "-b", file)
    done = host.tools_here.run(Command(argv=argv, tool="edit", stdin=change.result.output))
    if not done.ok:
        why = done.errors.strip() or done.output.strip() or done.status.value
        return [f"your change to {file} could not be made again ({why}): edit it again"]
    told = [f"your change to {file} was made again"]
    if build and build.number > change.number and build.result and build.result.ok:
        again = host.tools_here.run(msgspec.structs.replace(build.command, timeout=300.0))
        told.append(f"the module was built again: {'ok' if again.ok else again.status.value}")
    return told


def _last(walk: Walk, tool: str, but: str = "") -> CommandRecord | None:
    """Return the last command of a tool, with another program than `but`."""
    records = (r for r in reversed(walk.view.commands) if r.command.tool == tool)
    return next((r for r in records if r.command.argv[0] != but), None)
