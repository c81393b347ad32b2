"""Resume a session in the lab: bring the new machine to the state of the first one.

The new machine faults like the first one and leaves a dump before its first command. The person's
changes to the source are repeated here; what cannot be repeated is reported.
"""

from __future__ import annotations

from typing import Final

import msgspec

from pagefault_doctor.lab import host_tools
from pagefault_doctor.lab.host import LabHost
from pagefault_doctor.model.command import Command
from pagefault_doctor.session.view import CommandRecord
from pagefault_doctor.session.walk import Walk

_STILL_VALID: Final = host_tools.TOOLS - {"var-crash"}
"""Tools whose results stay valid on a new machine: they are about the source and the module."""

FRESH_MACHINE: Final = (
    "the lab's box is set up anew: at its next command it crashes, leaves a dump, and faults again"
)
"""The message that the session continues on a new machine."""


def restore_machine(walk: Walk, host: LabHost) -> tuple[str, ...]:
    """Repeat the session's changes on the new machine; return messages about them.

    A step that was examining the first machine is entered again.
    """
    messages = [FRESH_MACHINE, *_restore_source(walk, host)]
    step = walk.view.step
    if step and walk.proposed and not set(walk.view.case.results) <= _STILL_VALID:
        walk.enter(step)
        messages.append(f"the step {step} begins again, since it was about the box that is gone")
    return tuple(messages)


def _restore_source(walk: Walk, host: LabHost) -> list[str]:
    """Patch and build the source again, if the machine had its own copy."""
    assert walk.view.started.lab
    if not walk.view.started.lab.scenario:
        return []
    edit = _last_command(walk, "edit", but="cp")
    change, build = _last_command(walk, "diff"), _last_command(walk, "module-build")
    if edit is None:
        return []
    if change is None or change.result is None or change.number < edit.number:
        return ["what you changed in the source is lost, for no diff was taken: edit it again"]
    if change.result.exit_code != 1:
        return []
    file = change.command.argv[-1]
    argv = ("patch", "-s", "-b", file)
    patched = host.tools_here.run(Command(argv=argv, tool="edit", stdin=change.result.output))
    if not patched.ok:
        reason = patched.errors.strip() or patched.output.strip() or patched.status.value
        return [f"your change to {file} could not be made again ({reason}): edit it again"]
    messages = [f"your change to {file} was made again"]
    if build and build.number > change.number and build.result and build.result.ok:
        rebuilt = host.tools_here.run(msgspec.structs.replace(build.command, timeout=300.0))
        messages.append(
            f"the module was built again: {'ok' if rebuilt.ok else rebuilt.status.value}"
        )
    return messages


def _last_command(walk: Walk, tool: str, but: str = "") -> CommandRecord | None:
    """Return the last command of a tool that did not run the program `but`."""
    records = (r for r in reversed(walk.view.commands) if r.command.tool == tool)
    return next((r for r in records if r.command.argv[:1] != (but,)), None)
