"""The walk: drives the engine, the tools and a host, and logs every event.

The wizard, the command line, a replay and the tests all use this class, so that the same choices
give the same events everywhere. It never asks: its caller reads `proposed` and `suggestion` and
then calls `run`, `decline`, `skip` or `enter`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import NotRequired, TypedDict, Unpack

import msgspec

from pagefault_doctor import __version__
from pagefault_doctor.hosts.host import Host, OnOutput
from pagefault_doctor.model.command import Blocked, Command, Result, ResultStatus, Risk
from pagefault_doctor.model.errors import PfDoctorError
from pagefault_doctor.model.event import (
    CommandDeclined,
    CommandFinished,
    CommandStarted,
    Event,
    FactGiven,
    HostChanged,
    LogRead,
    NoteWritten,
    Outcome,
    PlaybookChanged,
    QuestionAnswered,
    SessionEnded,
    SessionResumed,
    SessionStarted,
    StepEntered,
    StepFinished,
    ToolFinished,
)
from pagefault_doctor.model.fact import Mark
from pagefault_doctor.model.log import KernelLog
from pagefault_doctor.model.playbook import Playbook, StepStatus
from pagefault_doctor.playbook import shelf
from pagefault_doctor.playbook.engine import DID_NOTHING, END, Conclude, Suggest, UseTool
from pagefault_doctor.session.edited_command import needed_risk
from pagefault_doctor.session.event_log import MemoryLog, SessionError, Sink
from pagefault_doctor.session.view import FindPlaybook, Fold, View
from pagefault_doctor.tools.tool import NO_ANSWER, Tool, next_command

MOST_COMMANDS = 24
"""Commands that one tool may run in one step, so that no plan can loop."""

MOST_PASSED = 24
"""Steps that are passed over at once, so that no playbook can loop."""

NO_CONSENT = "not-needed"

Clock = Callable[[], float]


class ConsentError(PfDoctorError):
    """A command that needs consent was about to run without it."""


class WalkParts(TypedDict):
    """What a walk works with: the host it runs commands on, where events go, tools, the time.

    `find_playbook` returns the playbooks that suggestions name; without it, the bundled ones.
    """

    host: Host
    sink: Sink
    tools: Mapping[str, Tool]
    clock: NotRequired[Clock]
    find_playbook: NotRequired[FindPlaybook]


class Walk:
    """One walk through a playbook on a host.

    `proposed` is the next command, `suggestion` the next step; at most one of them is set. That
    step is one of `suggested_playbook`, another than that of the view where the walk is to go on in
    another one.
    `unsaved` is the reason why events can no longer be saved, if so. `tools` are those that the
    walk knows, by id.
    """

    def __init__(self, view: View, **parts: Unpack[WalkParts]) -> None:
        self.view = view
        self.host = parts["host"]
        self.tools = parts["tools"]
        self.proposed: Command | None = None
        self.suggestion: Suggest | None = None
        self.suggested_playbook = view.playbook
        self.unsaved: str | None = None
        self._sink = parts["sink"]
        self._fold = _fold(parts)
        self._clock = parts.get("clock", time.time)
        self._one_at_a_time = threading.RLock()  # A signal's handler may interrupt its holder.
        self._carry_out_effects()

    @classmethod
    def start(cls, started: SessionStarted, playbook: Playbook, **parts: Unpack[WalkParts]) -> Walk:
        """Return a new walk, before its first step. Raises SessionError if it cannot be saved."""
        started = msgspec.structs.replace(started, at=parts.get("clock", time.time)())
        # The only event whose failure ends the walk: the caller then chooses another sink.
        parts["sink"].append(started)
        return cls(_fold(parts).begin(started, playbook), **parts)

    @classmethod
    def resume(
        cls, events: tuple[Event, ...], playbook: Playbook, **parts: Unpack[WalkParts]
    ) -> Walk:
        """Return the walk of these events, at the point where they end."""
        view = _fold(parts).replay(events, playbook)
        # The last process ended, or was killed, while this command ran.
        cut = next((c.number for c in view.commands if not c.result and not c.interrupted), None)
        walk = cls(view, **parts)
        walk._emit(SessionResumed(version=__version__, interrupted=cut))
        walk._carry_out_effects()
        return walk

    @property
    def is_kept(self) -> bool:
        """Whether there is a file of this session."""
        return not isinstance(self._sink, MemoryLog)

    def enter(self, step: str) -> None:
        """Go to a step, for the first time or again."""
        self._emit(StepEntered(step=step))
        self._carry_out_effects()

    def change_playbook(self, playbook: str) -> None:
        """Go on in another playbook; the caller then enters a step of it."""
        self._emit(PlaybookChanged(playbook=playbook))
        self._carry_out_effects()

    def follow(self) -> None:
        """Enter the step that is suggested, also that of another playbook."""
        assert self.suggestion is not None
        suggestion = self.suggestion
        if suggestion.playbook:
            self.change_playbook(suggestion.playbook)
        self.enter(suggestion.go)

    def go_on(self, stops_at: Callable[[View], bool] = lambda view: False) -> tuple[str, ...]:
        """Go where the suggestion leads, past steps in which no tool can do anything.

        Return the ids of those steps that are in the playbook in which that ends. A step that shows
        the usual fix or tells something of the case is no such step, nor one at which `stops_at`
        holds. Where the suggestion is to end, nothing happens.
        """
        passed: list[str] = []
        for _ in range(MOST_PASSED):
            if self.suggestion is None or self.suggestion.go == END:
                break
            if self.suggestion.playbook:
                passed.clear()
            self.follow()
            if not self._is_of_no_use() or stops_at(self.view):
                break
            assert self.view.step
            if self.suggestion is None or self.suggestion.go == END:
                break
            passed.append(self.view.step)
        return tuple(passed)

    def _is_of_no_use(self) -> bool:
        """Whether the current step ended at once, for want of something, and tells nothing."""
        step = self.view.step
        assert step
        now = self.view.state.steps[step]
        idle = all(tool.outcome in DID_NOTHING for tool in now.finished)
        has_remedy = self.view.playbook.step(step).remedy
        stopped = now.status is StepStatus.BLOCKED or (now.status is StepStatus.DONE and idle)
        if not stopped or has_remedy:
            return False
        from pagefault_doctor.session.case_notes import case_notes

        return not case_notes(self.view, step)

    def run(
        self,
        command: Command,
        consent: str = NO_CONSENT,
        on_output: OnOutput | None = None,
        cancel: threading.Event | None = None,
        runner: Callable[[Command], Result] | None = None,
    ) -> Result:
        """Run the proposed command, or the person's edit of it, and log its start and its end.

        `runner` replaces the host, for interactive commands, which need the terminal.
        Raises ConsentError, before anything runs, for a risky command without consent.
        """
        # Checked here and not only by the screens, so that no caller can forget it.
        risk = needed_risk(command, self.proposed)
        if risk is not Risk.READ and (consent == NO_CONSENT or self.view.started.read_only):
            raise ConsentError(f"{command.text} needs consent: its risk is {risk}")
        step = self.view.step
        assert step is not None
        number = len(self.view.commands) + 1
        self._emit(
            CommandStarted(
                number=number,
                step=step,
                tool=command.tool,
                argv=command.argv,
                risk=risk,
                consent=consent,
                edited=command.edited,
                as_root=command.as_root,
                asks=command.asks,
            )
        )
        result = runner(command) if runner else self.host.run(command, on_output, cancel)
        self._emit(
            CommandFinished(
                number=number,
                status=result.status,
                exit_code=result.exit_code,
                seconds=round(result.seconds, 3),
                output=result.output,
                errors=result.errors,
            )
        )
        if result.status is ResultStatus.CANCELLED:
            self._finish_tool(command.tool, Outcome.CANCELLED, "cancelled")
        self._carry_out_effects()
        return result

    def decline(self, command: Command, reason: str) -> None:
        """Decline the proposed command; its tool is finished for this step."""
        self._decline(command, reason)
        self._carry_out_effects()

    def skip(self, reason: str = "skipped by you") -> None:
        """Leave the current step as it is."""
        assert self.view.step is not None
        self._emit(StepFinished(step=self.view.step, status=StepStatus.SKIPPED, reason=reason))
        self._carry_out_effects()

    def note(self, text: str) -> None:
        """Log a note of the person at the current step."""
        self._emit(NoteWritten(step=self.view.step or "", text=text))

    def answer(self, answered: QuestionAnswered) -> None:
        """Log the answer to a training question."""
        self._emit(answered)

    def give_log(self, log: KernelLog) -> None:
        """Add a log that the person named or pasted."""
        self._emit(LogRead(log=log))
        self._carry_out_effects()

    def give_fact(self, name: str, value: str) -> None:
        """Take what the person says of the case as the fact `given.NAME`."""
        self._emit(FactGiven(name=name, value=value))
        self._carry_out_effects()

    def move(self, host: Host, changed: HostChanged, tools: Mapping[str, Tool]) -> None:
        """Run commands on another host from now on; the caller then enters a step."""
        self.host, self.tools = host, tools
        self._fold = self._fold.with_tools(tools)
        self._emit(changed)
        self._carry_out_effects()

    def end(self, reason: str) -> None:
        """Write the last event and close the session's file; a second end changes nothing."""
        # A signal handler may end a walk that is about to end anyway.
        if self.view.ended is None:
            self._emit(SessionEnded(reason=reason))
            self._record_sightings()
        self._sink.close()

    def _record_sightings(self) -> None:
        if self.is_kept and not self.view.started.scenario and self.view.case.reports:
            from pagefault_doctor.session.sightings import record

            record(self.view.case.reports, self.view.started.at)

    def _carry_out_effects(self) -> None:
        """Carry out effects until a command or a suggestion waits for the person."""
        self.proposed = self.suggestion = None
        # Bounded, so that a mistake in the engine cannot hang the wizard.
        for _ in range(10 * MOST_COMMANDS):
            match self.view.effects:
                case (UseTool(tool=tool),):
                    if not self._propose(tool):
                        return
                case (Conclude(step=step, status=status, reason=reason),):
                    self._emit(StepFinished(step=step, status=status, reason=reason))
                case (Suggest() as suggestion,):
                    self._suggest(suggestion)
                    return
                case _:
                    return

    def _suggest(self, suggestion: Suggest) -> None:
        book = self.view.playbook
        if suggestion.playbook in (None, book.id) or self.view.started.scenario:
            # A training walk keeps its playbook, which its questions and its recording are of.
            step = suggestion.go if book.has(suggestion.go) else END
            self.suggestion = msgspec.structs.replace(suggestion, go=step, playbook=None)
        else:
            self.suggestion = suggestion
            book = self._fold.find_playbook(suggestion.playbook)
        self.suggested_playbook = book

    def _propose(self, tool_id: str) -> bool:
        """Propose the tool's next command; return True when the tool finished instead."""
        tool = self.tools.get(tool_id)
        if tool is None:
            self._finish_tool(tool_id, Outcome.BLOCKED, "unknown tool", "check the playbook")
            return True
        # A recording is older than this tool; that is no problem to report.
        if not self.host.knows(tool_id):
            self._finish_tool(tool_id, Outcome.NOT_NEEDED, "not in the recording")
            return True
        done = self.view.case.done(tool_id)
        wanted = next_command(tool, self.view.case) if len(done) < MOST_COMMANDS else None
        if isinstance(wanted, Blocked):
            self._finish_tool(tool_id, Outcome.BLOCKED, wanted.reason, wanted.remedy)
            return True
        if wanted is None:
            told = [f.mark for c in self.view.commands if c.result in done for f in c.findings]
            self._finish_tool(tool_id, *_outcome(done, any(m is not Mark.NEUTRAL for m in told)))
            return True
        if wanted.risk is not Risk.READ and self.view.started.read_only:
            self._decline(wanted, "read-only")
            return True
        self.proposed = wanted
        return False

    def _decline(self, command: Command, reason: str) -> None:
        step = self.view.step
        assert step is not None
        self._emit(
            CommandDeclined(
                step=step, tool=command.tool, argv=command.argv, risk=command.risk, reason=reason
            )
        )
        self._finish_tool(command.tool, Outcome.DECLINED, reason)

    def _finish_tool(self, tool: str, outcome: Outcome, reason: str = "", remedy: str = "") -> None:
        step = self.view.step
        assert step is not None
        self._emit(
            ToolFinished(step=step, tool=tool, outcome=outcome, reason=reason, remedy=remedy)
        )

    def _emit(self, event: Event) -> None:
        """Log the event, then apply it, even where events can no longer be saved."""
        # A wizard that has to leave ends the session while its command may still be ending: the
        # view then lacks neither event, and has them in the order of the file.
        with self._one_at_a_time:
            event = msgspec.structs.replace(event, at=self._clock())
            try:
                self._sink.append(event)
            except SessionError as error:
                self.unsaved = str(error)
            self.view = self._fold.apply(self.view, event)


def _outcome(done: tuple[Result, ...], told: bool) -> tuple[Outcome, str]:
    """Return the outcome of a tool by its results; one that failed but told counts as used.

    A modprobe that the kernel killed has failed, and that is the result that was wanted; a trigger
    that failed was tried. That something could not be read tells nothing.
    """
    if not done:
        return Outcome.NOT_NEEDED, ""
    if told or any(result.ok or result.said_anything or _was_tried(result) for result in done):
        return Outcome.USED, ""
    first = next(iter(done[-1].errors.strip().splitlines()), "") or done[-1].status.value
    return Outcome.FAILED, first


def _was_tried(result: Result) -> bool:
    """Whether a command that does more than observe was started, whatever became of it."""
    return result.command.risk is not Risk.READ and result.status not in NO_ANSWER


def _fold(parts: WalkParts) -> Fold:
    return Fold(parts["tools"], find_playbook=parts.get("find_playbook", shelf.playbook))
