"""Reports made for the tests of the diagnosis."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from pagefault_doctor.diagnosis import diagnose
from pagefault_doctor.klog.line import LogLine
from pagefault_doctor.klog.messages import messages_of
from pagefault_doctor.klog.text import ReportText
from pagefault_doctor.model.diagnosis import Diagnosis
from pagefault_doctor.model.fact import Fact
from pagefault_doctor.model.log import KernelLog
from pagefault_doctor.model.report import Access, Fault, Frame, Kind, Line, Report, Span

MakeReport = Callable[..., Report]
MakeDiagnosis = Callable[..., Diagnosis]


def make_report(
    kind: Kind = Kind.PAGE_FAULT,
    *lines: str,
    address: str | None = None,
    access: Access | None = None,
    error_code: str | None = None,
    trace: tuple[str, ...] = (),
    **rest: Any,
) -> Report:
    """Return a report; `trace` has entries such as `kfree`, `f [mod]` and `? g`."""
    first = rest.pop("first_line", 1)
    excerpt = tuple(Line(first + i, text) for i, text in enumerate(lines or ("BUG: made up",)))
    made = Report(
        kind=kind,
        title=excerpt[0].text,
        arch=rest.pop("arch", "x86_64"),
        function=rest.pop("function", "do_something"),
        fault=Fault(address, access, "kernel", None, error_code),
        frames=tuple(map(make_frame, trace)),
        excerpt=excerpt,
        span=Span(first, first + len(excerpt) - 1),
        **rest,
    )
    return with_messages(made)


def with_messages(report: Report) -> Report:
    """Return the report with the messages of its text among its details, as klog reads them."""
    lines = [LogLine(line.number, line.text) for line in report.excerpt]
    details, cited = messages_of(ReportText(lines), report.span.last_line)
    return msgspec.structs.replace(
        report, details=details | report.details, cited=cited | report.cited
    )


def make_frame(text: str) -> Frame:
    """Return the frame that `f`, `f [mod]` or `? f [mod]` stands for."""
    name, _, module = text.removeprefix("? ").partition(" [")
    return Frame(name, module=module.rstrip("]") or None, reliable=not text.startswith("? "))


def diagnose_one(report: Report, facts: dict[str, Fact] | None = None) -> Diagnosis:
    """Return the diagnosis of a log with that report alone."""
    return diagnose((KernelLog(source="made", reports=(report,)),), facts or {}).verdict


@pytest.fixture
def report() -> MakeReport:
    """Give the maker of reports."""
    return make_report


@pytest.fixture
def diagnosis() -> MakeDiagnosis:
    """Give the diagnosis of a report made from the same arguments."""
    return lambda *args, **kwargs: diagnose_one(make_report(*args, **kwargs))
