"""What the wizard says about a log that was pasted."""

from __future__ import annotations

import msgspec

from pagefault_doctor.model.log import KernelLog
from pagefault_doctor.model.report import Kind, Report, Span
from pagefault_doctor.tui.screens.paste import found

WARNING = Report(kind=Kind.WARNING, title="WARNING in demo", timestamp=0.5, span=Span(1, 9))
OOPS = Report(kind=Kind.NULL_POINTER, title="BUG in faulty", timestamp=900.0, span=Span(90, 99))
LOG = KernelLog(source="paste", lines=99, reports=(WARNING, OOPS))


def test_the_main_report_is_named_not_the_first() -> None:
    assert found(LOG) == "Read 99 lines: 2 reports, the main one: BUG in faulty"


def test_a_single_report_is_named() -> None:
    log = msgspec.structs.replace(LOG, reports=(WARNING,))
    assert found(log) == "Read 99 lines: 1 report: WARNING in demo"


def test_a_log_without_a_report_is_told_with_its_note() -> None:
    log = msgspec.structs.replace(LOG, reports=(), note="cut")
    assert found(log) == "Read 99 lines: no fault in them. cut"
