"""The trigger of a run in the lab: what the person gave, else what the report suggests."""

from __future__ import annotations

from typing import Final

from pagefault_doctor.model.case import Case
from pagefault_doctor.model.command import Blocked, Command, Result
from pagefault_doctor.tools.arguments import first_path
from pagefault_doctor.tools.reproduce.proposed_trigger import ProposedTrigger, proposed_triggers
from pagefault_doctor.tools.reproduce.source_names import (
    SourceNames,
    grep_command,
    names_in_source,
)
from pagefault_doctor.tools.reproduce.trigger import parse_trigger
from pagefault_doctor.tools.reproduce.trigger_rules import WAIT

_SEARCH: Final = 30.0


def search(tool: str, case: Case) -> Command | None:
    """Return the command that looks for the names of files in the source, where one is of use."""
    folder = first_path(case, "given.source_dir")
    if not folder or case.get("given.trigger", ""):
        return None
    return Command(
        argv=grep_command(folder),
        tool=tool,
        timeout=_SEARCH,
        why="see what the module's files are called, to propose a trigger",
    )


def is_search(result: Result) -> bool:
    """Whether a result is that of `search`."""
    return result.command.argv[:1] == ("grep",)


def lines(
    case: Case, done: tuple[Result, ...], is_of_package: bool = False
) -> tuple[str, ...] | Blocked:
    """Return the command lines to run once the module is loaded; none where loading is enough.

    `is_of_package` says that the module is one of the kernel's package: that many machines load it
    and then wait, so that alone is no trigger.
    """
    if given := case.get("given.trigger", ""):
        if parse_trigger(given) is None:
            return Blocked("the trigger cannot be read", "one command a line; close every quote")
        return tuple(line for line in given.splitlines() if line.strip())
    proposal = proposed(case, done)
    if is_of_package and not tells(proposal):
        return Blocked(
            f"nothing tells what makes {case.suspect} fault, and loading it alone seldom does",
            "give what uses it: --trigger 'COMMAND'",
        )
    if proposal is None:
        return ()
    if not proposal.is_complete:
        return Blocked(
            "the trigger is not known whole: fill in its words in capitals",
            "give it: --trigger 'COMMAND'",
        )
    return proposal.commands


def tells(proposal: ProposedTrigger | None) -> bool:
    """Whether a proposal does more than to load the module and to wait."""
    return proposal is not None and proposal.commands != (WAIT,)


def is_new(case: Case, run: Result) -> bool:
    """Whether the person gave a trigger since that run."""
    given = case.get("given.trigger", "").splitlines()
    return not {line for line in given if line.strip()} <= {*run.command.argv}


def proposed(case: Case, done: tuple[Result, ...]) -> ProposedTrigger | None:
    """Return the trigger that the report and the source suggest, a complete one before others."""
    report = case.main_report
    if report is None:
        return None
    found = next((result for result in done if is_search(result)), None)
    names = names_in_source(found.output) if found else SourceNames()
    triggers = proposed_triggers(report, case.suspect, names)
    return next((each for each in triggers if each.is_complete), next(iter(triggers), None))
