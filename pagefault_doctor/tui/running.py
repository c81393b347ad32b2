"""The command that runs now, as the screen sees it."""

from __future__ import annotations

from typing import Final

import msgspec

from pagefault_doctor.model.command import Command

TAIL: Final = 4
"""Lines of live output that are shown."""

_MOST: Final = 4000
"""Characters of one piece of output that are looked at."""


class Running(msgspec.Struct, frozen=True):
    """A command under way. `began` is by the wizard's clock; `tail` are the last lines it said."""

    command: Command
    began: float
    seconds: int = 0
    tail: tuple[str, ...] = ()
    cancelling: bool = False

    def with_output(self, text: str) -> Running:
        """Return it after it said something more."""
        lines = (*self.tail, *text[-_MOST:].rstrip("\n").splitlines())
        return msgspec.structs.replace(self, tail=lines[-TAIL:])

    def at(self, now: float) -> Running:
        """Return it with the whole seconds it has run."""
        return msgspec.structs.replace(self, seconds=max(int(now - self.began), 0))

    def cancelled(self) -> Running:
        """Return it once it was told to end."""
        return msgspec.structs.replace(self, cancelling=True)
