"""The lines of a report that could not be read.

A reader that stumbles over a line is asked again without it, so that one damaged line costs no more
than what it says.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

from pagefault_doctor.klog.line import LogLine
from pagefault_doctor.klog.text import ReportText
from pagefault_doctor.model.fence import fenced
from pagefault_doctor.model.report import Line

T = TypeVar("T")
_MOST: Final = 4
"""Lines that one reader may stumble over; then its part of the report is left out."""


class UnreadLines:
    """The lines that the readers of one report could not read."""

    def __init__(self, headline: LogLine) -> None:
        self._headline = headline
        self._found: dict[int, LogLine] = {}

    def read(self, body: ReportText, otherwise: T, reader: Callable[[ReportText], T]) -> T:
        """Return what the reader finds in the lines, `otherwise` where it finds no way through.

        A line that it cannot read is kept as such, and it reads the others.
        """
        for _ in range(_MOST):
            found = fenced(self.add, reader, body)
            if not isinstance(found, LogLine):
                return found
            left = [line for line in body.lines if line is not found]
            if len(left) == len(body.lines):
                break
            body = ReportText(left)
        return otherwise

    def add(self, error: Exception) -> LogLine:
        """Keep the line over which a reader stumbled, and return it."""
        line = _line_of(error) or self._headline
        self._found[line.number] = line
        return line

    @property
    def lines(self) -> tuple[Line, ...]:
        """The lines, in order. The headline stands for a line that is not known."""
        return tuple(Line(n, line.text) for n, line in sorted(self._found.items()))


def _line_of(error: Exception) -> LogLine | None:
    """Return the line that a reader had in its hands: its variable `line`, or its caller's."""
    found = None
    trace = error.__traceback__
    while trace:
        line = trace.tb_frame.f_locals.get("line")
        found = line if isinstance(line, LogLine) else found
        trace = trace.tb_next
    return found
