"""What the machine did when it faulted: the task, what it was doing, and what came just before."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pagefault_doctor.diagnosis.history import same_fault
from pagefault_doctor.model.diagnosis import RootCause
from pagefault_doctor.model.fact import Finding
from pagefault_doctor.model.pattern import regex
from pagefault_doctor.model.repeats import repeats
from pagefault_doctor.model.report import Kind, said
from pagefault_doctor.playbook.third_party import project_of
from pagefault_doctor.session.case_notes.subject import Subject
from pagefault_doctor.tools.module.module_name import is_module_name

_INTERRUPTS: Final = {
    "IRQ": "an interrupt",
    "SOFTIRQ": "a soft interrupt",
    "NMI": "a non-maskable interrupt",
}
"""Stacks on which a task only happened to run (`arch/x86/kernel/dumpstack_64.c`)."""
_INTERRUPTS_OF_KIND: Final = (Kind.LOCKUP, Kind.STALL)
"""Kinds that an interrupt reports of the task below it."""
_LONGEST: Final = 120
"""Characters that are quoted of a line."""
_REPOSITORY: Final = regex(r"(https://(?:github|gitlab)\.com/[\w./-]{3,120}?)(?:/-)?/issues$")
"""A tracker beside which the source is."""
_EARLY: Final = 60
"""Seconds after the start that are told."""


def doings(subject: Subject) -> Iterator[Finding]:
    """Yield what ran, how often it faulted, and the last words before it."""
    report, account = subject.report, subject.diagnosis.account
    if not report.is_kernel_fault:
        yield from _program(subject)
        return
    story = account.story if account else None
    when = "When it hung" if subject.cause is RootCause.LOCKUP_HANG else "When it faulted"
    if story and (who := _who(subject)):
        yield subject.note(f"{when}, {who}: {story.text}.", line=story.line)
    elif story:
        yield subject.note(f"{when}, this ran: {story.text}.", line=story.line)
    elif who := _who(subject):
        yield subject.note(f"{when}, {who}; the log does not tell what for.", "process")
    yield from _when(subject)
    yield from _before(subject)
    yield from _source(subject)


def _source(subject: Subject) -> Iterator[Finding]:
    """Yield where the source is that the lab builds a suspect from outside the tree from."""
    module = subject.diagnosis.module or ""
    outside = subject.situation.origin == "third-party" and is_module_name(module)
    if not outside or subject.case.has("given.source_dir"):
        return
    flags = next((m.flags for m in subject.report.modules if m.name == module), "")
    project = project_of(module, "P" in flags)
    if project and project.proprietary:
        return
    found = _REPOSITORY.match(project.tracker or "") if project else None
    if found:
        yield subject.note("The lab builds it from its source, which f gives. To fetch it:")
        yield subject.note(f"git clone {found[1]}")
    else:
        yield subject.note(
            "The lab builds it from its source, which f gives. Where dkms built it, that machine"
            " has it; to see: ls -d /usr/src/*; dkms status"
        )


def _who(subject: Subject) -> str:
    report = subject.report
    task = f"{report.comm}[{report.pid}]" if report.pid is not None else report.comm
    stack = next((frame.context for frame in report.frames if frame.context), None)
    handler = _INTERRUPTS.get(stack or "")
    if handler and report.kind not in _INTERRUPTS_OF_KIND:
        return f"{handler} was handled" + (f" ({task} only happened to run)" if task else "")
    return f"the task {task} ran" if task else ""


def _when(subject: Subject) -> Iterator[Finding]:
    report, all_reports = subject.report, subject.case.reports
    if report.timestamp is not None and report.timestamp < _EARLY:
        text = f"It was {report.timestamp:.1f} s after the start of the machine."
        yield subject.note(text, "headline")
    groups = (g for g in repeats(all_reports) if g.first_line == report.span.first_line)
    if (group := next(groups, None)) and group.count > 1:
        yield subject.note(f"It came {group.text}.", "headline")
    if others := same_fault(report, subject.context.history):
        boots = len({other.boot for other in others})
        also = "1 other boot" if boots == 1 else f"{boots} other boots"
        yield subject.note(f"The same fault came in {also} of this log.", line=others[0].line_of())


def _before(subject: Subject) -> Iterator[Finding]:
    report = subject.report
    spoken = report.spoken_before[:1]
    for words in spoken:
        when = f" {words.seconds:.1f} s before" if words.seconds is not None else " before"
        text = f"{words.module} said{when}: {said(words.line.text)[:_LONGEST]}"
        yield subject.note(text, line=words.line.number)
    others = {other.span.first_line for other in subject.context.others}
    lines = [line for line in report.before if line.number not in others]
    if lines and not spoken:
        text = f"Just before it: {said(lines[-1].text)[:_LONGEST]}"
        yield subject.note(text, line=lines[-1].number)


def _program(subject: Subject) -> Iterator[Finding]:
    report = subject.report
    access = report.fault.access if report.fault else None
    address = report.fault.address if report.fault else None
    if report.kind is Kind.USER_SEGFAULT and report.comm and access and address:
        text = f"The program {report.comm} tried to {access.value} {address} and was stopped."
        yield subject.note(text, "fault", "headline")
