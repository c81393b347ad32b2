"""gdb on the module's file: which variable in the source was the bad pointer.

`info scope` lists the variables in scope, each with the code ranges in which it is in a register
(DWARF location lists, printed by gdb's `gdb/dwarf2/loc.c`). The registers in the report then give
the values of these variables.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pagefault_doctor.model.case import Case, ToolReading
from pagefault_doctor.model.command import Command, Result
from pagefault_doctor.model.fact import Finding, Mark
from pagefault_doctor.model.pattern import regex
from pagefault_doctor.tools.arguments import reported
from pagefault_doctor.tools.tool import NO_DOWNLOADS, Tool, fact, finding

_AT = regex(r"^(?:=> |   )0x([0-9a-f]{1,16})[ :]")
_SYMBOL = regex(r"^Symbol ([A-Za-z_]\w*) is (.*)$")
_RANGE = regex(r"^  (?:Base address \S+  )?Range 0x([0-9a-f]{1,16})-0x([0-9a-f]{1,16}): (.*)$")
_REGISTER = regex(r"^a variable in \$([a-z][a-z0-9]{1,4})\b")
_MAX_OTHERS: Final = 8
"""Findings for variables other than the bad pointer."""


def _plan(case: Case) -> Command | None:
    if case.done("gdb-scope") or not case.has("debug.pointer"):
        return None
    asked = (result.command.argv for result in case.done("gdb-module"))
    places = ((word, argv[-1]) for argv in asked for word in argv if word.startswith("x/i "))
    found = next(places, None)
    if found is None:
        return None
    at, file = found
    return Command(
        argv=("gdb", "-batch", "-nx", "-ex", at, "-ex", f"info scope *{at[4:]}", file),
        tool="gdb-scope",
        timeout=120.0,
        why="find which variable of the source the bad pointer was",
        env=NO_DOWNLOADS,
    )


def _variables_in_registers(output: str) -> Iterator[tuple[str, str, int]]:
    """Yield each variable that is in a register: name, register, line number of the output."""
    at: int | None = None
    name = ""
    for number, line in enumerate(output.split("\n"), 1):
        if at is None and (match := _AT.match(line)):
            at = int(match[1], 16)
        elif match := _SYMBOL.match(line):
            name = match[1]
            if register := _REGISTER.match(match[2]):
                yield name, register[1], number
        elif at is not None and name and (match := _RANGE.match(line)):
            register = _REGISTER.match(match[3])
            if register and int(match[1], 16) <= at < int(match[2], 16):
                yield name, register[1], number


def _read(result: Result, case: Case) -> ToolReading:
    report = reported(case)
    bad = case.get("debug.pointer", "")
    held = tuple(_variables_in_registers(result.output))
    if report is None or not held:
        text = "gdb knows of no variable in a register there"
        return ToolReading(findings=(finding(text, Mark.NEUTRAL, result),) if result.ok else ())
    named = next((row for row in held if row[1] == bad), None)
    findings = []
    if named:
        name, register, number = named
        value = report.register(register)
        was = "" if value is None else f", which held {value:#x}"
        said = f"The bad pointer is the variable {name}: it was in {register}{was}"
        findings.append(finding(said, Mark.BAD, result, number))
    findings += _others(result, case, [row for row in held if row != named][:_MAX_OTHERS])
    if named is None:
        return ToolReading(findings=tuple(findings))
    name, register, number = named
    facts = (
        fact("debug.pointer", name, result, number),
        fact("debug.variable", (name, register), result, number),
    )
    return ToolReading(facts=facts, findings=tuple(findings))


def _others(result: Result, case: Case, rows: list[tuple[str, str, int]]) -> Iterator[Finding]:
    """Yield findings for the other variables whose registers are in the report."""
    report = reported(case)
    for name, register, number in rows:
        value = report.register(register) if report else None
        if value is not None:
            text = f"At that moment {name} was {value:#x} (in {register})"
            yield finding(text, Mark.NEUTRAL, result, number)


TOOL: Final = Tool(
    id="gdb-scope",
    purpose="finds the variable of the source that was the bad pointer",
    programs=("gdb",),
    package={"": "gdb"},
    facts=("debug.pointer", "debug.variable"),
    plan=_plan,
    read=_read,
    by_hand="gdb MODULE.ko, then: info scope *('FUNCTION'+0xOFFSET); look for the register.",
)
