"""The page of a step: its purpose, its commands before and after they run, and the findings."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain

import msgspec

from pagefault_doctor.model.command import Blocked, Command, Risk
from pagefault_doctor.model.event import Outcome, ToolFinished
from pagefault_doctor.model.fact import Finding, Mark
from pagefault_doctor.model.given_input import ANOTHER_MACHINE, LOG_OF
from pagefault_doctor.model.playbook import Cause, Step, StepStatus
from pagefault_doctor.model.report import Report
from pagefault_doctor.playbook import engine
from pagefault_doctor.session import remedy
from pagefault_doctor.session.case_notes import case_notes
from pagefault_doctor.session.chosen_playbook import chosen_by_log
from pagefault_doctor.session.given_input import asked_for
from pagefault_doctor.session.remedy import MatchedRemedy
from pagefault_doctor.session.view import CommandRecord, View
from pagefault_doctor.tools.tool import Tool, next_command
from pagefault_doctor.tui.pages import phrases
from pagefault_doctor.tui.row import FINDING_MARKS, STATUS_WORDS, Row, Tone
from pagefault_doctor.tui.running import Running

_ORDER = (Mark.BAD, Mark.GOOD, Mark.NEUTRAL)
_SENTENCE_END = re.compile(r"(?<=[.?]) ")
_TWO_LINES = 150
_TONES = {Mark.BAD: Tone.BAD, Mark.GOOD: Tone.GOOD, Mark.NEUTRAL: Tone.PLAIN}


class StepMoment(msgspec.Struct, frozen=True, kw_only=True):
    """What a page shows besides the view: the proposed and the running command, and the tools."""

    proposed: Command | None = None
    running: Running | None = None
    tools: Mapping[str, Tool] = {}
    causes: Mapping[str, Cause] = {}


def rows(view: View, step: Step, now: StepMoment) -> tuple[Row, ...]:
    """Return the page of a step, the current one or another."""
    return tuple(_without_gaps(_rows(view, step, now)))


def _without_gaps(rows: Iterable[Row]) -> Iterator[Row]:
    """Yield the rows without repeated or trailing empty rows."""
    gap = False
    for row in rows:
        if gap and row.left:
            yield Row()
        gap = not row.left
        if row.left:
            yield row


def _rows(view: View, step: Step, now: StepMoment) -> Iterator[Row]:
    number = [each.id for each in view.playbook.steps].index(step.id) + 1
    state = view.state.steps[step.id]
    status = STATUS_WORDS[state.status]
    yield Row(f"{number} of {len(view.playbook.steps)}  {step.title}", status, Tone.TITLE, hang=8)
    yield Row(_beginning(step.why), tone=Tone.DIM)
    yield Row()
    # First, for of a case from elsewhere they are what the step has to tell.
    yield from map(finding_row, case_notes(view, step.id))
    yield Row()
    commands, findings = _commands(view, step, now), _findings(view, step)
    unusable, cure = _unusable_tools(view, state.finished), _cure(view, step, now)
    is_over = state.status not in (StepStatus.TODO, StepStatus.RUNNING)
    if view.case.get("log.of", "") != ANOTHER_MACHINE:
        yield from chain(commands, findings, cure, unusable)
    elif is_over:
        # Its commands mostly look for files; what came of it must not lie below them.
        yield from chain(findings, unusable, cure, (Row(),), commands)
    else:
        yield from chain(findings, (Row(),), commands, cure, unusable)
    for note in view.notes:
        if note.step == step.id:
            yield Row(f"  note: {note.text}", hang=8, ref=note)


def _cure(view: View, step: Step, now: StepMoment) -> Iterator[Row]:
    if step.remedy and (cause := now.causes.get(view.opinion.verdict.root_cause.value)):
        yield from _remedy(cause, remedy.matched(view.case, cause))


def _remedy(cause: Cause, matched: MatchedRemedy | None) -> Iterator[Row]:
    """Yield the usual fix of a cause, with the faulty line and an example."""
    yield Row()
    if matched:
        yield Row(f"The line to mend is {matched.place}:", hang=4)
        yield Row(f"    {matched.code}", hang=12, verbatim=True)
        for number, line in enumerate(matched.check.splitlines()):
            lead = "before it" if number == 0 else ""
            yield Row(f"    {lead:9} {line}", hang=14, verbatim=True)
    yield Row(f"Usual cure: {' '.join(cause.remedy.change.split())}", hang=4)
    for word, code in (("before", cause.remedy.before), ("after", cause.remedy.after)):
        for number, line in enumerate(code.rstrip("\n").splitlines()):
            lead = word if number == 0 else ""
            yield Row(f"    {lead:7} {line}", tone=Tone.DIM, hang=12, verbatim=True)
    if cause.remedy.api:
        yield Row(f"    use     {' '.join(cause.remedy.api.split())}", tone=Tone.DIM, hang=12)
    yield Row(f"    proof   {' '.join(cause.prove.split())}", tone=Tone.DIM, hang=12)
    yield Row()


def _beginning(text: str) -> str:
    """Return the first sentences of a text, about two lines; the help shows all of it."""
    first, *rest = _SENTENCE_END.split(" ".join(text.split()))
    for sentence in rest:
        if len(first) + len(sentence) > _TWO_LINES:
            break
        first += f" {sentence}"
    return first


def _commands(view: View, step: Step, now: StepMoment) -> Iterator[Row]:
    records = view.of_step(step.id)
    for record in records:
        yield from _command(record, now)
    if now.running and step.id == view.step and all(r.result or r.interrupted for r in records):
        yield Row(
            f"$ {phrases.of_tool(now.running.command, now.tools)}",
            f"{now.running.command.risk}   {_elapsed(now.running)}",
            hang=4,
        )
    for declined in view.declined:
        if declined.step == step.id:
            text = f"$ {phrases.command(declined.argv)}"
            yield Row(text, f"{declined.risk}   not run: {declined.reason}", Tone.DIM, 2)
    if step.id == view.step:
        if now.proposed and not now.running:
            yield _proposed(now.proposed, now.tools)
        pending = engine.pending(view.state, step.id)
        busy = now.running.command.tool if now.running else None
        first = now.proposed.tool if now.proposed else busy
        yield from _planned(view, [t for t in pending if t != first], now.tools)
    elif view.state.steps[step.id].status is StepStatus.TODO:
        yield from _planned(view, step.tools, now.tools)


def _command(record: CommandRecord, now: StepMoment) -> Iterator[Row]:
    command, running = record.command, now.running
    text = f"$ {phrases.of_tool(command, now.tools)}{'   (edited)' if command.edited else ''}"
    if record.result is None:
        live = running if not record.interrupted else None
        yield Row(text, f"{command.risk}   {_elapsed(live)}", hang=4, ref=record)
        for line in live.tail if live else ():
            yield Row(f"    | {line}", tone=Tone.DIM, hang=6, verbatim=True)
        return
    tone = Tone.PLAIN if record.result.ok else Tone.WARN
    text = text if len(text) <= _TWO_LINES else f"{text[:_TWO_LINES]} ..."
    yield Row(text, f"{command.risk}   {phrases.outcome(record.result)}", tone, 4, ref=record)
    if not record.result.ok and not record.findings:
        message = next((n for n in record.result.errors.splitlines() if n.strip()), "")
        if message:
            yield Row(f"    | {message}", tone=Tone.DIM, hang=6, verbatim=True)


def _elapsed(running: Running | None) -> str:
    if running is None:
        return "cut short"
    if running.cancelling:
        return "being cancelled"
    if running.is_preparing_lab:
        return f"waits for the lab, {running.seconds} s"
    return f"running {running.seconds} s of {running.command.timeout:.0f} s"


def _proposed(command: Command, tools: Mapping[str, Tool]) -> Row:
    state = "next" if command.risk is Risk.READ else "next, asks first"
    text = f"$ {phrases.of_tool(command, tools)}"
    return Row(text, f"{command.risk}   {state}", Tone.TITLE, 4, ref=command)


def _planned(
    view: View, tool_ids: list[str] | tuple[str, ...], tools: Mapping[str, Tool]
) -> Iterator[Row]:
    """Yield what the waiting tools will do: the exact command if it is known already."""
    for tool_id in tool_ids:
        tool = tools.get(tool_id)
        if tool is None:
            continue
        planned = next_command(tool, view.case)
        if isinstance(planned, Command):
            yield Row(
                f"$ {phrases.of_tool(planned, tools)}",
                f"{planned.risk}   waits",
                Tone.DIM,
                4,
                ref=planned,
            )
        elif isinstance(planned, Blocked):
            yield Row(f"  # {tool_id}: {planned.reason}", "blocked", Tone.DIM, 4)
        else:
            yield Row(f"  {tool_id}: {tool.purpose}", f"{tool.risk}   if needed", Tone.DIM, 4)


def _findings(view: View, step: Step) -> Iterator[Row]:
    records = view.of_step(step.id)
    found = list(
        {f.text: f for record in reversed(records) for f in reversed(record.findings)}.values()
    )[::-1]
    if step.id == view.playbook.steps[0].id:
        yield from _given_logs(view, {record.command.text for record in records})
    if found:
        yield Row()
    for mark in _ORDER:
        for finding in found:
            if finding.mark is mark:
                yield finding_row(finding)


def finding_row(finding: Finding) -> Row:
    """Return a finding with its mark and its line number."""
    line = f"line {finding.source.line}" if finding.source.line else ""
    text = f"  {FINDING_MARKS[finding.mark]}  {finding.text}"
    return Row(text, line, _TONES[finding.mark], hang=5, ref=finding)


def _given_logs(view: View, commands: set[str]) -> Iterator[Row]:
    """Yield the logs that the person gave, and their reports."""
    for log in view.case.logs:
        if log.source in commands:
            continue
        yield Row()
        count = "1 report" if len(log.reports) == 1 else f"{len(log.reports)} reports"
        yield Row(f"  -  {log.source}: {log.lines} lines, {count}", hang=5)
        for report in log.reports[:8]:
            yield report_row(report)
    if says := chosen_by_log(view):
        yield Row(f"  -  {says}", hang=5)
    if whose := view.case.get("log.of", ""):
        verb = "is" if view.case.get("log.of_sure", False) else "seems to be"
        other = phrases.log_of(next(each for each in LOG_OF if each != whose))
        why = view.case.get("log.of_why", "")
        text = f"The log {verb} of {phrases.log_of(whose)}: {why} (m if it is of {other})"
        yield Row(f"  -  {text}", hang=5)
    if boot := view.case.get("log.boot", ""):
        why = view.case.get("log.boot_why", "")
        yield Row(f"  -  It is of {phrases.BOOTS.get(boot, boot)}: {why}", hang=5)


def report_row(report: Report) -> Row:
    """Return a report by its title and its first line in the log."""
    line = f"line {report.line_of('headline')}"
    return Row(f"  !  {report.headline}", line, Tone.BAD, hang=5, ref=report)


def _unusable_tools(view: View, finished: tuple[ToolFinished, ...]) -> Iterator[Row]:
    """Yield the tools that could not be used, with reason and remedy."""
    unusable = [tool for tool in finished if tool.outcome in (Outcome.BLOCKED, Outcome.FAILED)]
    if unusable:
        yield Row()
    # Tools that lack the same thing stand in one line.
    alike: dict[tuple[str, str, str], list[ToolFinished]] = {}
    for tool in unusable:
        alike.setdefault((tool.outcome, tool.reason, tool.remedy), []).append(tool)
    for (outcome, reason, cure), those in alike.items():
        word = "blocked" if outcome == Outcome.BLOCKED else "failed"
        names = ", ".join(tool.tool for tool in those)
        yield Row(f"  #  {names}: {reason}", word, Tone.WARN, hang=5, ref=those[0])
        if cure:
            here = " (f: give it here)" if asked_for(cure) else ""
            yield Row(f"     remedy: {cure}{here}", tone=Tone.DIM, hang=13)
