"""Whether a host said no to a command."""

from __future__ import annotations

import re
from typing import Final

from pagefault_doctor.model.command import Result, ResultStatus
from pagefault_doctor.model.pattern import regex

_REFUSED = regex(
    r"operation not permitted|permission denied|read kernel buffer failed"
    r"|access denied|insufficient permissions"
    r"|password is required|incorrect password|not in the sudoers file|may not run sudo"
    r"|not allowed to execute",
    re.IGNORECASE,
)

NO_ANSWER: Final = {
    ResultStatus.MISSING: "not installed",
    ResultStatus.REFUSED: "could not be started",
    ResultStatus.TIMEOUT: "did not answer in time",
    ResultStatus.CANCELLED: "was cancelled",
    ResultStatus.LOST: "the connection was lost",
}
"""How a command can end without having answered, in words."""


def is_refused(result: Result) -> bool:
    """Return whether a program ran and got nothing, because it was not permitted.

    Ctrl-C instead of a password is such a no as well.
    """
    if result.status in NO_ANSWER or result.said_anything:
        return False
    unasked = result.command.asks and not result.ok and not result.errors.strip()
    return unasked or _REFUSED.search(result.errors) is not None
