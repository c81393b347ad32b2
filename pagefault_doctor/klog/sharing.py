"""Keeps reports that share lines from growing with the square of their number.

The stacks that CPUs print when they are asked belong to each report that asked, and a report
without a list of modules has that of the next: a few kilobytes can be a part of hundreds of
reports.
"""

from __future__ import annotations

from typing import Final

import msgspec

from pagefault_doctor.model.report import Report

_TIMES: Final = 8
_AT_LEAST: Final = 2 << 20
"""Bytes that frames and modules may take in JSON: so many times the log, and for a small one."""
_FRAME: Final = 180
_MODULE: Final = 14
"""Bytes of a frame, and of a module besides its name, in indented JSON."""
_KEPT: Final = 16


class Room:
    """What the frames and modules of a log's reports may still take; `cut` reports had none."""

    def __init__(self, size: int) -> None:
        self._left = _TIMES * size + _AT_LEAST
        self.cut = 0

    def kept(self, report: Report) -> Report:
        """Return the report, only with the beginning of its lists where they take too much."""
        needed = len(report.frames) * _FRAME
        needed += sum(len(module.name) + _MODULE for module in report.modules)
        if needed <= self._left:
            self._left -= needed
            return report
        self.cut += 1
        return msgspec.structs.replace(
            report,
            frames=report.frames[:_KEPT],
            modules=report.modules[:_KEPT],
            excerpt=report.excerpt[:_KEPT],
        )

    @property
    def note(self) -> str | None:
        """What was cut, for a person; None if nothing was."""
        if not self.cut:
            return None
        return (
            f"of {self.cut} reports only {_KEPT} frames, modules and lines are told: they share"
            " theirs with the reports before them"
        )
