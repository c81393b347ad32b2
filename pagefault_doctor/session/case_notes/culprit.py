"""Whose code the suspect is: of the kernel's tree or a project, its package, version and owner."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from pagefault_doctor.diagnosis.provenance import unknown_words
from pagefault_doctor.model.diagnosis import Attribution
from pagefault_doctor.model.fact import Finding
from pagefault_doctor.playbook.third_party import project_of
from pagefault_doctor.session.case_notes.subject import Subject

AUTHOR: Final = "on that machine, modinfo {module} names its author and its file"
"""Who has the source of a module that no table knows."""
_MOST_CASES: Final = 3
_MOST_NAMES: Final = 6


def culprit(subject: Subject) -> Iterator[Finding]:
    """Yield where the suspect comes from, known cases that fit, and who takes reports."""
    told = _ELSEWHERE.get(subject.diagnosis.attribution)
    yield from told(subject) if told else _code(subject)
    yield from known_cases(subject)
    if owner := subject.diagnosis.owner:
        yield subject.note(f"Who takes reports about it: {owner.text}.")


def known_cases(subject: Subject) -> Iterator[Finding]:
    """Yield the cases of the book that fit, with the version that has the fix."""
    for case in subject.diagnosis.known[:_MOST_CASES]:
        fixed = f" Fixed in {case.fixed_in.rstrip('.')}." if case.fixed_in else ""
        says = " ".join(case.says.split()).rstrip(".")
        yield subject.note(f"Known case {case.id}: {says}.{fixed}", "headline")


def _code(subject: Subject) -> Iterator[Finding]:
    module = subject.diagnosis.module
    if module is None:
        yield from _of_kernel(subject)
    elif subject.situation.origin == "in-tree":
        yield from _in_tree(subject, module)
    else:
        yield from _outside(subject, module)


def _in_tree(subject: Subject, module: str) -> Iterator[Finding]:
    packages = subject.packages
    text = f"{module} is part of the kernel's own tree ({subject.path})"
    text += f": package {packages.modules}." if packages else "."
    yield subject.note(text, "modules", "function")


def _outside(subject: Subject, module: str) -> Iterator[Finding]:
    report = subject.report
    flags = next((m.flags for m in report.modules if m.name == module), "")
    project = project_of(module, "P" in flags)
    marked = module in report.out_of_tree
    text = f"{module} is from outside the kernel's tree"
    text += f": {project.project}." if project else "."
    if not marked:
        text = f"{unknown_words(module)}, so it is from outside or of a vendor's tree."
    elif not project:
        text += f" Its name is of no known project; {AUTHOR.replace('{module}', module)}."
    yield subject.note(text, "modules", "function")
    details = report.details
    if details.get("versioned_module") == module:
        text = f"It is version {details['module_version']}, as it said when it was loaded."
        yield subject.note(text, "version_line")


def _of_kernel(subject: Subject) -> Iterator[Finding]:
    if subject.diagnosis.attribution is not Attribution.KERNEL:
        yield from _unnamed(subject)
        return
    function, module, path = subject.situation.function, subject.frame.module, subject.path
    if function and not path:
        text = f"No module is suspected: the log names none for {function}."
        yield subject.note(text, "function")
        return
    within = f"in {module}, a module of the kernel's own tree" if module else "in the kernel itself"
    text = f"No module from outside is suspected: {function or 'the fault'} is {within} ({path})"
    if packages := subject.packages:
        text += f", package {packages.modules if module else packages.image}"
    if path:
        yield subject.note(f"{text}.", "function", "file")
    area = subject.area
    if path and area and area.caller and area.path:
        frame = next((f for f in subject.report.frames if f.function == area.function), None)
        text = f"It was called for {area.function} ({area.path.rstrip('/')}): look there as well."
        yield subject.note(text, line=frame.line if frame else None)


def _unnamed(subject: Subject) -> Iterator[Finding]:
    outside = subject.report.out_of_tree
    if subject.diagnosis.attribution is Attribution.MODULE and outside:
        names = ", ".join(outside[:_MOST_NAMES])
        text = f"The log does not name the module; from outside the tree there were: {names}."
        yield subject.note(text, "modules")


def _program(subject: Subject) -> Iterator[Finding]:
    report = subject.report
    where = report.details.get("object")
    program = f"the program {report.comm}" if report.comm else "a program"
    text = f"No module is suspected: {program} died of its own fault"
    yield subject.note(text + (f", in {where}." if where else "."), "base", "object", "headline")


def _memory(subject: Subject) -> Iterator[Finding]:
    report = subject.report
    killed = report.details.get("killed") or report.comm
    text = "No module is suspected: memory ran out"
    yield subject.note(text + (f", and {killed} was killed." if killed else "."), "killed")


_ELSEWHERE: Final[dict[Attribution, Callable[[Subject], Iterator[Finding]]]] = {
    Attribution.USER_SPACE: _program,
    Attribution.MEMORY_PRESSURE: _memory,
}
