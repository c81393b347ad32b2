"""Messages and the progress line on standard error. Standard output is for data only."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Final, Self

from pagefault_doctor.cli.standard_streams import erase_line
from pagefault_doctor.model.untrusted import clean_line

_DELAY: Final = 2.0
"""Seconds before the progress line appears."""
_INTERVAL: Final = 0.25
_WIDTH: Final = 78


class Progress:
    """Shows what is running and how far it is, if standard error is a terminal.

    Leaving the context removes the line.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._on = sys.stderr.isatty()
        self._begin = time.monotonic()
        self._shown = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._shown:
            erase_line(sys.stderr)
            sys.stderr.flush()

    def __call__(self, what: str, done: int, of: int, reports: int) -> None:
        """Update the progress; a `klog.input.unpack.Progress`."""
        now = time.monotonic()
        if not self._on or now - self._begin < _DELAY or now - self._shown < _INTERVAL:
            return
        self._shown = now
        share = f" {100 * done // of} % of {_size(of)}" if of else f" {_size(done)}"
        found = f", {reports} possible reports" if what == "searching" else f", {reports} reports"
        line = f"{what} {self._name}:{share}{found if reports else ''}, Ctrl-C stops"
        if len(line) > _WIDTH:
            line = f"{what}:{share}{found if reports else ''}, Ctrl-C stops"
        _show_line(line)

    @contextlib.contextmanager
    def watching(self, what: str, size: Callable[[], int]) -> Iterator[None]:
        """Show the number of bytes that another program has written, until the context ends."""
        with self._repeating(lambda: self(what, size(), 0, 0)):
            yield

    @contextlib.contextmanager
    def waiting(self, what: str) -> Iterator[None]:
        """Show how long it takes already, of work that cannot tell how far it is."""

        def show() -> None:
            seconds = time.monotonic() - self._begin
            if seconds >= _DELAY:
                self._shown = self._begin + seconds
                _show_line(f"{what} {self._name}: {seconds:.0f} s, Ctrl-C stops")

        with self._repeating(show):
            yield

    @contextlib.contextmanager
    def _repeating(self, show: Callable[[], None]) -> Iterator[None]:
        if not self._on:
            yield
            return
        finished = threading.Event()

        def repeat() -> None:
            while not finished.wait(_INTERVAL):
                show()

        thread = threading.Thread(target=repeat, daemon=True)
        thread.start()
        try:
            yield
        finally:
            finished.set()
            thread.join()


def _show_line(line: str) -> None:
    erase_line(sys.stderr)
    sys.stderr.write(clean_line(f"pfdoctor: {line}")[:_WIDTH])
    sys.stderr.flush()


def _size(size: int) -> str:
    return f"{size / 1e6:.0f} MB" if size >= 1e6 else f"{size / 1e3:.0f} kB"


def print_message(text: str) -> None:
    """Print one line on standard error."""
    print(f"pfdoctor: {clean_line(text)}", file=sys.stderr, flush=True)


def terminal_obstacle() -> str | None:
    """Return why the wizard cannot run here, or None if it can."""
    import os

    if not (sys.__stdin__ and sys.__stdin__.isatty()):
        return "standard input is no terminal"
    if not (sys.__stderr__ and sys.__stderr__.isatty()):
        return "standard error is no terminal"
    if os.environ.get("TERM", "") == "dumb":
        return "TERM=dumb cannot show it"
    return None
