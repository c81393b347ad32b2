"""The QEMU Machine Protocol over a Unix socket, and what its events mean for the guest.

The client is the package `qemu.qmp`, which uses asyncio: its loop runs in a thread, so that events
are received at any time. It is imported when a guest starts, not before.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
import weakref
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, Final

from pagefault_doctor.model.errors import PfDoctorError

Event = tuple[str, str]
"""The name of an event and its reason, which may be empty."""

PANICKED: Final[Event] = ("GUEST_PANICKED", "")
"""The event when the guest's kernel reports a panic through pvpanic."""

ENDS: Final[dict[Event, str]] = {
    PANICKED: "The guest's kernel has panicked.",
    ("SHUTDOWN", "guest-reset"): "The guest has gone: it rebooted.",
    ("SHUTDOWN", "guest-shutdown"): "The guest has gone: it was shut down from inside.",
    ("SHUTDOWN", "host-qmp-quit"): "The guest has gone: it was ended.",
    ("SHUTDOWN", "host-signal"): "The guest has gone: its QEMU was killed.",
    ("RESET", "guest-reset"): "The guest has gone: it rebooted.",
}
"""Events that end a guest, with their meaning (`qapi/run-state.json` of QEMU)."""

ENDED: Final = "ended"
"""Appears beside QEMU's sockets when it has ended by itself (`run_qemu.sh`)."""

_REMEDY: Final = "try again, or install QEMU again"

_PAUSES: Final = {"STOP": True, "RESUME": False}


class Qmp:
    """A connection to a QEMU process, ready for commands."""

    def __init__(self, path: Path) -> None:
        """Connect to the Unix socket once it is there. Raises PfDoctorError if nothing answers."""
        import asyncio

        from qemu.qmp import QMPClient

        self._client = QMPClient()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._stop = weakref.finalize(self, self._loop.call_soon_threadsafe, self._loop.stop)
        self._thread.start()
        # QEMU makes its sockets one after another, so this one may come later than another.
        self._finish(self._client.connect(connect(path, 10)), 10, "does not answer")

    def execute(self, command: str, timeout: float = 10, **arguments: Any) -> Any:
        """Run a QMP command and return its answer. Raises PfDoctorError if QEMU refuses it."""
        return self._finish(self._client.execute(command, arguments), timeout, f"refused {command}")

    def events(self) -> tuple[Event, ...]:
        """Return the events received so far, oldest first."""
        history = self._client.events.history
        return tuple((str(event["event"]), _reason(event.get("data"))) for event in history)

    def close(self) -> None:
        """Close the connection; QEMU keeps running."""
        if self._stop.alive:
            with contextlib.suppress(PfDoctorError):  # It may have ended before.
                self._finish(self._client.disconnect(), 5, "has ended")
            self._stop()
            self._thread.join()
            self._loop.close()

    def _finish(self, work: Coroutine[Any, Any, Any], timeout: float, failed: str) -> Any:
        """Run a coroutine in the loop and return its result."""
        import asyncio

        from qemu.qmp import ExecuteError

        if not self._stop.alive:
            work.close()
            raise PfDoctorError("QEMU has ended")
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result(timeout)
        except TimeoutError as error:
            future.cancel()
            raise PfDoctorError(f"QEMU does not answer within {timeout:.0f} s", _REMEDY) from error
        # What is no QMP ends the client by any exception, such as RecursionError or ValueError.
        except Exception as error:
            reason = next(iter(str(error).splitlines()), type(error).__name__)
            remedy = "" if isinstance(error, ExecuteError) else _REMEDY
            raise PfDoctorError(f"QEMU {failed}: {reason}", remedy) from error


def end_of(events: tuple[Event, ...]) -> str:
    """Return why a guest with these events has ended; empty if it still runs.

    The first event counts: a guest that panicked is later shut down or reset.
    """
    return next((ENDS[event] for event in events if event in ENDS), "")


def paused(events: tuple[Event, ...]) -> bool:
    """Return whether a guest with these events is stopped, by a debugger or by QEMU."""
    return next((_PAUSES[name] for name, _ in reversed(events) if name in _PAUSES), False)


def _reason(data: Any) -> str:
    return str(data.get("reason", "")) if isinstance(data, dict) else ""


def connect(path: Path, timeout: float) -> socket.socket:
    """Return a connection to a Unix socket, once it appears.

    Raises PfDoctorError after `timeout` seconds, or once QEMU has ended.
    """
    until = time.monotonic() + timeout
    while True:
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.connect(str(path))
        except OSError as error:
            connection.close()
            if path.with_name(ENDED).exists():
                raise PfDoctorError("QEMU ended at once", _REMEDY) from error
            if time.monotonic() > until:
                problem = f"QEMU did not start within {timeout:.0f} s: {error.strerror}"
                raise PfDoctorError(problem, _REMEDY) from error
            time.sleep(0.02)
        else:
            return connection
