"""What the agent of a guest answers, where the guest dies in the middle of it."""

from __future__ import annotations

import socket
import threading
from typing import cast

from pagefault_doctor.lab.guest import GuestHost
from pagefault_doctor.lab.vm import VirtualMachine
from pagefault_doctor.model.command import Command


class DyingMachine:
    """A machine whose agent begins an answer and panics."""

    has_state = False

    def __init__(self) -> None:
        self.agent, self._guest = socket.socketpair()
        self.panicked = threading.Event()

    def start(self) -> None:
        """Answer the first request in part."""
        self._guest.sendall(b"ready\n")
        threading.Thread(target=self._answer).start()

    def _answer(self) -> None:
        self._guest.recv(65536)
        self._guest.sendall(b"done 1 0\naGFsZgo=\n")
        self.panicked.set()

    def end(self, _timeout: float = 0.0) -> str:
        """Return why it ended."""
        return "The kernel panicked." if self.panicked.is_set() else ""

    def console(self) -> str:
        """Return nothing: the kernel says nothing here."""
        return ""

    def close(self) -> None:
        """Close both ends."""
        self.agent.close()
        self._guest.close()


def test_a_guest_that_dies_while_it_answers_is_not_waited_for() -> None:
    machine = DyingMachine()
    with GuestHost(cast(VirtualMachine, machine)) as guest:
        result = guest.run(Command(argv=("modprobe", "x"), tool="lab", timeout=600))
    assert result.output == "half\n"
    assert result.seconds < 30
