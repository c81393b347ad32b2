"""The report of a session as blocks of text."""

from __future__ import annotations

from collections.abc import Iterator

from pagefault_doctor.model.command import Risk, typed
from pagefault_doctor.model.fact import Finding, Mark
from pagefault_doctor.model.given_input import ANOTHER_MACHINE
from pagefault_doctor.model.playbook import Step
from pagefault_doctor.playbook import shelf
from pagefault_doctor.report.analysis import analysis
from pagefault_doctor.report.block import Block, Heading, Items, Verbatim, one_line
from pagefault_doctor.report.diagnosis import opinion_notes
from pagefault_doctor.report.known import known_line_blocks
from pagefault_doctor.report.local_time import local_time
from pagefault_doctor.session import remedy
from pagefault_doctor.session.case_notes import case_notes
from pagefault_doctor.session.view import CommandRecord, View

TAIL = 40
"""Most lines of a command's output in a report; the session has them all."""

MARKS = {Mark.BAD: "!", Mark.GOOD: "v", Mark.NEUTRAL: "-"}
"""The sign of a finding's mark: problem, good sign, neither. ASCII, for tickets and mails."""


def session_outline(view: View, redacted: str = "") -> Iterator[Block]:
    """Yield the blocks of a session's report: the verdict, then each step with its commands.

    `redacted` says at the top what was taken out of the report and what can be left in it.
    """
    yield Heading(f"pfdoctor session {view.started.id}", 1)
    yield Items((*_particulars(view), *([redacted] if redacted else [])))
    yield from _verdict(view)
    for step in view.all_steps:
        yield from _step(view, step)
    if view.notes:
        yield Heading("Notes")
        yield Items(tuple(f"{note.step}: {note.text}" for note in view.notes))


def _particulars(view: View) -> Iterator[str]:
    started = view.started
    yield f"started {local_time(started.at, '%Y-%m-%d %H:%M:%S %Z')}"
    books = ", then ".join(view.playbook_ids)
    yield f"host {started.host}, playbook {books}, pfdoctor {started.version}"
    if log := view.case.get("given.log", ""):
        whose = view.case.get("log.of", "")
        yield f"log {log}" + (", of another machine" if whose == ANOTHER_MACHINE else "")
    if started.scenario:
        yield f"training scenario {started.scenario}: replayed, nothing ran on this machine"
    if started.read_only:
        yield "read-only: only commands that observe were run"
    yield f"ended: {view.ended.reason if view.ended else 'not yet; pfdoctor resume goes on'}"


def _verdict(view: View) -> Iterator[Block]:
    verdict = view.explained.verdict
    yield Heading("Verdict")
    causes = shelf.causes()
    cause = causes.get(verdict.root_cause)
    yield from analysis(verdict, causes, remedy.matched(view.case, cause) if cause else None)
    yield from known_line_blocks(view.explained)
    if said := opinion_notes(view.case.reports, view.explained):
        yield Heading("What could not be read or worked out", 3)
        yield Items(said)
    report = view.case.main_report
    if report and report.excerpt:
        yield Heading("The report in the log", 3)
        width = len(str(report.excerpt[-1].number))
        yield Verbatim("\n".join(f"{n.number:{width}}  {n.text}" for n in report.excerpt))


def _step(view: View, step: Step) -> Iterator[Block]:
    state = view.state.steps[step.id]
    reason = f": {state.reason}" if state.reason else ""
    yield Heading(f"{step.title} ({state.status}{reason})")
    if notes := case_notes(view, step.id):
        yield Items(tuple(finding_text(note) for note in notes))
    for record in view.of_step(step.id):
        yield from _command(record, view.started.user)
    refused = [
        f"declined: {typed(d.argv)} ({d.reason})" for d in view.declined if d.step == step.id
    ]
    refused += [
        f"blocked: {t.tool}: {t.reason}; {t.remedy}"
        for t in view.finished_tools
        if t.step == step.id and t.remedy
    ]
    # What did not run is part of the evidence: a reader must not take it for done.
    if refused:
        yield Items(tuple(refused))


def _command(record: CommandRecord, user: str) -> Iterator[Block]:
    risk = "" if record.command.risk is Risk.READ else f", {record.command.risk}"
    who = f" by {user}" if user else ""
    consent = "" if record.command.risk is Risk.READ else f", consent: {record.consent}{who}"
    result = record.result
    ended = f"{result.status}, {result.seconds:.2f} s" if result else "cut short"
    text = f"$ {record.command.line}    [{ended}{risk}{consent}]"
    if result:
        text += _tail(result.output) + _tail(result.errors)
    yield Verbatim(text)
    if record.findings:
        yield Items(tuple(finding_text(finding) for finding in record.findings))


def finding_text(finding: Finding) -> str:
    """Return a finding as one line: its mark, its sentence, its line."""
    line = f" (line {finding.source.line})" if finding.source.line else ""
    return one_line(f"{MARKS[finding.mark]} {finding.text}{line}")


def _tail(output: str) -> str:
    lines = output.rstrip("\n").splitlines()
    if not lines:
        return ""
    left_out = len(lines) - TAIL
    head = [f"... before this, {left_out} more in the session"] if left_out > 0 else []
    return "\n" + "\n".join([*head, *lines[-TAIL:]])
