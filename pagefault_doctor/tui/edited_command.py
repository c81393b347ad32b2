"""What a command that the person edited may do."""

from __future__ import annotations

import shlex
from typing import Final

import msgspec

from pagefault_doctor.model.command import Command, Risk
from pagefault_doctor.model.errors import UsageError

RUNS_ANYTHING: Final = frozenset(
    {
        "bash",
        "busybox",
        "chroot",
        "crash",
        "dash",
        "doas",
        "env",
        "find",
        "gdb",
        "ksh",
        "nice",
        "nohup",
        "nsenter",
        "perl",
        "python",
        "python3",
        "runuser",
        "setsid",
        "sh",
        "ssh",
        "stdbuf",
        "su",
        "sudo",
        "systemd-run",
        "time",
        "timeout",
        "unshare",
        "xargs",
        "zsh",
    }
)
"""Programs whose arguments are again programs: after an edit they may do anything."""


def edited(command: Command, text: str) -> Command:
    """Return the command with the arguments in `text`, and the risk that goes with them.

    It keeps its risk where the program is the same and runs no other; else it is at least a
    `change`. Raises UsageError, in one line, where the text is no command.
    """
    try:
        argv = tuple(shlex.split(text))
    except ValueError as error:
        raise UsageError(f"not a command: {error}") from error
    if not argv:
        raise UsageError("not a command: it is empty")
    if argv == command.argv:
        return command
    same = argv[0] == command.argv[0] and argv[0].rsplit("/", 1)[-1] not in RUNS_ANYTHING
    risk = command.risk if same or command.risk.rank > Risk.CHANGE.rank else Risk.CHANGE
    return msgspec.structs.replace(command, argv=argv, risk=risk, edited=True)
