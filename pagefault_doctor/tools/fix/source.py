"""The source around the faulty line."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from typing import Final

from pagefault_doctor.model.case import Case, ToolReading
from pagefault_doctor.model.command import Blocked, Command, Result
from pagefault_doctor.model.fact import Mark
from pagefault_doctor.model.given_input import ANOTHER_MACHINE
from pagefault_doctor.model.pattern import regex
from pagefault_doctor.tools.arguments import (
    first_path,
    is_absolute,
    is_c_name,
    path_in_folder,
    reported,
)
from pagefault_doctor.tools.fix.kbuild import source_folder
from pagefault_doctor.tools.fix.kernel_source import kernel_place
from pagefault_doctor.tools.tool import Tool, fact, finding, remark

CONTEXT_LINES: Final = 8
"""Lines shown before and after."""

_KERNEL_HEADERS = regex(
    r"/linux-(?:headers|kbuild)-|(?:^|/)include/(?:linux|asm|asm-generic|net|uapi)/"
)
"""Kernel headers; their inline functions are compiled into every module."""


_HEAD: Final = regex(r"(?P<path>/[^:]{1,500}):(?P<line>\d{1,7}):(?P<text>.{0,500}).*")


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

    If the fault is not in the suspect's source, it is where its function begins, else, on this box,
    line 1 of the file named like the suspect.
    """
    folder, found = source_folder(case), module_fault_line(case)
    if found is None and (begin := first_path(case, "source.file")):
        return begin, case.get("source.line", 1)
    if found is None and case.suspect and case.get("log.of", "") != ANOTHER_MACHINE:
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
    folder = source_folder(case)
    if named is None and (place is None or _is_from_outside(case)):
        is_elsewhere = case.get("log.of", "") == ANOTHER_MACHINE
        if isinstance(folder, Blocked) or done or not is_elsewhere:
            return None
        return _look_for_function(case, folder)
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


def _look_for_function(case: Case, folder: str) -> Command | None:
    """Return what finds where the suspect's function begins, None where it has none."""
    name = _function(case)
    if not name:
        return None
    head = rf"^[A-Za-z_][A-Za-z0-9_ *]*[ *]{name}[[:space:]]*\("
    return Command(
        argv=("grep", "-r", "-n", "-s", "-E", "--include=*.c", "-e", head, folder),
        tool="source",
        timeout=60.0,
        why=f"look for {name} in the source",
    )


def _function(case: Case) -> str:
    """Return the suspect's function nearest to the fault, without a compiler's ending."""
    report = reported(case)
    if report is None or not case.suspect:
        return ""
    places = ((report.function, report.module), *((f.function, f.module) for f in report.frames))
    name = next((f for f, module in places if f and module == case.suspect), "")
    name = name.partition(".")[0]
    return name if is_c_name(name) else ""


def _read_function(result: Result, case: Case) -> ToolReading:
    """Return where the function begins; of several files that have one, in the suspect's own."""
    folder = source_folder(case)
    begins = [] if isinstance(folder, Blocked) else list(_begins(result.output, folder))
    if not begins:
        return remark(f"{_function(case)} is not in the source that was given", result)
    own = (each for each in begins if (case.suspect or "") in posixpath.basename(each[0]))
    path, line, number = next(own, begins[0])
    text = f"{_function(case)} begins at {posixpath.basename(path)}:{line}"
    facts = (fact("source.file", path, result), fact("source.line", line, result))
    return ToolReading(facts=facts, findings=(finding(text, Mark.GOOD, result, number),))


def _begins(output: str, folder: str) -> Iterator[tuple[str, int, int]]:
    """Yield the path and line of each definition in the folder, and its line of the output."""
    for number, said in enumerate(output.splitlines(), 1):
        found = _HEAD.fullmatch(said)
        # A line that ends so only declares it.
        if found is None or found["text"].rstrip().endswith(";"):
            continue
        path = found["path"]
        if is_absolute(path) and path.startswith(f"{folder.rstrip('/')}/") and ".." not in path:
            yield path, int(found["line"]), number


def _read(result: Result, case: Case) -> ToolReading:
    if result.command.argv[:1] == ("grep",):
        return _read_function(result, case)
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
    facts=("source.place", "source.code", "source.file", "source.line"),
    plan=_plan,
    read=_read,
    by_hand="Open the file at the line in any editor.",
)
