"""The command that runs now, as the screen sees it."""

from __future__ import annotations

from typing import Final

import msgspec

from pagefault_doctor.model.command import Command

TAIL: Final = 4
"""Lines of live output that are shown."""

LAB: Final = "lab: "
"""How a line begins that the lab says of itself, before it comes to the command."""

_MOST: Final = 4000
"""Characters of one piece of output that are looked at."""


class Running(msgspec.Struct, frozen=True):
    """A command under way. `began` is by the wizard's clock; `tail` are the last lines it said."""

    command: Command
    began: float
    seconds: int = 0
    tail: tuple[str, ...] = ()
    cancelling: bool = False

    @property
    def of_the_lab(self) -> bool:
        """Whether it waits for the lab, which told of itself last."""
        return bool(self.tail) and self.tail[-1].startswith(LAB)

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
