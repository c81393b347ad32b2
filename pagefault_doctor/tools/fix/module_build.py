"""make: build the changed module in its own folder, with its own Makefile."""

from __future__ import annotations

import posixpath
import re
import shlex
from typing import Final

from pagefault_doctor.model.case import Case, ToolReading
from pagefault_doctor.model.command import Blocked, Command, Result, Risk
from pagefault_doctor.model.fact import Mark
from pagefault_doctor.model.pattern import regex
from pagefault_doctor.tools.arguments import is_absolute
from pagefault_doctor.tools.fix import kbuild
from pagefault_doctor.tools.module.module_name import same_module
from pagefault_doctor.tools.tool import Tool, fact, finding

_LINKED = regex(r"^[ \t]*LD \[M\]\s+(\S+\.ko)$", re.MULTILINE)
_MAX_FINDINGS: Final = 8


def _plan(case: Case) -> Command | Blocked | None:
    if done := case.done("module-build"):
        return kbuild.obstacle(done[-1], case)
    if case.has("fix.changed") and not case.get("fix.changed", True):
        return None
    source, build = kbuild.source_folder(case), kbuild.build_folder(case)
    if isinstance(source, Blocked):
        return source
    if isinstance(build, Blocked):
        return build
    if re.search(r"[\s:#$'\"\\]", source):
        return Blocked(
            "make cannot build in a folder with blanks or special characters in its path",
            "copy the source to a folder with a plain name",
        )
    argv = ("make", "-C", build, f"M={source}")
    return Command(
        argv=(*argv, "modules"),
        tool="module-build",
        risk=Risk.CHANGE,
        timeout=300.0,
        why="build the changed module; it writes objects into the source folder",
        undo=shlex.join((*argv, "clean")),
    )


def _read(result: Result, case: Case) -> ToolReading:
    facts = [fact("fix.built", result.ok, result)]
    problems = kbuild.problems(result)
    problem_findings = [
        finding(f"{p.place}: {p.text}", Mark.NEUTRAL, result, p.at)
        for p in sorted(problems, key=lambda p: p.level == "warning")[:_MAX_FINDINGS]
    ]
    text, mark = "make ran through, but built no module", Mark.NEUTRAL
    if not result.ok:
        text, mark = "The module was not built", Mark.BAD
    elif path := _built_module(result, case):
        facts.append(fact("fix.module_path", path, result))
        text, mark = f"Built: {path}", Mark.GOOD
    return ToolReading(
        facts=tuple(facts), findings=(finding(text, mark, result), *problem_findings)
    )


def _built_module(result: Result, case: Case) -> str:
    """Return the path of the built suspect, else of the first module that was linked."""
    argument = next((a for a in result.command.argv if a.startswith("M=/")), "")
    folder, suspect = argument.removeprefix("M="), case.suspect or ""
    linked = _LINKED.findall(result.output)
    named = [file for file in linked if same_module(posixpath.basename(file)[:-3], suspect)]
    if not named and not linked and suspect:
        named = [f"{suspect}.ko"]
    file = next(iter(named or linked), "")
    path = posixpath.normpath(posixpath.join(folder, file)) if file else ""
    return path if is_absolute(path) else ""


TOOL: Final = Tool(
    id="module-build",
    purpose="builds the changed module",
    programs=("make", "gcc"),
    package=kbuild.BUILD_TOOLS,
    risk=Risk.CHANGE,
    facts=("fix.built", "fix.module_path"),
    plan=_plan,
    read=_read,
    by_hand="In the source folder: make -C /lib/modules/$(uname -r)/build M=$PWD modules.",
)
