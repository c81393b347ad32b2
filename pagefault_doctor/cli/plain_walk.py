"""The whole walk line by line: for a screen reader, a serial line, a dumb terminal, a pipe."""

from __future__ import annotations

import textwrap
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from pagefault_doctor.cli.consent import ask
from pagefault_doctor.cli.inputs import read_logs
from pagefault_doctor.cli.other_host import OtherHost
from pagefault_doctor.cli.stdout import print_document, print_line
from pagefault_doctor.cli.unattended import playbook_line
from pagefault_doctor.hosts.ssh import SshHost
from pagefault_doctor.model.command import Command, Result, ResultStatus, Risk
from pagefault_doctor.model.errors import ExitCode, PfDoctorError, UsageError
from pagefault_doctor.model.event import Outcome
from pagefault_doctor.model.given_input import LOG_OF
from pagefault_doctor.playbook.engine import END, step_now
from pagefault_doctor.playbook.shelf import causes
from pagefault_doctor.report.outline import finding_text
from pagefault_doctor.session.case_notes import case_notes
from pagefault_doctor.session.edited_command import edited
from pagefault_doctor.session.given_input import checked, doubt, wanted
from pagefault_doctor.session.walk import NO_CONSENT, Walk

CONSENT: Final = "asked"
"""Recorded as the consent for commands that ran after a question."""

_WIDTH: Final = 78
_HELP: Final = """\
Enter goes on. Or type a letter and Enter:
  y run the command    n do not    e COMMAND run this instead    s skip the step
  f give what the step lacks: a file, a folder, a trigger    a FILE add another log
  m the log is of the other machine    x HOST run the commands there (lab, here)
  d the diagnosis    r the report so far    n TEXT write a note
  g NUMBER go to that step    q leave"""


class PlainWalk:
    """A walk that prints what happens and reads what to do from standard input."""

    def __init__(self, walk: Walk, move: OtherHost) -> None:
        self._walk = walk
        self._move = move
        self._told: tuple[str, str] | None = None
        self._cause = ""

    def to_the_end(self) -> int:
        """Walk until the person leaves or the input ends, and return the exit code."""
        walk = self._walk
        if walk.view.step is None:
            walk.enter(walk.view.playbook.steps[0].id)
        for line in _given_logs(walk):
            _print(line)
        while True:
            self._introduce_step()
            words = self._next()
            if words is None or words == "q":
                break
            try:
                if self._is_done(words):
                    walk.end("finished")
                    return ExitCode.DONE
            except PfDoctorError as error:
                _print(f"  {error}")
        walk.end("quit")
        return ExitCode.DONE

    def _introduce_step(self) -> None:
        """Print the title of the step, and what is told of the case, where it is a new one."""
        view = self._walk.view
        place = (view.playbook.id, view.step or "")
        if place == self._told or not view.step:
            return
        self._told = place
        step = step_now(view.state, view.step)
        number = [each.id for each in view.playbook.steps].index(step.id) + 1
        print_line()
        _print(f"Step {number} of {len(view.playbook.steps)}: {step.title}")
        _print(" ".join(step.why.split()))
        for note in case_notes(view, step.id):
            _print(f"  {finding_text(note)}")
        cause = causes().get(view.opinion.verdict.root_cause.value) if step.remedy else None
        if cause:
            _print(f"Usual cure: {' '.join(cause.remedy.change.split())}")

    def _next(self) -> str | None:
        """Run what only observes; return the person's words about what comes then."""
        walk = self._walk
        while (command := walk.proposed) and _only_observes(command):
            self._run(command, NO_CONSENT)
            self._introduce_step()
        if command:
            _print(f"Next: {command.why or command.line}")
            _print(f"$ {command.line}")
            return ask(f"This asks first ({_RISKS[command.risk]}). y to run it, n, ? for more: ")
        for line in _unusable(walk):
            _print(f"  {line}")
        self._tell_cause()
        suggestion = walk.suggestion
        if suggestion is None:
            return ask("Enter begins; ? for more: ")
        _print(f"Next: {' '.join(suggestion.because.split())}")
        if suggestion.go == END:
            return ask(f"Enter ends it (pfdoctor report {walk.view.started.id}); ? for more: ")
        given = "f gives what is lacking, " if wanted(walk.view, walk.view.step or "") else ""
        return ask(f"Enter goes on, {given}? for more: ")

    def _tell_cause(self) -> None:
        """Print the likely cause where it is another one than before."""
        summary = self._walk.view.opinion.verdict.summary if self._walk.view.case.reports else ""
        if summary and summary != self._cause:
            self._cause = summary
            share = self._walk.view.opinion.verdict.confidence
            _print(f"Likely cause: {summary} ({share:.0%}; d shows why)")

    def _is_done(self, words: str) -> bool:
        """Do what the person typed; return whether the walk came to its end."""
        letter, _, rest = words.partition(" ")
        if self._walk.proposed and letter in ("", "y", "n", "e"):
            self._answer(letter, rest.strip())
            return False
        if not words:
            return self._go_on()
        act = _ACTIONS.get(letter)
        if act is None:
            _print(_HELP)
        else:
            act(self, rest.strip())
        return False

    def _answer(self, letter: str, rest: str) -> None:
        """Run the proposed command, another one in its place, or neither."""
        walk, command = self._walk, self._walk.proposed
        assert command is not None
        if letter == "n" and rest:
            walk.note(rest)
        elif letter == "y":
            self._run(command, CONSENT)
        elif letter == "e" and rest:
            changed = edited(command, rest)
            self._run(changed, NO_CONSENT if _only_observes(changed) else CONSENT)
        elif letter == "n":
            walk.decline(command, "declined by you")
        else:
            _print("y runs it. Enter alone does not, so that nothing runs by accident.")

    def _go_on(self) -> bool:
        walk, before = self._walk, self._walk.view.playbook.id
        if walk.suggestion and walk.suggestion.go == END:
            return True
        for step in walk.go_on():
            told = walk.view.state.steps[step]
            _print(f"Passed over: {step} ({told.reason or 'nothing to do'})")
        if walk.view.playbook.id != before:
            _print(playbook_line(walk.view.playbook))
        return False

    def _run(self, command: Command, consent: str) -> None:
        print_line(f"$ {command.line}")
        result = self._result(command, consent)
        shown = f"{result.status}, {result.seconds:.1f} s"
        print_line(f"  {shown}")
        for finding in self._walk.view.commands[-1].findings:
            _print(f"  {finding_text(finding)}")
        if result.status is ResultStatus.LOST:
            remedy = f"pfdoctor resume {self._walk.view.started.id}"
            raise PfDoctorError(f"the connection to {self._walk.host.name} was lost", remedy)

    def _result(self, command: Command, consent: str) -> Result:
        """Return the result; Ctrl-C cancels the command, not the walk."""
        if command.interactive or command.asks:
            return self._walk.run(command, consent, runner=self._on_terminal)
        cancel = threading.Event()
        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(self._walk.run, command, consent, _print_progress, cancel)
            while True:
                try:
                    return running.result()
                except KeyboardInterrupt:
                    print_line("  cancelling it")
                    cancel.set()

    def _on_terminal(self, command: Command) -> Result:
        from pagefault_doctor.hosts import runner

        host = self._walk.host
        if command.asks:
            return host.run_asking(command)
        return runner.run_interactive(host.on_terminal(command))

    def _give(self, text: str) -> None:
        walk = self._walk
        lacking = wanted(walk.view, walk.view.step or "")
        if not lacking:
            _print("Nothing is blocked here for want of a file, folder or trigger.")
            return
        one, case = lacking[0], walk.view.case
        words = text or ask(f"{one.what} ({one.option}): ")
        if not words:
            return
        given = checked(one, words, case, is_here=not isinstance(walk.host, SshHost))
        walk.give_fact(one.name, given)
        _print(doubt(one, given, case) or f"Taken: {given}")

    def _add_log(self, path: str) -> None:
        if not path:
            raise UsageError("no file is named", "a FILE")
        for log in read_logs(path):
            self._walk.give_log(log)
        for line in _given_logs(self._walk):
            _print(line)

    def _change_machine(self, _: str) -> None:
        before = self._walk.view.case.get("log.of", "")
        if not before:
            raise UsageError("no log was given", "all that is read is of this box")
        other = next(each for each in LOG_OF if each != before)
        self._walk.give_fact("log_of", other)
        _print(f"From now on the log counts as one of {other}.")

    def _change_host(self, name: str) -> None:
        if not name:
            raise UsageError("no host is named", "x USER@HOST, x lab or x here")
        self._move(self._walk, name)
        self._told = None
        _print(f"Commands run on {self._walk.host.name} from now on.")

    def _diagnose(self, _: str) -> None:
        from pagefault_doctor.report.diagnosis import diagnosis_text

        view = self._walk.view
        source = view.case.get("given.log", "") or view.started.host
        print_document(diagnosis_text(source, view.case.reports, view.explained, _WIDTH))

    def _report(self, _: str) -> None:
        from pagefault_doctor.report.outline import session_outline
        from pagefault_doctor.report.text import render

        print_document(render(session_outline(self._walk.view)))

    def _skip(self, _: str) -> None:
        self._walk.skip()

    def _note(self, text: str) -> None:
        self._walk.note(text)

    def _go_to(self, number: str) -> None:
        steps = self._walk.view.playbook.steps
        if not number.isdecimal() or not 1 <= int(number) <= len(steps):
            raise UsageError("there is no such step", f"g 1 to g {len(steps)}")
        self._told = None
        self._walk.enter(steps[int(number) - 1].id)


_ACTIONS: Final[dict[str, Callable[[PlainWalk, str], None]]] = {
    "f": PlainWalk._give,
    "a": PlainWalk._add_log,
    "m": PlainWalk._change_machine,
    "x": PlainWalk._change_host,
    "d": PlainWalk._diagnose,
    "r": PlainWalk._report,
    "s": PlainWalk._skip,
    "n": PlainWalk._note,
    "g": PlainWalk._go_to,
}
"""What a letter does; the rest of the line goes with it."""

_RISKS: Final = {
    Risk.READ: "it takes the terminal",
    Risk.LOAD: "it puts load on the machine",
    Risk.CHANGE: "it changes the system",
    Risk.CRASH: "it may take the machine down",
}


def _only_observes(command: Command) -> bool:
    return command.risk is Risk.READ and not command.interactive


def _given_logs(walk: Walk) -> Iterator[str]:
    for log in walk.view.case.logs:
        count = "1 report" if len(log.reports) == 1 else f"{len(log.reports)} reports"
        yield f"{log.source}: {log.lines} lines, {count}"


def _unusable(walk: Walk) -> Iterator[str]:
    """Yield what blocked the tools of the step, each reason once."""
    finished = walk.view.state.steps[walk.view.step].finished if walk.view.step else ()
    blocked = (tool for tool in finished if tool.outcome is Outcome.BLOCKED)
    yield from dict.fromkeys(f"x {t.reason}; {t.remedy}" for t in blocked)


def _print_progress(text: str) -> None:
    for line in text.splitlines():
        if line.startswith(("lab: ", "pfdoctor: ")):
            print_line(f"    {line}")


def _print(text: str) -> None:
    for line in text.splitlines():
        indent = " " * (len(line) - len(line.lstrip()) + 2)
        filled = textwrap.fill(
            line, _WIDTH, subsequent_indent=indent, break_on_hyphens=False, break_long_words=False
        )
        print_document(f"{filled}\n")
