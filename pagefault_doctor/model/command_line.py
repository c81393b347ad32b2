"""Command lines that a person types, such as a trigger, as argument lists."""

from __future__ import annotations

import shlex
from typing import Final

from pagefault_doctor.model.pattern import regex

_QUOTED: Final = regex(r"""'[^']*'|"(?:[^"\\]|\\.)*"|\\.""")
_SHELL_SIGNS: Final = frozenset("|&;<>$`*?")


def argv_of(line: str) -> tuple[str, ...]:
    """Return a command line as an argument list, that of `sh -c` where it needs a shell.

    It does where a sign of a shell (such as > or |) stands outside quotes. Empty for a blank line.
    Raises ValueError if its quotes do not match.
    """
    argv = tuple(shlex.split(line))
    if _SHELL_SIGNS.isdisjoint(_QUOTED.sub("", line)):
        return argv
    return ("sh", "-c", line.strip())
