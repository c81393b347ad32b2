"""This machine."""

from __future__ import annotations

import os
import threading

from pagefault_doctor.hosts import runner
from pagefault_doctor.hosts.host import Host, OnOutput
from pagefault_doctor.hosts.password_prompt import run_asking
from pagefault_doctor.model import untrusted
from pagefault_doctor.model.command import Command, Result


class LocalHost(Host):
    """The machine that pfdoctor runs on."""

    live = True

    def __init__(self) -> None:
        # A host name may hold any byte but NUL (uname(2)).
        self.name = untrusted.clean_line(os.uname().nodename)

    def run(
        self,
        command: Command,
        on_output: OnOutput | None = None,
        cancel: threading.Event | None = None,
    ) -> Result:
        """Run a command here, as `runner.run` does."""
        return runner.run(command, on_output, cancel)

    def run_asking(self, command: Command) -> Result:
        """Run a command here that asks on our terminal, as `password_prompt.run_asking` does."""
        return run_asking(command)
