"""What every host can do: run a command and give back its result."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Protocol

from pagefault_doctor.model.command import Command, Result

OnOutput = Callable[[str], None]
"""Called from another thread with harmless text, one or more whole lines, as a command prints."""


class Host(Protocol):
    """Where commands run: this machine, another one, a recording or the lab's guest.

    `name` is for people. `live` is false where nothing really runs, so that nothing can be harmed.
    """

    name: str
    live: bool

    def run(
        self,
        command: Command,
        on_output: OnOutput | None = None,
        cancel: threading.Event | None = None,
    ) -> Result:
        """Run a command to its end and return its result; never raises for what the command does.

        A set `cancel` ends the command and all its children.
        """
        ...

    def knows(self, tool: str) -> bool:
        """Return whether commands of a tool can be answered at all; only a recording may say no."""
        return True

    def on_terminal(self, command: Command) -> Command:
        """Return the command to start on our own terminal, so that this one runs on the host.

        That is the command itself, unless the host says otherwise: what is edited lies here.
        """
        return command

    def run_asking(self, command: Command) -> Result:
        """Run a command that asks the person on our terminal, and return what else it says.

        The terminal must have been handed over. Where nothing really runs, nobody is asked.
        """
        return self.run(command)
