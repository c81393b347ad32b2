"""A deadline that passes when a test says so, however long the machine takes to get there."""

from __future__ import annotations

import time

import pytest

from pagefault_doctor.hosts import watch

FAR = 600.0
"""Seconds until the deadline of a command, which no test waits for."""


class Deadline:
    """Replaces the clock of the loop that watches commands."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._ahead = 0.0
        monkeypatch.setattr(watch, "time", self)

    def monotonic(self) -> float:
        """Return the time, as the loop sees it."""
        return time.monotonic() + self._ahead

    def comes(self, *_: object) -> None:
        """Let the deadline pass; may be given as the listener to a command's output."""
        self._ahead = FAR
