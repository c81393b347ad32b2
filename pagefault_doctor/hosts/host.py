"""The interface of every host: run a command and return its result."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Protocol, Self

from pagefault_doctor.model.command import Command, Result

OnOutput = Callable[[str], None]
"""Called from another thread with harmless text, one or more whole lines, as a command prints."""


class Closing(ABC):
    """What is closed at the end of its `with` block."""

    @abstractmethod
    def close(self) -> None:
        """End it and remove what it made."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()


class Host(Protocol):
    """Where commands run: this machine, another one, a recording or the lab's guest.

    `name` is for people. `live` is false where nothing really runs, as in a recording.
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
        """Return whether the host can answer a tool's commands; only a recording may not."""
        return True

    def on_terminal(self, command: Command) -> Command:
        """Return the command to start on our own terminal, so that this one runs on the host.

        By default that is the command itself: files to edit are on this machine.
        """
        return command

    def run_asking(self, command: Command) -> Result:
        """Run a command that asks the person on our terminal, and return its other output.

        The wizard must have released the terminal. Where nothing really runs, nobody is asked.
        """
        return self.run(command)
