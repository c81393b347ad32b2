"""The verdict on a whole input: which of its reports it is about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from pagefault_doctor.diagnosis import weights
from pagefault_doctor.diagnosis.log_circumstances import LogCircumstances
from pagefault_doctor.diagnosis.next_step import next_step
from pagefault_doctor.diagnosis.wording import NO_FAULT
from pagefault_doctor.model.diagnosis import (
    Attribution,
    Candidate,
    Diagnosis,
    Evidence,
    NextStep,
    Opinion,
    RootCause,
)
from pagefault_doctor.model.fact import Fact
from pagefault_doctor.model.log import THIS_BOOT, KernelLog, ModuleEvent
from pagefault_doctor.model.main_report import main_report

_REFUSED = {
    "symbol-version": "{} disagrees about the version of a symbol: it was built for another kernel",
    "version-magic": "{} was built for another kernel",
    "unknown-symbol": "{} needs a symbol that this kernel does not have",
    "duplicate-symbol": "{} exports a symbol that another module has already",
    "btf": "{} carries type information of another kernel",
}
"""Module events that mean that a module was not loaded, worst first."""

_NOTHING = Diagnosis(
    root_cause=RootCause.NONE,
    attribution=Attribution.NONE,
    module=None,
    confidence=weights.NOTHING,
    summary=NO_FAULT,
)
_NOTHING_IN_PART = msgspec.structs.replace(_NOTHING, confidence=weights.NOTHING_IN_PART)
"""Of the part of a log that somebody chose: they saw something wrong."""


def _begins_with_boot(log: KernelLog) -> bool:
    return any(log.booted) or log.source in THIS_BOOT


def _refused(events: Sequence[ModuleEvent]) -> Diagnosis | None:
    """Return the verdict on a log without faults in which a module was refused."""
    for what, text in _REFUSED.items():
        event = next((e for e in events if e.what == what), None)
        if event:
            return _mismatch(event, text.format(event.module))
    return None


def _mismatch(event: ModuleEvent, text: str) -> Diagnosis:
    evidence = Evidence(text, weights.WEIGHT["api.symbol-version"], event.line.number)
    cause, who = RootCause.API_MISMATCH, Attribution.MODULE
    return Diagnosis(
        root_cause=cause,
        attribution=who,
        module=event.module,
        confidence=0.9,
        summary=f"no fault, but a module was refused: {text}",
        candidates=(Candidate(cause, who, event.module, 0.9, (evidence,)),),
        next_step=NextStep(
            "identify-module",
            f"Compare what {event.module} was built for with the running kernel, then rebuild it.",
            ("modinfo", event.module),
        ),
    )


def diagnose(logs: tuple[KernelLog, ...], facts: Mapping[str, Fact]) -> Opinion:
    """Return what the logs and facts show together: a diagnosis of each report, and a verdict."""
    index = main_report(logs, facts)
    nothing = _NOTHING if any(map(_begins_with_boot, logs)) else _NOTHING_IN_PART
    events = [event for log in logs for event in log.module_events]
    if index is None:
        return Opinion((), _refused(events) or _with_next_step(nothing, logs, facts))
    each, reports = _each(logs, facts), [report for log in logs for report in log.reports]
    refused = _refused(events) if reports[index].is_words_alone else None
    return Opinion(each, refused, None) if refused else Opinion(each, each[index], index)


def _with_next_step(
    nothing: Diagnosis, logs: tuple[KernelLog, ...], facts: Mapping[str, Fact]
) -> Diagnosis:
    seen = LogCircumstances(logs, facts)
    failed = seen.failures
    if failed:
        nothing = msgspec.structs.replace(
            nothing, summary=f"no crash, but {failed.what}", facts=failed.quotes
        )
    return msgspec.structs.replace(nothing, next_step=next_step(seen))


def _each(logs: tuple[KernelLog, ...], facts: Mapping[str, Fact]) -> tuple[Diagnosis, ...]:
    # A walk begins without a report, and the first screen need not wait for all the rules.
    from pagefault_doctor.diagnosis.contexts import contexts
    from pagefault_doctor.diagnosis.ranking import diagnose_report

    return tuple(diagnose_report(context.report, context) for context in contexts(logs, facts))
