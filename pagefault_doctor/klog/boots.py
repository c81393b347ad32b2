"""Which boot a line belongs to.

A boot begins with the banner (`init/version.c`, linux_banner); journalctl marks it too. Where
neither was kept, the kernel's clock gives it away: it counts from the boot and never falls back.
"""

from __future__ import annotations

from typing import Final

import msgspec

from pagefault_doctor.klog.line import LogLine
from pagefault_doctor.model.pattern import regex

NEEDLES: Final = (b"Linux version ", b"-- Boot ", b"-- Reboot --")
_BANNER: Final = regex(r"^\s*Linux version (?P<release>\d+\.\d+\S*) ")
_MARK: Final = regex(r"^-- (?:Boot [0-9a-f]{32}|Reboot) --")

_FALL: Final = 0.5
_LEAST: Final = 30.0
"""Seconds that the clock must fall by; lines of several CPUs are out of order by far less."""


_FIRMWARE: Final = 200
"""Lines that firmware and boot loader may print on a serial console before the kernel begins."""


class Boot(msgspec.Struct, frozen=True):
    """One boot: the kernel's release where there was a banner, and the line it begins at."""

    release: str | None
    line: int


class Boots:
    """The boots seen so far, in the order of the log."""

    def __init__(self) -> None:
        self._seen: list[Boot] = []
        self._marked = False
        self._time = 0.0

    @property
    def current(self) -> int:
        """Index of the boot that lines read now belong to."""
        return max(0, len(self._seen) - 1)

    @property
    def count(self) -> int:
        """Number of boots so far."""
        return len(self._seen)

    @property
    def seen(self) -> tuple[Boot, ...]:
        """Every boot so far."""
        return tuple(self._seen)

    def see(self, line: LogLine) -> bool:
        """Whether the line begins a boot; where it does, take it in."""
        if line.boot:
            self._seen = self._seen or [Boot(None, 1)]
            self._begin(Boot(None, line.number), line)
            self._marked = True
        if _MARK.match(line.text):
            self._begin(Boot(None, line.number), line)
            self._marked = True
            return True
        match = _BANNER.match(line.text)
        if match is None or (line.timestamp or 0) > 60:
            self._tick(line)
            return False
        boot = Boot(match["release"], line.number)
        if self._marked:
            self._seen[-1] = boot
            self._marked = False
        else:
            self._begin(boot, line)
        return True

    def _tick(self, line: LogLine) -> None:
        """Take in the time of a line; one far below what was seen is that of another boot."""
        if line.timestamp is None:
            return
        if line.timestamp < self._time * _FALL and self._time - line.timestamp > _LEAST:
            self._begin(Boot(None, line.number), line)
        self._time = max(self._time, line.timestamp)

    def _begin(self, boot: Boot, line: LogLine) -> None:
        if not self._seen and (line.number > _FIRMWARE or self._time):
            self._seen.append(Boot(None, 1))
        self._time = 0.0
        self._seen.append(boot)
