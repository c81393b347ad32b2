"""Where in the code it faulted, and which debug information has the line."""

from __future__ import annotations

from collections.abc import Iterator

from pagefault_doctor.diagnosis import source_path
from pagefault_doctor.diagnosis.history import CRASHES
from pagefault_doctor.model.fact import Finding
from pagefault_doctor.model.report import Kind
from pagefault_doctor.session.case_notes.subject import Subject


def debug(subject: Subject) -> Iterator[Finding]:
    """Yield the place and its instruction, the line that the log names, and what has the line."""
    if not subject.is_of_kernel:
        return
    yield from _place(subject)
    named = subject.named_line
    if named:
        text = f"The log names the line itself: {source_path.from_root(named.file)}:{named.line}."
        yield subject.note(text, "file", "headline")
    if subject.place and not (named and subject.report.kind not in CRASHES):
        yield from _information(subject)


def _place(subject: Subject) -> Iterator[Finding]:
    report, context = subject.report, subject.context
    if not subject.place:
        return
    if not subject.is_own_place:
        text = f"The code to look at is {subject.place}."
        yield subject.note(text, "freed_by", line=subject.frame.line)
        return
    instruction = context.instruction if report.kind in CRASHES else None
    if instruction and context.base:
        register, value = context.base
        text = f"It faulted at {subject.place}: {instruction.text}, with {register.upper()} ="
        yield subject.note(f"{text} {value:#x}.", "code")
    elif instruction:
        text = f"It faulted at {subject.place}: {instruction.text}."
        yield subject.note(text, "code")
    else:
        words = "It waits at" if report.kind is Kind.HUNG_TASK else "The place is"
        yield subject.note(f"{words} {subject.place}.", "function", "trace")


def _information(subject: Subject) -> Iterator[Finding]:
    """Yield which package or file has the line of the place."""
    module, packages = subject.frame.module, subject.packages
    if module and subject.situation.origin == "third-party" and module == subject.diagnosis.module:
        text = (
            f"No package of the kernel has that line: it takes the {module}.ko of that machine,"
            " built with debug information (-g); name its folder with --module-dir."
        )
        yield subject.note(text, "function")
    elif packages and packages.debug:
        what = f"--module-dir with its {module}.ko" if module else "--vmlinux with its vmlinux"
        text = f"The line is in {packages.debug} ({packages.debug_from}); unpacked, give it as"
        yield subject.note(f"{text} {what}.", "function")
