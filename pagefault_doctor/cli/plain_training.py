"""A training walk line by line, for a screen reader, a dumb terminal, or a pipe."""

from __future__ import annotations

import sys
import textwrap
from functools import partial

from pagefault_doctor.cli.consent import ask, ask_consent
from pagefault_doctor.cli.stdout import print_document, print_line
from pagefault_doctor.hosts.host import Host
from pagefault_doctor.model.command import Command, Result, Risk
from pagefault_doctor.model.errors import ExitCode
from pagefault_doctor.model.event import QuestionAnswered
from pagefault_doctor.model.playbook import StepStatus
from pagefault_doctor.model.scenario import Question, Scenario
from pagefault_doctor.playbook.engine import END
from pagefault_doctor.report.outline import finding_text
from pagefault_doctor.session.walk import NO_CONSENT, Walk

MAX_OUTPUT_LINES = 12
"""Lines of output that are shown for each command."""

CONSENT_IN_REPLAY = "replay"
"""Recorded as the consent for commands that are only replayed."""

CONSENT_ASKED = "asked"
"""Recorded as the consent for commands that ran in the lab, after a question."""


def train_line_by_line(walk: Walk, scenario: Scenario) -> int:
    """Walk the scenario on standard input and output, and return the exit code.

    The questions of a step come after its commands. At the end of the input, the answers are
    printed and the walk continues.
    """
    _print(f"{scenario.title}\n\n{scenario.summary}")
    step = walk.view.playbook.steps[0].id
    visited: set[str] = set()
    while step != END and step not in visited:
        visited.add(step)
        _walk_step(walk, step)
        for question in scenario.questions:
            if question.step == step:
                walk.answer(_ask(question))
        step = walk.suggestion.go if walk.suggestion else END
    _conclude(walk, scenario)
    walk.end("finished")
    return ExitCode.DONE


def _walk_step(walk: Walk, step_id: str) -> None:
    step = walk.view.playbook.step(step_id)
    number = [s.id for s in walk.view.playbook.steps].index(step_id) + 1
    _print(f"\n=== {number} of {len(walk.view.playbook.steps)}  {step.title}\n{step.why}")
    walk.enter(step_id)
    while walk.proposed is not None:
        _run(walk, walk.proposed)
    state = walk.view.state.steps[step_id]
    for blocked in state.finished:
        if blocked.remedy:
            _print(f"  x {blocked.tool}: {blocked.reason}; {blocked.remedy}")
    if walk.suggestion:
        _print(f"Step {state.status}. Next: {walk.suggestion.because}")


def _run(walk: Walk, command: Command) -> None:
    live, risky = walk.host.live, command.risk is not Risk.READ
    note = "in the lab" if live else "replayed, nothing runs here"
    print_line()
    print_line(f"$ {command.line}{f'  ({command.risk}; {note})' if risky else ''}")
    if live and risky and not ask_consent("run it"):
        walk.decline(command, "declined by you")
        return
    consent = (CONSENT_ASKED if live else CONSENT_IN_REPLAY) if risky else NO_CONSENT
    runner = partial(_on_terminal, walk.host) if live and command.interactive else None
    result = walk.run(command, consent, _show_lab if live else None, runner=runner)
    lines = (result.output + result.errors).splitlines()
    for line in lines[:MAX_OUTPUT_LINES]:
        print_line(f"    {line}")
    if len(lines) > MAX_OUTPUT_LINES:
        print_line(f"    ... {len(lines) - MAX_OUTPUT_LINES} more lines")
    for finding in walk.view.commands[-1].findings:
        _print(f"  {finding_text(finding)}")


def _on_terminal(host: Host, command: Command) -> Result:
    from pagefault_doctor.hosts import runner

    return runner.run_interactive(host.on_terminal(command))


def _show_lab(text: str) -> None:
    """Print the lab's progress lines while a command waits for the lab."""
    for line in text.splitlines():
        if line.startswith("lab: "):
            print_line(f"    {line}")
            sys.stdout.flush()


def _ask(question: Question) -> QuestionAnswered:
    _print(f"\n? {question.ask}")
    for number, text in enumerate(question.choices, 1):
        _print(f"  {number}  {text}")
    choice, hinted = _choice(question)
    right = choice == question.answer
    result = "Right." if right else f"No, it is {question.answer + 1}: "
    _print(f"{result} {'' if right else question.choices[question.answer]}\n{question.explain}")
    return QuestionAnswered(
        step=question.step, question=question.id, choice=choice, right=right, hinted=hinted
    )


def _choice(question: Question) -> tuple[int, bool]:
    """Return the chosen index, -1 at the end of the input, and whether the hint was shown."""
    hinted = False
    while True:
        words = ask(f"1-{len(question.choices)}, h for a hint: ")
        if words is None:
            return -1, hinted
        if words.lower() == "h":
            hinted = True
            _print(question.hint)
        elif words.isdecimal() and 1 <= int(words) <= len(question.choices):
            return int(words) - 1, hinted


def _conclude(walk: Walk, scenario: Scenario) -> None:
    answers = walk.view.answers
    right = sum(answer.right for answer in answers)
    verdict = walk.view.opinion.verdict
    fixed = walk.view.case.get("validate.verdict", "inconclusive")
    _print(f"\n=== Verdict\n{verdict.summary} ({verdict.confidence:.0%})")
    validated = walk.view.state.steps.get("validate")
    if validated and validated.status is not StepStatus.TODO:
        _print(f"The fix: {fixed}.")
    _print(f"\n{scenario.lesson}\n\n{right} of {len(scenario.questions)} questions right.")


def _print(text: str) -> None:
    for line in text.splitlines():
        wrapped = textwrap.fill(line, 80, subsequent_indent="    " if line[:1] in " ?" else "")
        print_document(wrapped + "\n")
