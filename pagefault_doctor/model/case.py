"""The case: everything known so far, for a tool to plan by and for a diagnosis to weigh."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from pagefault_doctor.model.command import Result
from pagefault_doctor.model.fact import Fact, Finding
from pagefault_doctor.model.log import KernelLog
from pagefault_doctor.model.main_report import main_report
from pagefault_doctor.model.report import Report

T = TypeVar("T", str, int, float, bool)


class ToolReading(msgspec.Struct, frozen=True, kw_only=True):
    """What a tool read from one result. `log` is set by tools that read kernel logs."""

    facts: tuple[Fact, ...] = ()
    findings: tuple[Finding, ...] = ()
    log: KernelLog | None = None


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of the machine and its fault.

    `facts` holds the latest fact of each name. `logs` holds every kernel log that was read, in the
    order of reading. `results` holds the results of each tool in the current step.
    """

    facts: dict[str, Fact] = {}
    findings: tuple[Finding, ...] = ()
    logs: tuple[KernelLog, ...] = ()
    results: dict[str, tuple[Result, ...]] = {}

    def get(self, name: str, default: T) -> T:
        """Return the value of a fact, or the default where it is unknown or of another type."""
        fact = self.facts.get(name)
        # `type is`, not isinstance: a bool is an int in Python, and a count is not a yes.
        return fact.value if fact and type(fact.value) is type(default) else default

    def has(self, name: str) -> bool:
        """Whether a fact of that name is known."""
        return name in self.facts

    def done(self, tool: str) -> tuple[Result, ...]:
        """Return the results of a tool in the current step, in the order they came."""
        return self.results.get(tool, ())

    @property
    def reports(self) -> tuple[Report, ...]:
        """Every report of every log, in the order of reading."""
        return tuple(report for log in self.logs for report in log.reports)

    @property
    def main_report(self) -> Report | None:
        """The report the case is about (`model/main_report.py`), None where there is none."""
        index = main_report(self.logs, self.facts)
        return None if index is None else self.reports[index]

    @property
    def main_log(self) -> KernelLog | None:
        """The log that the main report was read from."""
        main = self.main_report
        return next((log for log in self.logs if any(r is main for r in log.reports)), None)

    @property
    def suspect(self) -> str | None:
        """Name of the module under suspicion, by the verdict or else by the person."""
        return self.get("suspect.module", "") or self.get("given.suspect", "") or None
