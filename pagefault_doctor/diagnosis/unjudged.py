"""What of a diagnosis could not be worked out, where a rule or another part of it failed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, ParamSpec, TypeVar

from pagefault_doctor.model.fence import fenced
from pagefault_doctor.model.untrusted import clean_line

P = ParamSpec("P")
T = TypeVar("T")
_LONGEST: Final = 120
"""Characters of a reason that are shown."""


class Unjudged:
    """The parts of one diagnosis that failed, each as a sentence in `notes`."""

    def __init__(self, *notes: str) -> None:
        self._notes = list(notes)

    def attempt(
        self, what: str, otherwise: T, work: Callable[P, T], *args: P.args, **options: P.kwargs
    ) -> T:
        """Return the result of the work; where it fails, `otherwise`, and note `what` failed."""

        def failed(error: Exception) -> T:
            reason = clean_line(f"{type(error).__name__}: {error}")[:_LONGEST]
            self._notes.append(f"{what} could not be worked out ({reason})")
            return otherwise

        return fenced(failed, work, *args, **options)

    @property
    def notes(self) -> tuple[str, ...]:
        """The sentences, each once."""
        return tuple(dict.fromkeys(self._notes))
