"""Where the kernel writes core files, and the newest one that may be of the crashed program.

See core(5): `/proc/sys/kernel/core_pattern`. In it `%` begins a part that varies, and a leading `|`
pipes the core to a program. The pattern is only read, never changed.
"""

from __future__ import annotations

from typing import Final

from pagefault_doctor.hosts.script import shell_argv
from pagefault_doctor.model.case import Case, ToolReading
from pagefault_doctor.model.command import Blocked, Command, Result
from pagefault_doctor.model.fact import Mark
from pagefault_doctor.tools.arguments import blocked_on_other_kernel, first_path, is_absolute
from pagefault_doctor.tools.key_value import first_values
from pagefault_doctor.tools.tool import Tool, fact, finding, remark

_COLLECTORS: Final = (
    ("systemd-coredump", "systemd keeps cores: coredumpctl list"),
    ("apport", "apport keeps crashes in /var/crash: apport-unpack FILE FOLDER gives the core"),
    ("abrt", "abrt keeps crashes: abrt-cli list"),
)


def _plan(case: Case) -> Command | Blocked | None:
    if case.done("core-file") or first_path(case, "given.core"):
        return None
    return blocked_on_other_kernel(case) or Command(
        argv=(*shell_argv("tools/scripts/core_file.sh"), first_path(case, "given.program") or "/"),
        tool="core-file",
        why="see where this box puts the cores of programs that die",
    )


def _read(result: Result, case: Case) -> ToolReading:
    values = {key: value for key, (value, _) in first_values(result.output).items()}
    pattern, core = values.get("pattern", ""), values.get("core", "")
    if is_absolute(core):
        text = f"The newest core is {core}"
        found = fact("core.path", core, result)
        return ToolReading(facts=(found,), findings=(finding(text, Mark.GOOD, result),))
    return remark(_missing_core_text(pattern, values.get("limit", "")), result)


def _missing_core_text(pattern: str, limit: str) -> str:
    if pattern.startswith("|"):
        known = (text for name, text in _COLLECTORS if name in pattern)
        return next(known, f"Cores are handed to {pattern[1:].strip().partition(' ')[0]}")
    if limit == "0":
        return "No core is written here: the limit is 0 (ulimit -c unlimited lifts it for a shell)"
    return f"No core was found; the next one is named by the pattern {pattern or 'core'}"


TOOL: Final = Tool(
    id="core-file",
    of_box=True,
    purpose="finds the core of the program that died",
    programs=("sh", "cat", "sed", "ls", "head"),
    package={"": "coreutils sed"},
    facts=("core.path",),
    plan=_plan,
    read=_read,
    by_hand="cat /proc/sys/kernel/core_pattern; ulimit -c; coredumpctl list.",
)
