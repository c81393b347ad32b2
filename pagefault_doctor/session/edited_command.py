"""What a command that the person edited may do, compared with the one that was planned."""

from __future__ import annotations

import shlex
from typing import Final

import msgspec

from pagefault_doctor.model.command import Command, Risk
from pagefault_doctor.model.errors import UsageError

ONLY_OBSERVE: Final = frozenset(
    {
        *("addr2line", "cat", "df", "diff", "free", "grep", "head", "id", "ls", "lsmod"),
        *("modinfo", "readelf", "stat", "tail", "uname", "wc"),
    }
)
"""Programs that change nothing, whatever their arguments are, unlike `dmesg -C` or `sed -i`."""

_SAME_HARM: Final = ("why", "undo", "timeout", "output_limit", "interactive", "edited", "risk")
"""Fields of a command in which it may differ from its plan and still do the same."""


def edited(command: Command, text: str) -> Command:
    """Return the command with the arguments in `text`, and the risk that goes with them.

    Raises UsageError, in one line, where the text is no command.
    """
    try:
        argv = tuple(shlex.split(text))
    except ValueError as error:
        raise UsageError(f"not a command: {error}") from error
    if not argv:
        raise UsageError("not a command: it is empty")
    if argv == command.argv:
        return command
    changed = msgspec.structs.replace(command, argv=argv, edited=True)
    return msgspec.structs.replace(changed, risk=needed_risk(changed, command))


def needed_risk(command: Command, planned: Command | None) -> Risk:
    """Return the least risk that a person must consent to before the command runs.

    That is the risk of the plan, or more where the command says so itself. Where it does something
    else than the plan, it is at least a `change`, unless only the words after the program differ
    and that program only observes.
    """
    if planned is None:
        return max(command.risk, Risk.CHANGE, key=_rank)
    said = max(command.risk, planned.risk, key=_rank)
    if _as_planned(command, planned):
        return said
    other_words = _as_planned(msgspec.structs.replace(command, argv=planned.argv), planned)
    program = command.argv[0] if command.argv else ""
    if other_words and planned.argv[:1] == (program,) and program in ONLY_OBSERVE:
        return said
    return max(said, Risk.CHANGE, key=_rank)


def _as_planned(command: Command, planned: Command) -> bool:
    """Return whether the command does the same as the one that was planned."""
    same = {field: getattr(planned, field) for field in _SAME_HARM}
    return msgspec.structs.replace(command, **same) == planned


def _rank(risk: Risk) -> int:
    return risk.rank
