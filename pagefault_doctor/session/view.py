"""Everything known of a session, computed from its events. Screens and reports show only this.

Nothing here is saved: a better parser improves old sessions when they are read again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property

import msgspec

from pagefault_doctor.diagnosis import diagnose
from pagefault_doctor.model.case import Case, ToolReading
from pagefault_doctor.model.command import Command, Result, ResultStatus, Risk
from pagefault_doctor.model.diagnosis import Opinion
from pagefault_doctor.model.errors import UsageError
from pagefault_doctor.model.event import (
    CommandDeclined,
    CommandFinished,
    CommandStarted,
    Event,
    FactGiven,
    HostChanged,
    LogRead,
    NoteWritten,
    PlaybookChanged,
    QuestionAnswered,
    SessionEnded,
    SessionResumed,
    SessionStarted,
    StepEntered,
    StepFinished,
    ToolFinished,
)
from pagefault_doctor.model.fact import Fact, Finding, Mark, Source
from pagefault_doctor.model.log import THIS_BOOT, KernelLog
from pagefault_doctor.model.playbook import Playbook, Step, StepStatus
from pagefault_doctor.playbook import engine, shelf
from pagefault_doctor.session.derived_facts import OF_HOST, derived_facts
from pagefault_doctor.tools.logs.log_reading import findings_of
from pagefault_doctor.tools.tool import Tool, read_output

FindPlaybook = Callable[[str], Playbook]
"""Returns the playbook of an id; raises UsageError where there is none."""


class CommandRecord(msgspec.Struct, frozen=True):
    """A command of the session. `result` is None while it runs, and stays None if it was cut short.

    `host` is where it ran, `findings` are those read from its output.
    """

    number: int
    step: str
    command: Command
    consent: str
    result: Result | None = None
    findings: tuple[Finding, ...] = ()
    interrupted: bool = False
    host: str = ""


class View(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """A session at one moment. `effects` are those of the engine that are to be carried out now.

    `started` has the host on which commands run now.

    With `bundled_only`, of known cases only the bundled ones are told, none of this user.
    """

    started: SessionStarted
    state: engine.WalkState
    effects: tuple[engine.Effect, ...] = ()
    case: Case
    opinion: Opinion
    commands: tuple[CommandRecord, ...] = ()
    declined: tuple[CommandDeclined, ...] = ()
    notes: tuple[NoteWritten, ...] = ()
    answers: tuple[QuestionAnswered, ...] = ()
    finished_tools: tuple[ToolFinished, ...] = ()
    ended: SessionEnded | None = None
    bundled_only: bool = False

    @property
    def playbook(self) -> Playbook:
        """The playbook that is walked."""
        return self.state.playbook

    @property
    def playbook_ids(self) -> tuple[str, ...]:
        """The ids of the playbooks in the order they were walked; the last is walked now."""
        return tuple(book.id for book in (*self.state.left, self.playbook))

    @cached_property
    def all_steps(self) -> tuple[Step, ...]:
        """The steps of the playbook, after those of playbooks before it that were begun there."""
        states = self.state.steps
        before = {
            step.id: step
            for book in self.state.left
            for step in book.steps
            if states[step.id].status is not StepStatus.TODO and not self.playbook.has(step.id)
        }
        return (*before.values(), *self.playbook.steps)

    @property
    def step(self) -> str | None:
        """Id of the current step, None before the first."""
        return self.state.current

    @cached_property
    def explained(self) -> Opinion:
        """The opinion with the explanation of each report, and the known cases that fit it."""
        # Cached, because a screen reads it at each key. Computed here, because most views are only
        # a step on the way to the next.
        from pagefault_doctor.diagnosis.explanation import with_explanations
        from pagefault_doctor.session.known import with_known

        opinion = with_explanations(self.opinion, self.case.logs, self.case.facts)
        return with_known(opinion, self.case.logs, bundled_only=self.bundled_only)

    def of_step(self, step_id: str) -> tuple[CommandRecord, ...]:
        """Return the commands that were started in a step, in order."""
        return tuple(record for record in self.commands if record.step == step_id)


class Fold:
    """Computes views from events, with the tools that read the output of commands."""

    def __init__(
        self,
        tools: Mapping[str, Tool],
        *,
        bundled_only: bool = False,
        find_playbook: FindPlaybook = shelf.playbook,
    ) -> None:
        self._tools = tools
        self.find_playbook = find_playbook
        self._bundled_only = bundled_only

    def with_tools(self, tools: Mapping[str, Tool]) -> Fold:
        """Return one that is the same but for its tools."""
        return Fold(tools, bundled_only=self._bundled_only, find_playbook=self.find_playbook)

    def begin(self, event: SessionStarted, playbook: Playbook) -> View:
        """Return the view of a session that has just started."""
        given = {
            f"given.{name}": Fact(f"given.{name}", value, Source("given by you"))
            for name, value in event.given.items()
        }
        case = Case(facts=given)
        # As if a tool had read them: a given suspect or dump counts from the first step on.
        return self._learn(
            View(
                started=event,
                state=engine.start(playbook),
                case=case,
                opinion=diagnose((), given),
                bundled_only=self._bundled_only,
            ),
            ToolReading(facts=tuple(given.values())),
        )

    def replay(self, events: Iterable[Event], playbook: Playbook) -> View:
        """Return the view after all the events, the first of which is session-started."""
        stream = iter(events)
        first = next(stream)
        assert isinstance(first, SessionStarted)
        view = self.begin(first, playbook)
        for event in stream:
            view = self.apply(view, event)
        return view

    def apply(self, view: View, event: Event) -> View:
        """Return the view after one more event."""
        match event:
            case LogRead(log=log):
                view = self._learn(view, _reading_of_given(log))
            case FactGiven(name=name, value=value):
                given = Fact(f"given.{name}", value, Source("given by you"))
                view = self._learn(view, ToolReading(facts=(given,)))
            case HostChanged():
                return self._move(view, event)
            case PlaybookChanged(playbook=playbook_id):
                return self._change_playbook(view, playbook_id)
            case StepEntered():
                # A tool plans by its results in this step, so a new step starts without any.
                view = _with(view, case=msgspec.structs.replace(view.case, results={}))
            case CommandStarted():
                record = self._record(event, view.started.host)
                return _with(view, commands=(*view.commands, record), ended=None)
            case CommandFinished():
                view = self._finish(view, event)
            case CommandDeclined():
                return _with(view, declined=(*view.declined, event))
            case ToolFinished():
                view = _with(view, finished_tools=(*view.finished_tools, event))
            case NoteWritten():
                return _with(view, notes=(*view.notes, event))
            case QuestionAnswered():
                return _with(view, answers=(*view.answers, event))
            case SessionResumed():
                return self._mark_interrupted(_with(view, ended=None), event.interrupted)
            case SessionEnded():
                return _with(view, ended=event)
        state, effects = engine.advance(view.state, event)
        if isinstance(event, StepEntered | ToolFinished | StepFinished | FactGiven | LogRead):
            view = _with(view, effects=effects)
        return _with(view, state=state)

    def _move(self, view: View, event: HostChanged) -> View:
        """Go on with another host: what was known of the one before does not count for it."""
        started = msgspec.structs.replace(
            view.started,
            host=event.host,
            destination=event.destination,
            ssh_config=event.ssh_config,
            lab=event.lab,
        )
        case = msgspec.structs.replace(
            view.case,
            facts=_kept(view.case.facts),
            logs=tuple(_log_of(log, view.started.host) for log in view.case.logs),
            results={},
        )
        state = msgspec.structs.replace(view.state, facts=_kept(view.state.facts))
        return self._learn(
            _with(view, started=started, case=case, state=state, effects=()), ToolReading()
        )

    def _change_playbook(self, view: View, playbook_id: str) -> View:
        """Go on in another playbook; one that this version does not have changes nothing."""
        try:
            playbook = self.find_playbook(playbook_id)
        except UsageError:
            return view
        return _with(view, state=engine.change_playbook(view.state, playbook), effects=())

    def _record(self, event: CommandStarted, host: str) -> CommandRecord:
        command = Command(
            argv=event.argv,
            tool=event.tool,
            risk=event.risk,
            edited=event.edited,
            as_root=event.as_root,
            asks=event.asks,
        )
        return CommandRecord(event.number, event.step, command, event.consent, host=host)

    def _finish(self, view: View, event: CommandFinished) -> View:
        index = next((i for i, c in enumerate(view.commands) if c.number == event.number), None)
        if index is None:
            return view  # A damaged recording: there is nothing to attach the result to.
        record = view.commands[index]
        result = Result(
            command=record.command,
            status=event.status,
            exit_code=event.exit_code,
            output=event.output,
            errors=event.errors,
            seconds=event.seconds,
        )
        # Half an output would be read as if it were all, so it is not read at all.
        lost = event.status is ResultStatus.LOST
        reading = ToolReading() if lost else self._read(result, view.case)
        done = msgspec.structs.replace(record, result=result, findings=reading.findings)
        commands = (*view.commands[:index], done, *view.commands[index + 1 :])
        if lost:
            return self._cut_short(_with(view, commands=commands), record)
        done_before = _without_refused(view.case.done(record.command.tool), record.command)
        results = view.case.results | {record.command.tool: (*done_before, result)}
        case = msgspec.structs.replace(view.case, results=results)
        # Results first, then facts: a tool plans by both.
        return self._learn(_with(view, commands=commands, case=case), reading)

    def _mark_interrupted(self, view: View, interrupted: int | None) -> View:
        """Mark the command that was cut short."""
        record = next((c for c in view.commands if c.number == interrupted), None)
        if record is None:
            return view
        marked = msgspec.structs.replace(record, interrupted=True)
        view = _with(view, commands=tuple(marked if c is record else c for c in view.commands))
        return self._cut_short(view, record)

    def _cut_short(self, view: View, record: CommandRecord) -> View:
        """Go on after a command that did not finish because we or its machine ended.

        One that only observes is proposed again. A riskier one counts as done: it may itself have
        taken the machine down, as a reboot should and a faulty module may.
        """
        if record.command.risk is Risk.READ:
            return view
        cut = Result(command=record.command, status=ResultStatus.SIGNALED, errors="cut short")
        tool = record.command.tool
        results = view.case.results | {tool: (*view.case.done(tool), cut)}
        text = (
            f"{record.command.line} was cut short. If it took the machine down, "
            "look at the log of the boot before"
        )
        finding = Finding(text, Mark.NEUTRAL, Source(record.command.line))
        case = msgspec.structs.replace(view.case, results=results)
        return self._learn(_with(view, case=case), ToolReading(findings=(finding,)))

    def _read(self, result: Result, case: Case) -> ToolReading:
        tool = self._tools.get(result.command.tool)
        return read_output(tool, result, case) if tool else ToolReading()

    def _learn(self, view: View, reading: ToolReading) -> View:
        logs = view.case.logs
        if reading.log is not None:
            logs = (*logs, reading.log)
        case = msgspec.structs.replace(
            view.case,
            facts=view.case.facts | {fact.name: fact for fact in reading.facts},
            findings=(*view.case.findings, *reading.findings),
            logs=logs,
        )
        opinion = view.opinion
        # Diagnosing takes milliseconds, and most commands bring neither facts nor logs.
        if reading.facts or reading.log is not None:
            opinion = diagnose(case.logs, case.facts)
        # In the case as well as in the engine: tools plan by them, conditions test them.
        derived = derived_facts(case, opinion)
        case = msgspec.structs.replace(case, facts=case.facts | {f.name: f for f in derived})
        learned = engine.OutputLearned((*reading.facts, *derived), reading.findings)
        state, _ = engine.advance(view.state, learned)
        return _with(view, case=case, opinion=opinion, state=state)


def _kept(facts: dict[str, Fact]) -> dict[str, Fact]:
    """Return the facts that are not about the machine commands ran on."""
    return {name: fact for name, fact in facts.items() if not name.startswith(OF_HOST)}


def _log_of(log: KernelLog, host: str) -> KernelLog:
    """Return a log that a command read with its host's name, so that no other takes it for its."""
    if log.source not in THIS_BOOT:
        return log
    return msgspec.structs.replace(log, source=f"{log.source} on {host}")


def _without_refused(done: tuple[Result, ...], command: Command) -> tuple[Result, ...]:
    """Return the results without the refused run of a command that now ran as root."""
    again = command.as_root and done and done[-1].command.argv == command.argv
    return done[:-1] if again else done


def _reading_of_given(log: KernelLog) -> ToolReading:
    source = Source(log.source)
    facts = (Fact("given.log", log.source, source), Fact("log.lines", log.lines, source))
    return ToolReading(
        log=log, facts=facts, findings=findings_of(log, log.source, "the log you gave")
    )


def _with(view: View, **changes: object) -> View:
    return msgspec.structs.replace(view, **changes)
