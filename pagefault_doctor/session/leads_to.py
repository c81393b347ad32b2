"""What going on with a session connects to, builds, runs or opens, because the session names it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pagefault_doctor.model.command import typed
from pagefault_doctor.model.event import LabCase
from pagefault_doctor.session.view import View

PATHS: Final = {
    "module.path": "module",
    "debug.module_file": "module with debug information",
    "fix.module_path": "mended module",
    "core.path": "core file",
    "dump.path": "crash dump",
    "dump.vmlinux": "kernel with debug symbols",
}
"""Facts read from recorded output that later commands run or open, and what they are."""

REPEATED: Final = ("edit", "diff", "module-build")
"""Tools whose recorded commands are repeated on a new machine of the lab."""


def leads_to(view: View) -> tuple[str, ...]:
    """Return one line for each thing that resuming the session can lead to; none for a replay."""
    return tuple(_lines(view))


def _lines(view: View) -> Iterator[str]:
    started = view.started
    if started.destination is not None:
        config = ("-F", started.ssh_config) if started.ssh_config is not None else ()
        yield f"connects with: {typed(('ssh', *config, started.destination))}"
    if started.lab is not None:
        yield from _lab_lines(started.lab)
        for record in view.commands:
            if record.command.tool in REPEATED:
                yield f"repeats on this machine: {record.command.line}"
    if started.scenario is not None and started.destination is None and started.lab is None:
        return  # A recording answers; nothing runs.
    for name, value in started.given.items():
        yield f"uses as {name}: {value}"
    for name, what in PATHS.items():
        if value := view.case.get(name, ""):
            yield f"uses as {what}: {value}"


def _lab_lines(lab: LabCase) -> Iterator[str]:
    if lab.source:
        yield f"builds, by its Makefile: {lab.source}"
    if lab.scenario:
        yield f"boots the lab with: {lab.scenario}"
    for word in (*lab.trigger, *lab.kernel_args):
        yield f"runs in the lab: {word}"
