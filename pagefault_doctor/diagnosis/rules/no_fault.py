"""No fault at all: a crash that was asked for, or a plain reboot."""

from __future__ import annotations

from collections.abc import Iterator

from pagefault_doctor.diagnosis.context import Context
from pagefault_doctor.model.diagnosis import Evidence
from pagefault_doctor.model.report import Kind, Report


def weigh(report: Report, context: Context) -> Iterator[Evidence]:
    """Weigh whether there is no fault to find."""
    if "sysrq_crash" in report.details or (report.function or "") == "sysrq_handle_crash":
        text = "the crash was asked for through sysrq"
        yield context.evidence("none.sysrq", text, "sysrq_crash", "headline")
    elif report.is_words_alone:
        text = "a line with the word WARNING, without a place in the source and without a stack"
        yield context.evidence("none.words", text, "headline")
    elif report.kind is Kind.REBOOT:
        yield context.evidence("none.reboot", "the machine booted again; no fault is in the log")
