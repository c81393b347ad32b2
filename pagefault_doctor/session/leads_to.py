"""What going on with a session connects to, builds, runs or opens, because the session names it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from pagefault_doctor.model.command import typed
from pagefault_doctor.model.event import LabCase
from pagefault_doctor.model.pattern import regex
from pagefault_doctor.model.untrusted import clean_line
from pagefault_doctor.session.derived_facts import GIVEN
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

_WIDTH: Final = 160
"""Characters of a line that are shown; a longer one must not push the others off the screen."""
_END: Final = 80
"""How many of them are the end of a longer line: a path means what its end says."""
_MISLEADING: Final = regex(r"(?<= ) |[\u115f\u1160\u2800\u3164\uffa0]|(?=[^\x00-\x7f])\W")
"""A blank after a blank, letters without a shape, and signs beyond ASCII: they could fill the line
of a terminal, so that what follows looks like a line of ours, or be no wider than nothing."""
_MOST_TRIGGERS: Final = 5


def leads_to(view: View) -> tuple[str, ...]:
    """Return one line for each thing that resuming the session can lead to; none for a replay."""
    return tuple(map(_shortened, _lines(view)))


def _shortened(text: str) -> str:
    line = _MISLEADING.sub(_escaped, clean_line(text))
    if len(line) <= _WIDTH:
        return line
    return f"{line[: _WIDTH - _END]} ... {line[-_END:]} ({len(line)} characters)"


def _escaped(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def _lines(view: View) -> Iterator[str]:
    started = view.started
    if started.destination is not None:
        config = ("-F", started.ssh_config) if started.ssh_config is not None else ()
        yield f"connects with: {typed(('ssh', *config, started.destination))}"
    if started.lab is not None:
        yield from _lab_lines(started.lab)
        yield from _repeated(view)
    if started.scenario is not None and started.destination is None and started.lab is None:
        return  # A recording answers; nothing runs.
    for name in GIVEN:
        if value := view.case.get(f"given.{name}", ""):
            yield f"uses as {name}: {value}"
    for name, what in PATHS.items():
        if value := view.case.get(name, ""):
            yield f"uses as {what}: {value}"


def _lab_lines(lab: LabCase) -> Iterator[str]:
    if lab.source:
        yield f"builds, by its Makefile: {lab.source}"
    if lab.scenario:
        yield f"boots the lab with: {lab.scenario}"
    if lab.kernel:
        yield f"boots the kernel: {lab.kernel}"
    words = (*lab.trigger, *lab.kernel_args)
    for word in words[:_MOST_TRIGGERS]:
        yield f"runs in the lab: {word}"
    if len(words) > _MOST_TRIGGERS:
        yield f"and {len(words) - _MOST_TRIGGERS} more in the lab"


def _repeated(view: View) -> Iterator[str]:
    """Yield what is done again, on this machine, to bring a new machine of the lab to its state."""
    last = {record.command.tool: record.command for record in view.commands}
    if diff := last.get("diff"):
        yield f"changes on this machine: {diff.argv[-1] if diff.argv else '?'}"
    if build := last.get("module-build"):
        yield f"runs on this machine: {build.line}"
