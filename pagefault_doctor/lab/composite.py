"""A host made of two: most commands go to one, those of some tools to the other."""

from __future__ import annotations

import threading
from collections.abc import Callable

from pagefault_doctor.hosts.host import Host, OnOutput
from pagefault_doctor.model.command import Command, Result


class CompositeHost:
    """Sends each command to the host that `choose` names for it; its name is that of `main`."""

    def __init__(self, main: Host, choose: Callable[[Command], Host]) -> None:
        self.name = main.name
        self.live = main.live
        self._choose = choose

    def run(
        self,
        command: Command,
        on_output: OnOutput | None = None,
        cancel: threading.Event | None = None,
    ) -> Result:
        """Run the command where it belongs."""
        return self._choose(command).run(command, on_output, cancel)

    def on_terminal(self, command: Command) -> Command:
        """Return what runs the command on our terminal, where it belongs."""
        return self._choose(command).on_terminal(command)
