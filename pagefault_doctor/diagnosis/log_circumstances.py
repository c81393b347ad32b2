"""The situation of logs without a report, for `playbooks/next-steps.yaml`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from pagefault_doctor.diagnosis.failed_lines import failures
from pagefault_doctor.model.fact import Fact
from pagefault_doctor.model.log import THIS_BOOT, KernelLog

_SHORT: Final = 60
"""Lines of a log that is a piece rather than one of a whole boot."""


class LogCircumstances:
    """What is known of logs that have no report; the names are those of `model/situation.py`."""

    cause: Final = "none"
    who: Final = "none"

    def __init__(self, logs: Sequence[KernelLog], facts: Mapping[str, Fact]) -> None:
        self.place = "box" if facts else "file"
        self.whole = any(any(log.booted) or log.source in THIS_BOOT for log in logs)
        lines = sum(log.lines for log in logs)
        self.empty, self.short = lines == 0, lines < _SHORT
        self.unread = any(log.unread for log in logs)
        self.failures = failures(logs)
        quotes = self.failures.quotes if self.failures else ()
        self.failed = "\n".join(quote.text for quote in quotes)

    def walk_fact(self, name: str) -> Fact | None:
        """Return None: a walk's facts are about a report."""

    def named(self, name: str) -> str | None:
        """Return None: what a sentence can name is of a report."""
