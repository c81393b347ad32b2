"""What is wrong with a playbook file, and where."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from pagefault_doctor.model.errors import UsageError


class Problem(msgspec.Struct, frozen=True, order=True):
    """One mistake: its place (line and column count from 1), its field, and how to correct it.

    `path` is the field, such as `$.steps[0].suggest[1].go`, or `$` for the whole file.
    """

    line: int
    column: int
    path: str
    message: str


class PlaybookError(UsageError):
    """A playbook, the causes or a scenario cannot be used. `problems` has every mistake found."""

    def __init__(self, source: str, problems: tuple[Problem, ...]) -> None:
        first = problems[0]
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        super().__init__(f"{source}:{first.line}:{first.column}: {first.message}{more}")
        self.source = source
        self.problems = problems


def nearest(word: str, known: Iterable[str]) -> str:
    """Return a hint with the nearest known word, else a list of all."""
    # Only a mistake needs it.
    import difflib

    names = sorted(known)
    if close := difflib.get_close_matches(word, names, n=1):
        return f"did you mean `{close[0]}`?"
    return f"known are: {', '.join(names)}" if names else "none is known here"
