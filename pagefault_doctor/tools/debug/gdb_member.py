"""gdb on the module's file: which member of its structure the bad pointer was used for.

gdb-scope names the variable, the instruction has the distance from it. gdb's own Python looks the
member up in the type: https://sourceware.org/gdb/current/onlinedocs/gdb.html/Types-In-Python.html.
"""

from __future__ import annotations

import re
from typing import Final

from pagefault_doctor.hosts.script import script
from pagefault_doctor.model.case import Case, ToolReading
from pagefault_doctor.model.command import Command, Result
from pagefault_doctor.model.fact import Mark
from pagefault_doctor.model.pattern import regex
from pagefault_doctor.model.untrusted import clean_line
from pagefault_doctor.tools.arguments import is_c_name
from pagefault_doctor.tools.key_value import first_values
from pagefault_doctor.tools.tool import NO_DOWNLOADS, Tool, fact, finding

ID: Final = "gdb-member"
_AT = regex(r"^(?:=> |   )0x([0-9a-f]{1,16})[ :]", re.MULTILINE)
_X86 = regex(r"(-?0x[0-9a-f]{1,8})?\(%([a-z][a-z0-9]{1,3})\)")
_ARM64 = regex(r"\[(x\d{1,2})(?:, #(-?\d{1,6}))?\]")
_PATH = regex(r"(?:\.\w{1,128}|\[\d{1,9}\]){1,20}")


def _plan(case: Case) -> Command | None:
    variable = case.facts.get("debug.variable")
    scope = next(iter(case.done("gdb-scope")), None)
    if case.done(ID) or scope is None or variable is None or not isinstance(variable.value, tuple):
        return None
    name, register = variable.value[:2]
    offset = _offset(case.get("debug.instruction", ""), register)
    at = _AT.search(scope.output)
    if at is None or offset is None or not is_c_name(name):
        return None
    wanted = f"WANTED = ({int(at[1], 16)}, {name!r}, {offset})\n"
    text = wanted + script("tools/scripts/gdb_member.py")
    return Command(
        argv=("gdb", "-batch", "-nx", "-ex", f"python {text}", scope.command.argv[-1]),
        tool=ID,
        timeout=120.0,
        why=f"find which member of its structure is {offset:#x} bytes behind {name}",
        env=NO_DOWNLOADS,
    )


def _offset(instruction: str, register: str) -> int | None:
    """Return how far from a register an instruction accesses memory, in bytes, if not before it."""
    for match in _X86.finditer(instruction):
        if match[2] == register:
            offset = int(match[1] or "0", 16)
            return offset if offset >= 0 else None
    for match in _ARM64.finditer(instruction):
        if match[1] == register:
            return max(int(match[2] or "0"), 0)
    return None


def _read(result: Result, case: Case) -> ToolReading:
    said = first_values(result.output)
    path, line = said.get("path", ("", 0))
    kind, _ = said.get("type", ("", 0))
    variable = case.facts.get("debug.variable")
    if variable is None or not isinstance(variable.value, tuple) or not _PATH.fullmatch(path):
        return ToolReading()
    name = variable.value[0]
    access = f"{name}->{path[1:]}" if path[:1] == "." else f"{name}{path}"
    of = f", and {name} is {clean_line(kind)[:200]}" if kind else ""
    return ToolReading(
        facts=(fact("debug.member", access, result, line),),
        findings=(finding(f"The access was to {access}{of}", Mark.NEUTRAL, result, line),),
    )


TOOL: Final = Tool(
    id=ID,
    purpose="finds the member of a structure that the bad pointer was used for",
    programs=("gdb",),
    package={"": "gdb"},
    facts=("debug.member",),
    plan=_plan,
    read=_read,
    by_hand="gdb MODULE.ko, then: ptype /o struct NAME; look for the offset in the instruction.",
)
