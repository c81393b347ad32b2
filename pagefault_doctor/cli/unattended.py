"""Walking without a person: only commands that observe are run, all others are declined."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable

from pagefault_doctor.model.command import ResultStatus, Risk
from pagefault_doctor.model.errors import PfDoctorError
from pagefault_doctor.playbook.engine import END
from pagefault_doctor.session.walk import NO_CONSENT, Walk

DECLINED = "needs a person's consent"
NEEDS_TERMINAL = "needs a terminal"
NEEDS_PASSWORD = "sudo would ask for a password; run it in a terminal, or run sudo pfdoctor"
YES = "--yes"
"""How a person consented who said so before."""

COVERED = (Risk.LOAD, Risk.CHANGE)
"""What `--yes` covers: never what may take the machine down."""

Told = Callable[[str], None]


def walk_steps(walk: Walk, steps: Iterable[str], tell: Told = lambda text: None) -> None:
    """Walk these steps in their order, whatever the playbook suggests."""
    for step in steps:
        _enter(walk, step, tell)
        _use_tools(walk, tell)


def walk_playbook(walk: Walk, tell: Told = lambda text: None, yes: bool = False) -> None:
    """Walk as the playbook suggests, from where the walk stands to its end.

    With `yes`, the person consented to all that loads or changes the machine, but not to a crash.

    Every step is visited once at most, so a playbook that leads in a circle ends too.
    """
    visited: set[str] = set()
    step = walk.view.step or walk.view.playbook.steps[0].id
    while step != END and step not in visited:
        visited.add(step)
        if walk.view.step != step:
            _enter(walk, step, tell)
        _use_tools(walk, tell, yes)
        step = walk.suggestion.go if walk.suggestion else END


def _is_asked_here() -> bool:
    """Return whether sudo can ask the person: it does so on the terminal, past all redirections."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def _enter(walk: Walk, step: str, tell: Told) -> None:
    tell(f"{walk.view.playbook.step(step).title}")
    walk.enter(step)


def _use_tools(walk: Walk, tell: Told, yes: bool = False) -> None:
    while walk.proposed is not None:
        command = walk.proposed
        covered = yes and command.risk in COVERED
        if command.interactive:
            walk.decline(command, NEEDS_TERMINAL)
        elif command.asks and not _is_asked_here():
            walk.decline(command, NEEDS_PASSWORD)
        elif command.risk is Risk.READ or covered:
            tell(f"  $ {command.line}")
            asking = walk.host.run_asking if command.asks else None
            result = walk.run(command, YES if covered else NO_CONSENT, runner=asking)
            if result.status is ResultStatus.LOST:
                remedy = f"go on later with: pfdoctor resume {walk.view.started.id}"
                raise PfDoctorError(f"the connection to {walk.host.name} was lost", remedy)
        else:
            tell(f"  not run ({command.risk}): {command.line}")
            walk.decline(command, DECLINED)
    if walk.view.step:
        state = walk.view.state.steps[walk.view.step]
        tell(f"  {state.status}" + (f": {state.reason}" if state.reason else ""))
