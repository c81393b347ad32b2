"""A sentence of the account, with the line or the command that it rests on."""

from __future__ import annotations

from pagefault_doctor.model.diagnosis import Evidence
from pagefault_doctor.model.fact import Fact
from pagefault_doctor.model.report import Report


def cited(text: str, report: Report, *fields: str) -> Evidence:
    """Return a sentence that was read from these fields of a report (see `Report.cited`)."""
    return Evidence(text, 0.0, report.line_of(*fields))


def by_command(text: str, fact: Fact) -> Evidence:
    """Return a sentence that a command of the walk showed."""
    return Evidence(text, 0.0, fact.source.line, fact.source.origin)
