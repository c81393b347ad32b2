"""The command that runs now as the screen sees it, and the messages that its worker posts."""

from __future__ import annotations

from typing import Final

import msgspec
from textual.message import Message

from pagefault_doctor.model.command import Command
from pagefault_doctor.model.log import KernelLog

TAIL: Final = 4
"""Lines of live output that are shown."""

LAB: Final = "lab: "
"""How a line begins that the lab prints about itself, before the command's own output."""

_MOST: Final = 4000
"""Characters of one piece of output that are looked at."""


class Running(msgspec.Struct, frozen=True):
    """The command that runs. `began` is by the wizard's clock; `tail` has its last lines."""

    command: Command
    began: float
    seconds: int = 0
    tail: tuple[str, ...] = ()
    cancelling: bool = False

    @property
    def is_preparing_lab(self) -> bool:
        """Whether the lab is still being made ready: the last line is the lab's own."""
        return bool(self.tail) and self.tail[-1].startswith(LAB)

    def with_output(self, text: str) -> Running:
        """Return it with more output."""
        lines = (*self.tail, *text[-_MOST:].rstrip("\n").splitlines())
        return msgspec.structs.replace(self, tail=lines[-TAIL:])

    def at(self, now: float) -> Running:
        """Return it with the whole seconds it has run."""
        return msgspec.structs.replace(self, seconds=max(int(now - self.began), 0))

    def cancelled(self) -> Running:
        """Return it as being cancelled."""
        return msgspec.structs.replace(self, cancelling=True)


class CommandPrinted(Message):
    """The running command printed something."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text


class CommandEnded(Message):
    """The running command came to its end.

    `problem` is set when pfdoctor itself failed, `lost` when the host is out of reach.
    """

    def __init__(self, problem: str = "", lost: bool = False) -> None:
        super().__init__()
        self.problem = problem
        self.lost = lost


class LogParsed(Message):
    """A pasted log was read; `problem` is set instead of `log` when that failed."""

    def __init__(self, log: KernelLog | None, problem: str = "") -> None:
        super().__init__()
        self.log = log
        self.problem = problem
