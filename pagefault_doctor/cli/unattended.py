"""Walk without a person: run commands that only observe, and decline all others."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable

from pagefault_doctor.model.command import ResultStatus, Risk
from pagefault_doctor.model.errors import PfDoctorError
from pagefault_doctor.model.playbook import Playbook
from pagefault_doctor.playbook.engine import END
from pagefault_doctor.report.outline import finding_text
from pagefault_doctor.session.case_notes import case_notes
from pagefault_doctor.session.walk import NO_CONSENT, Walk

DECLINED = "needs a person's consent"
"""Why a command with a risk was not run."""
NEEDS_TERMINAL = "needs a terminal"
"""Why an interactive command was not run."""
NEEDS_PASSWORD = "sudo would ask for a password; run it in a terminal, or run sudo pfdoctor"
"""Why a command through sudo was not run."""
CONSENT_BY_OPTION = "--yes"
"""Recorded as the consent if the person gave it with an option."""

COVERED_RISKS = (Risk.LOAD, Risk.CHANGE)
"""Risks that `--yes` consents to; never a possible crash."""

Report = Callable[[str], None]
"""Prints one line of progress."""


def walk_steps(walk: Walk, steps: Iterable[str], report: Report = lambda text: None) -> None:
    """Walk these steps in order, regardless of the playbook's suggestions."""
    for step in steps:
        _enter(walk, step, report)
        _run_tools(walk, report)


def walk_playbook(walk: Walk, report: Report = lambda text: None, yes: bool = False) -> None:
    """Walk as the playbook suggests, from the current step to the end.

    With `yes`, the person has consented to all commands that load or change the machine, but not to
    a crash. Every step of a playbook is visited at most once, so a playbook with a cycle ends too.
    """
    if walk.view.step is None:
        _enter(walk, walk.view.playbook.steps[0].id, report)
    visited: set[tuple[str, str | None]] = set()
    while True:
        visited.add((walk.view.playbook.id, walk.view.step))
        _run_tools(walk, report, yes)
        following, book = walk.suggestion, walk.suggested_playbook
        if not following or following.go == END or (book.id, following.go) in visited:
            return
        if following.playbook:
            report(playbook_line(book))
            report(f"  {following.because}")
        report(book.step(following.go).title)
        walk.follow()


def playbook_line(playbook: Playbook) -> str:
    """Return the line that says which playbook is walked from here on."""
    return f"Playbook: {playbook.title} ({playbook.id})"


def _can_sudo_ask() -> bool:
    """Return whether sudo can ask the person; it uses the terminal despite redirections."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def _enter(walk: Walk, step: str, report: Report) -> None:
    report(f"{walk.view.playbook.step(step).title}")
    walk.enter(step)


def _run_tools(walk: Walk, report: Report, yes: bool = False) -> None:
    while walk.proposed is not None:
        command = walk.proposed
        covered = yes and command.risk in COVERED_RISKS
        if command.interactive:
            walk.decline(command, NEEDS_TERMINAL)
        elif command.asks and not _can_sudo_ask():
            walk.decline(command, NEEDS_PASSWORD)
        elif command.risk is Risk.READ or covered:
            report(f"  $ {command.line}")
            asking = walk.host.run_asking if command.asks else None
            result = walk.run(command, CONSENT_BY_OPTION if covered else NO_CONSENT, runner=asking)
            if result.status is ResultStatus.LOST:
                remedy = f"go on later with: pfdoctor resume {walk.view.started.id}"
                raise PfDoctorError(f"the connection to {walk.host.name} was lost", remedy)
        else:
            report(f"  not run ({command.risk}): {command.line}")
            walk.decline(command, DECLINED)
    if walk.view.step:
        for note in case_notes(walk.view, walk.view.step):
            report(f"  {finding_text(note)}")
        state = walk.view.state.steps[walk.view.step]
        report(f"  {state.status}" + (f": {state.reason}" if state.reason else ""))
