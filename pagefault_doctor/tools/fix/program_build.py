"""make: build the changed program, with the Makefile in its own folder."""

from __future__ import annotations

import shlex
from typing import Final

from pagefault_doctor.model.case import Case, ToolReading
from pagefault_doctor.model.command import Blocked, Command, Result, Risk
from pagefault_doctor.model.fact import Mark
from pagefault_doctor.tools.fix import kbuild
from pagefault_doctor.tools.tool import Tool, fact, finding

_MAX_FINDINGS: Final = 8


def _plan(case: Case) -> Command | Blocked | None:
    done = case.done("program-build")
    unchanged = case.has("fix.changed") and not case.get("fix.changed", True)
    if done or unchanged:
        return None
    source = kbuild.source_folder(case)
    if isinstance(source, Blocked):
        return source
    argv = ("make", "-C", source)
    return Command(
        argv=argv,
        tool="program-build",
        risk=Risk.CHANGE,
        timeout=600.0,
        why="build the changed program",
        undo=shlex.join((*argv, "clean")),
    )


def _read(result: Result, case: Case) -> ToolReading:
    built = fact("fix.built", result.ok, result)
    problems = kbuild.problems(result)[:_MAX_FINDINGS]
    problem_findings = [
        finding(f"{p.place}: {p.text}", Mark.NEUTRAL, result, p.at) for p in problems
    ]
    text = "The program was built" if result.ok else "The program was not built"
    mark = Mark.GOOD if result.ok else Mark.BAD
    return ToolReading(facts=(built,), findings=(finding(text, mark, result), *problem_findings))


TOOL: Final = Tool(
    id="program-build",
    purpose="builds the changed program",
    programs=("make", "gcc"),
    package=kbuild.BUILD_TOOLS,
    risk=Risk.CHANGE,
    facts=("fix.built",),
    plan=_plan,
    read=_read,
    by_hand="Run make, or whatever the program is built with, in the source folder.",
)
