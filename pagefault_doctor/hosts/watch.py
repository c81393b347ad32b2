"""Watch a running command: read its output, and end it when it must end."""

from __future__ import annotations

import os
import selectors
import signal
import threading
import time
from typing import Final, Protocol

from pagefault_doctor.hosts import process_group
from pagefault_doctor.hosts.capture import Capture
from pagefault_doctor.hosts.host import OnOutput
from pagefault_doctor.model.command import Command, ResultStatus

TICK: Final = 0.05
"""Longest time in seconds until a deadline, a cancel or the end of the process is noticed."""

SOON: Final = 0.001
"""The first pause in seconds; a short command must not wait a whole TICK."""

SHOW_EVERY: Final = 0.25
"""Seconds between two calls of `on_output`."""

DRAIN: Final = 0.5
"""Seconds to wait for output of a child that outlives its parent."""

STUCK: Final = 1.0
"""Seconds after SIGKILL until a process is given up: it is in uninterruptible sleep (state D)."""

CHUNK: Final = 1 << 16

LAST_CHUNKS: Final = 64
"""Chunks to read after the end: a pipe holds 64 KiB, or at most 1 MiB (pipe(7))."""


class GroupLeader(Protocol):
    """The leader of a process group."""

    @property
    def pid(self) -> int:
        """Its process id, which is also that of its group."""
        ...

    def is_alive(self) -> bool:
        """Return whether it still runs; reap it if not."""
        ...


class Watch:
    """One command while it runs. `output` and `errors` hold its output so far.

    `stuck` is set when a process of it did not end when it was killed.
    """

    def __init__(
        self,
        process: GroupLeader,
        run: process_group.ProcessGroup,
        command: Command,
        pipes: tuple[int, int],
        on_output: OnOutput | None,
        cancel: threading.Event | None,
        leaves: bool = False,
    ) -> None:
        self.output = Capture(command.output_limit)
        self.errors = Capture(command.output_limit)
        self.stuck = False
        self._process = process
        self._run = run
        self._deadline = time.monotonic() + command.timeout
        self._on_output = on_output
        self._cancel = cancel
        self._leaves = leaves
        self._shown_at = 0.0
        self._pause = SOON
        # Unlike epoll it takes no descriptor, for want of which a started command would be lost.
        self._selector = selectors.PollSelector()
        for pipe, capture in zip(pipes, (self.output, self.errors), strict=True):
            self._selector.register(pipe, selectors.EVENT_READ, capture)

    def follow(self) -> ResultStatus | None:
        """Read until the command ends; return why it was cut short, None if it was not.

        When this returns or raises, its processes are gone, also those that left its group.
        Exceptions are processes that even SIGKILL does not end, those that replaced their
        environment as well, and those of a command that `leaves` some and ended by itself.
        """
        by_itself = False
        try:
            verdict = None
            while verdict is None and self._process.is_alive():
                self._read()
                verdict = self._verdict()
            self._drain()
            # A cancel may arrive while the last output is read.
            by_itself = not (verdict or self._cancelled())
        finally:
            if not (self._leaves and by_itself):
                self._end()
            self._read_rest()
            self._selector.close()
        self._show(self.output.take_rest())
        self._show(self.errors.take_rest())
        if self._run.ended:
            return ResultStatus.CANCELLED
        return verdict or self._overflow()

    def _verdict(self) -> ResultStatus | None:
        if self._cancelled():
            return ResultStatus.CANCELLED
        if time.monotonic() >= self._deadline:
            return ResultStatus.TIMEOUT
        return self._overflow()

    def _overflow(self) -> ResultStatus | None:
        full = self.output.overflowed or self.errors.overflowed
        return ResultStatus.OVERFLOW if full else None

    def _cancelled(self) -> bool:
        return self._run.ended or (self._cancel is not None and self._cancel.is_set())

    def _read(self) -> None:
        """Wait a moment for output and keep it."""
        # With both pipes closed the process is about to end: check soon, then less and less often.
        self._pause = TICK if self._selector.get_map() else min(2 * self._pause, TICK)
        self._take(self._pause)
        if time.monotonic() - self._shown_at >= SHOW_EVERY:
            self._show(self.output.take_lines() + self.errors.take_lines())

    def _take(self, patience: float) -> bool:
        """Read what is ready, and return whether there was anything."""
        ready = self._selector.select(patience)
        for key, _ in ready:
            if chunk := os.read(key.fd, CHUNK):
                key.data.feed(chunk)
            else:
                self._selector.unregister(key.fd)
                self._pause = SOON
        return bool(ready)

    def _read_rest(self) -> None:
        """Read the rest, without waiting for more."""
        for _ in range(LAST_CHUNKS):
            if not self._take(0):
                return

    def _show(self, text: str) -> None:
        if text and self._on_output:
            self._on_output(text)
            self._shown_at = time.monotonic()

    def _drain(self) -> None:
        """Read what is left in the pipes, for a while: a background child may keep them open."""
        until = time.monotonic() + DRAIN
        while (
            self._selector.get_map()
            and time.monotonic() < until
            and not (self._process.is_alive() or self._cancelled() or self._overflow())
        ):
            self._read()

    def _end(self) -> None:
        """End all processes. Output after SIGTERM is still read: they cannot block on a pipe.

        SIGKILL is repeated, because a process may fork while the others are being found.
        """
        if self._gone():
            return
        self._run.send(signal.SIGTERM)
        if self._gone_within(process_group.GRACE):
            return
        until = time.monotonic() + STUCK
        while time.monotonic() < until:
            self._run.send(signal.SIGKILL)
            if self._gone_within(process_group.POLL):
                return
        self.stuck = True

    def _gone_within(self, patience: float) -> bool:
        until = time.monotonic() + patience
        while not self._gone():
            if time.monotonic() >= until:
                return False
            self._take(process_group.POLL)
        return True

    def _gone(self) -> bool:
        return not (self._process.is_alive() or self._run.alive)
