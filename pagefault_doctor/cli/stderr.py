"""What goes to standard error: messages, and the progress line of long work. Stdout is for data."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Final, Self

from pagefault_doctor.model.untrusted import clean_line

_PATIENCE: Final = 2.0
"""Seconds after which the line shows itself."""
_EVERY: Final = 0.25
_WIDTH: Final = 78


class Progress:
    """Shows what is being done and how far it is, where standard error is a terminal.

    Leaving it takes the line away again.
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
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()

    def __call__(self, what: str, done: int, of: int, reports: int) -> None:
        """Take in how far it is, as `klog.input.unpack.Progress` says."""
        now = time.monotonic()
        if not self._on or now - self._begin < _PATIENCE or now - self._shown < _EVERY:
            return
        self._shown = now
        share = f" {100 * done // of} % of {_size(of)}" if of else f" {_size(done)}"
        found = f", {reports} possible reports" if what == "searching" else f", {reports} reports"
        said = f"{what} {self._name}:{share}{found if reports else ''}, Ctrl-C stops"
        if len(said) > _WIDTH:
            said = f"{what}:{share}{found if reports else ''}, Ctrl-C stops"
        sys.stderr.write(f"\r\x1b[Kpfdoctor: {said}"[: _WIDTH + 4])
        sys.stderr.flush()

    @contextlib.contextmanager
    def watching(self, what: str, size: Callable[[], int]) -> Iterator[None]:
        """Show meanwhile how many bytes another program has written."""
        over = threading.Event()

        def show() -> None:
            while not over.wait(_EVERY):
                self(what, size(), 0, 0)

        thread = threading.Thread(target=show, daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()


def _size(size: int) -> str:
    return f"{size / 1e6:.0f} MB" if size >= 1e6 else f"{size / 1e3:.0f} kB"


def say(text: str) -> None:
    """Print one line on standard error."""
    print(f"pfdoctor: {clean_line(text)}", file=sys.stderr, flush=True)


def why_no_terminal() -> str | None:
    """Return why the wizard cannot be shown here, or None when it can."""
    import os

    if not (sys.__stdin__ and sys.__stdin__.isatty()):
        return "standard input is no terminal"
    if not (sys.__stderr__ and sys.__stderr__.isatty()):
        return "standard error is no terminal"
    if os.environ.get("TERM", "") == "dumb":
        return "TERM=dumb cannot show it"
    return None
