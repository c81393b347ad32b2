"""Textual's driver for a terminal that may send anything, take nothing, or be gone."""

from __future__ import annotations

import contextlib
import os
import select
import selectors
import signal
import sys
import threading
import time
from collections.abc import Iterable
from io import TextIOWrapper
from typing import Any, Final, TextIO, cast

from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message

from pagefault_doctor.tui.terminal_input import TerminalInput

_TICK: Final = 0.1
"""Seconds until a pause in the input or the end of the driver is noticed."""

_CHUNK: Final = 4096

_USUAL: Final = (80, 24)
"""Columns and lines of a terminal that does not know its size, as on a serial line."""

_LARGEST: Final = (1000, 500)
"""Columns and lines that are drawn at most: a terminal may claim to have billions of cells."""


class WizardDriver(LinuxDriver):
    """Replaces of `LinuxDriver` what reads the terminal, and where its output thread writes."""

    def _sigcont_application(self, *_: object) -> None:
        """Set the terminal up again, unless a signal that ends us came with this one.

        That one's handler runs first, and takes SIGCONT away from us.
        """
        with contextlib.suppress(RuntimeError):  # The loop has ended, and the wizard with it.
            self._loop.call_soon_threadsafe(self._continue)

    def _continue(self) -> None:
        if signal.getsignal(signal.SIGCONT) != signal.SIG_DFL:
            super()._sigcont_application()

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **{**options, "size": self._get_terminal_size()})
        # `WriterThread` ends with the first error, and the wizard then waits for it for ever.
        assert sys.__stderr__ is not None
        self._file = cast(TextIOWrapper, _Output(sys.__stderr__))

    def _get_terminal_size(self) -> tuple[int, int]:
        # That of Textual asks standard output, which may be a file, and believes any number.
        try:
            columns, lines = os.get_terminal_size(0)
        except OSError:
            columns, lines = 0, 0
        return min(columns or _USUAL[0], _LARGEST[0]), min(lines or _USUAL[1], _LARGEST[1])

    def resume_application_mode(self) -> None:
        """Set the terminal up again, also after a SIGSTOP, for which nothing was taken down.

        Otherwise a second thread would read keys, and the settings of now count as the first ones.
        """
        if self._key_thread is not None and self._key_thread.is_alive():
            self.suspend_application_mode()
        super().resume_application_mode()

    def run_input_thread(self) -> None:
        """Read the terminal until the driver ends; where the terminal is gone, hang up.

        In place of the loop of `LinuxDriver`, which ends with a byte that is not UTF-8 and with
        whatever `XTermParser` raises, and which spins where the terminal is gone.
        """
        try:
            self._read_terminal()
        except Exception as error:
            # In the app, where it is handled like any other mistake of ours.
            self._app.call_later(_raise, error)

    def _read_terminal(self) -> None:
        terminal = TerminalInput()
        came = time.monotonic()
        with selectors.SelectSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            while not self.exit_event.is_set():
                messages: Iterable[Message] = ()
                if not selector.select(_TICK):
                    messages = terminal.pause(time.monotonic() - came)
                elif (data := _read(self.fileno)) is not None:
                    messages = terminal.feed(data)
                    came = time.monotonic()
                else:
                    _hang_up()
                    return
                if self._process(messages):
                    self._wait_for_app()

    def _process(self, messages: Iterable[Message]) -> int:
        count = 0
        for message in messages:
            self.process_message(message)
            count += 1
        return count

    def _wait_for_app(self) -> None:
        """Wait until the app has taken what was sent to it, so that a flood waits in the kernel."""
        taken = threading.Event()
        if self._app.call_later(taken.set):
            while not (taken.wait(_TICK) or self.exit_event.is_set()):
                pass


class _Output:
    """A file that passes text on to a terminal, waits where it takes none, and ends with none."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._gone = False

    def write(self, text: str) -> None:
        """Write all of the text; where the terminal is gone, hang up and write nothing."""
        data = text.encode(self._file.encoding, "backslashreplace")
        while data and not self._gone:
            try:
                data = data[os.write(self.fileno(), data) :]
            except BlockingIOError:
                # Another program has set this for all that share the terminal.
                select.select([], [self.fileno()], [], _TICK)
            except OSError:
                self._gone = True
                _hang_up()

    def flush(self) -> None:
        """Do nothing: all is written."""

    def fileno(self) -> int:
        """Return the descriptor of the terminal."""
        return self._file.fileno()


def _read(descriptor: int) -> bytes | None:
    """Return what came; None where the terminal is gone, no bytes where another took them."""
    try:
        return os.read(descriptor, _CHUNK) or None
    except BlockingIOError:
        return b""
    except OSError:
        return None


def _hang_up() -> None:
    """Do what the kernel does where the terminal is the controlling one."""
    os.kill(os.getpid(), signal.SIGHUP)


def _raise(error: Exception) -> None:
    raise error
