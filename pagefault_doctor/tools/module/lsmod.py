"""lsmod: the modules that are loaded now."""

from __future__ import annotations

from typing import Final

import msgspec

from pagefault_doctor.model.case import Case, ToolReading
from pagefault_doctor.model.command import Blocked, Command, Result
from pagefault_doctor.model.fact import Fact, Finding, Mark, Source
from pagefault_doctor.model.pattern import regex
from pagefault_doctor.tools.arguments import other_kernel_warning
from pagefault_doctor.tools.module.module_name import same_module
from pagefault_doctor.tools.module.taint import MODULE_FLAGS
from pagefault_doctor.tools.permission import answered
from pagefault_doctor.tools.tool import Tool, fact, finding, remark

_ROW = regex(r"(\S+)\s+(\d+)\s+(-?\d+|-)(?:\s+(\S.*))?")


class LoadedModule(msgspec.Struct, frozen=True):
    """A loaded module: size in bytes, reference count, users, and line number in the table."""

    name: str
    size: int
    refcount: int
    used_by: tuple[str, ...]
    line: int


def rows(table: str) -> list[LoadedModule]:
    """Return the modules in lsmod's table, in its order."""
    found = []
    for number, line in enumerate(table.splitlines(), 1):
        match = _ROW.fullmatch(line.strip()[:4096])
        if match is None:
            continue
        name, size, count, users = match.groups()
        used_by = tuple(user for user in (users or "").split(",") if user.strip("- "))
        refcount = int(count[:10]) if count != "-" else 0
        found.append(LoadedModule(name, int(size[:15]), refcount, used_by, number))
    return found


def _plan(case: Case) -> Command | Blocked | None:
    done = case.done("lsmod")
    if not done:
        return Command(argv=("lsmod",), tool="lsmod", why="see which modules are loaded now")
    if not done[-1].ok and not rows(done[-1].output):
        return Blocked(
            "this kernel does not list its modules",
            "mount /proc, or go on without: a kernel built without CONFIG_MODULES has none",
        )
    return None


def _read(result: Result, case: Case) -> ToolReading:
    table = rows(result.output)
    if not result.ok and not table:
        return remark("lsmod got no list of modules from this kernel", result)
    facts, findings = _suspect(case, table, result)
    flag_facts, flag_findings = _flags(case)
    return ToolReading(
        facts=(*flag_facts, *facts),
        findings=(*other_kernel_warning(case, result), *flag_findings, *findings),
    )


def _suspect(
    case: Case, table: list[LoadedModule], result: Result
) -> tuple[tuple[Fact, ...], tuple[Finding, ...]]:
    suspect = case.suspect
    if suspect is None:
        return (), (finding(f"{len(table)} modules are loaded", Mark.NEUTRAL, result),)
    row = next((row for row in table if same_module(row.name, suspect)), None)
    if row is None:
        text = f"{suspect} is not loaded now"
        missing = fact("module.loaded", False, result)
        return (missing,), (finding(text, Mark.NEUTRAL, result),)
    users = f", used by {', '.join(row.used_by)}" if row.used_by else ""
    text = f"{suspect} is loaded, reference count {row.refcount}{users}"
    return (
        fact("module.loaded", True, result, row.line),
        fact("module.refcount", row.refcount, result, row.line),
    ), (finding(text, Mark.NEUTRAL, result, row.line),)


def _flags(case: Case) -> tuple[tuple[Fact, ...], tuple[Finding, ...]]:
    """Return the taint flags of the suspect and of other modules, from the report's module list."""
    report, log = case.main_report, case.main_log
    if report is None or log is None or not report.modules:
        return (), ()
    source = Source(log.source, report.line_of("modules"))
    suspect = case.suspect or ""
    flags = next((m.flags for m in report.modules if same_module(m.name, suspect)), None)
    facts = [
        Fact(name, letter in flags, source)
        for letter, name in MODULE_FLAGS.items()
        if flags is not None
    ]
    others = [name for name in report.out_of_tree if not same_module(name, suspect)]
    if others:
        text = f"Other out-of-tree modules in the report: {', '.join(others[:10])}"
    else:
        text = "No other out-of-tree module is in the report"
    return tuple(facts), (Finding(text, Mark.NEUTRAL if others else Mark.GOOD, source),)


TOOL: Final = Tool(
    id="lsmod",
    of_box=True,
    purpose="lists the loaded modules",
    programs=("lsmod",),
    package={"": "kmod"},
    facts=("module.loaded", "module.refcount", *MODULE_FLAGS.values()),
    plan=_plan,
    read=answered(_read),
    by_hand="cat /proc/modules: name, size, reference count, users, state, address.",
)
