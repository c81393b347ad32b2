"""The source around the faulty line."""

from __future__ import annotations

import posixpath
from typing import Final

from pagefault_doctor.model.case import Case, ToolReading
from pagefault_doctor.model.command import Blocked, Command, Result
from pagefault_doctor.model.fact import Mark
from pagefault_doctor.model.pattern import regex
from pagefault_doctor.tools.arguments import path_in_folder, reported
from pagefault_doctor.tools.fix.kbuild import source_folder
from pagefault_doctor.tools.fix.kernel_source import kernel_place
from pagefault_doctor.tools.tool import Tool, fact, finding, remark

CONTEXT_LINES: Final = 8
"""Lines shown before and after."""

_KERNEL_HEADERS = regex(
    r"/linux-(?:headers|kbuild)-|(?:^|/)include/(?:linux|asm|asm-generic|net|uapi)/"
)
"""Kernel headers; their inline functions are compiled into every module."""


def fault_line(case: Case) -> tuple[str, int] | None:
    """Return the file and line that faulted, as the debug information names them, or None."""
    for name in ("debug.", "dump.", "user.core_", "user.ip_"):
        file, line = case.get(f"{name}file", ""), case.get(f"{name}line", 0)
        if file and line > 0:
            return file, line
    report = reported(case)
    if report and report.source_line and report.source_line.line > 0:
        return report.source_line.file, report.source_line.line
    return None


def module_fault_line(case: Case) -> tuple[str, int] | None:
    """Return the file and line that faulted, or None if they are the kernel's own."""
    found, report = fault_line(case), reported(case)
    if found is None or _KERNEL_HEADERS.search(found[0]):
        return None
    return None if case.suspect and report and report.module is None else found


def editable_line(case: Case) -> tuple[str, int] | None:
    """Return the path in the person's source folder and the line, or None if unknown.

    If the fault is not in the suspect's source, it is line 1 of the file named like the suspect.
    """
    folder, found = source_folder(case), module_fault_line(case)
    if found is None and case.suspect:
        found = f"{case.suspect}.c", 1
    if isinstance(folder, Blocked) or found is None:
        return None
    path = path_in_folder(folder, found[0])
    return (path, found[1]) if path else None


def _candidates(case: Case, folder: str) -> list[tuple[str, int, str]]:
    """Return the paths that the faulty line can have in the folder, each with the line and its
    name: as in the kernel's tree, then right in the folder."""
    found: list[tuple[str, int, str]] = []
    if (place := kernel_place(case)) and not _is_from_outside(case):
        found.append((posixpath.join(folder, place.file), place.line, place.file))
    if (named := module_fault_line(case)) and (path := path_in_folder(folder, named[0])):
        found.append((path, named[1], posixpath.basename(path)))
    return found


def _is_from_outside(case: Case) -> bool:
    """Return whether the folder is of a suspect from outside the kernel's tree."""
    from pagefault_doctor.symbols.in_tree import path_of

    report, suspect = reported(case), case.suspect
    marked = suspect in report.out_of_tree if report else False
    return suspect is not None and (marked or path_of(suspect) is None)


def _plan(case: Case) -> Command | Blocked | None:
    done = case.done("source")
    place, named = kernel_place(case), module_fault_line(case)
    if named is None and (place is None or _is_from_outside(case)):
        return None
    folder = source_folder(case)
    if isinstance(folder, Blocked):
        # The source of the kernel's own code is in a package (`source-package`).
        return None if place else folder
    candidates = _candidates(case, folder)
    if not candidates:
        return Blocked("the name of the source file is not safe to open", "open it by hand")
    if any(result.ok for result in done) or len(done) >= len(candidates):
        return None
    file, line, _ = candidates[len(done)]
    return Command(
        argv=("sed", "-n", f"{max(line - CONTEXT_LINES, 1)},{line + CONTEXT_LINES}p", file),
        tool="source",
        why="show the lines around the fault",
    )


def _read(result: Result, case: Case) -> ToolReading:
    folder = source_folder(case)
    candidates = [] if isinstance(folder, Blocked) else _candidates(case, folder)
    path = result.command.argv[-1] if result.command.argv else ""
    shown_file = next((each for each in candidates if each[0] == path), None)
    if shown_file is None:
        return ToolReading()
    _, line, name = shown_file
    if not result.ok:
        return remark(f"{name} is not in the source folder", result)
    shown = result.output.split("\n")
    at = min(line, CONTEXT_LINES + 1)
    if len(shown) < at or not shown[at - 1].strip():
        return remark(f"{name} has no code in line {line}: is it the source of this build?", result)
    code = shown[at - 1].strip()
    facts = (fact("source.place", f"{name}:{line}", result), fact("source.code", code, result, at))
    line_finding = finding(f"{name}:{line}: {code}", Mark.NEUTRAL, result, at)
    return ToolReading(facts=facts, findings=(line_finding,))


TOOL: Final = Tool(
    id="source",
    purpose="shows the source around the faulty line",
    programs=("sed",),
    package={"": "sed"},
    facts=("source.place", "source.code"),
    plan=_plan,
    read=_read,
    by_hand="Open the file at the line in any editor.",
)
