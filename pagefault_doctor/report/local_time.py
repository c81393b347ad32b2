"""A time of the clock in words."""

from __future__ import annotations

import time
from typing import Final

UNKNOWN: Final = "at an unknown time"
"""For a time that no calendar has; a damaged session file may hold any number."""


def local_time(at: float, form: str) -> str:
    """Return seconds since the epoch as `strftime` writes them, in this machine's time zone."""
    try:
        return time.strftime(form, time.localtime(at))
    except (OverflowError, ValueError, OSError):
        return UNKNOWN
