"""From evidence to ranked causes: log-odds are added up, then compared."""

from __future__ import annotations

from collections.abc import Iterator
from math import exp
from typing import Final

import msgspec

from pagefault_doctor.diagnosis import callbacks, history, object_caches, weights, wording
from pagefault_doctor.diagnosis.area import Area, area_of, caller_in, caller_of_helper
from pagefault_doctor.diagnosis.attribution import FIXED, attribute, decides
from pagefault_doctor.diagnosis.circumstances import Circumstances
from pagefault_doctor.diagnosis.confidence import confidence, signs
from pagefault_doctor.diagnosis.context import Context
from pagefault_doctor.diagnosis.culprit import Culprit
from pagefault_doctor.diagnosis.experiments import between_causes, for_hang, without_module
from pagefault_doctor.diagnosis.missing import to_bring
from pagefault_doctor.diagnosis.named_circumstances import NamedCircumstances
from pagefault_doctor.diagnosis.next_step import next_step
from pagefault_doctor.diagnosis.provenance import folder_of
from pagefault_doctor.diagnosis.rules import RULES, Rule
from pagefault_doctor.diagnosis.suspect import suspect_frame
from pagefault_doctor.diagnosis.unjudged import Unjudged
from pagefault_doctor.diagnosis.unloaded_module import is_of_nobody
from pagefault_doctor.model.diagnosis import (
    Attribution,
    Candidate,
    Diagnosis,
    Evidence,
    Experiment,
    NextStep,
    RootCause,
)
from pagefault_doctor.model.main_report import missing_first_fault, which_follows
from pagefault_doctor.model.report import Kind, Report

_CHECKERS: Final = (
    ("fix.cocci_cause", "coccinelle finds a pattern that brings it"),
    ("fix.analyser_cause", "gcc -fanalyzer warns of it"),
    ("fix.sparse_cause", "sparse warns of it"),
)


_UNKNOWN_BY_KIND: Final = {
    Kind.PANIC: "the kernel gave up: its last line says that, not why",
    Kind.INFO: "the kernel noted something unusual, and does not say what led to it",
}
_LEFT: Final = {
    Kind.USERCOPY: (RootCause.OUT_OF_BOUNDS, "the check of copies to and from programs failed"),
    Kind.STACK_CORRUPTED: (RootCause.OUT_OF_BOUNDS, "the check of a buffer on the stack failed"),
    Kind.STACK_GUARD: (RootCause.STACK_OVERFLOW, "the end of the stack was reached"),
    Kind.USER_ACCESS: (RootCause.USER_ACCESS, "memory of a program was used directly"),
}
"""What the kind of a report tells by itself, where no line of it is left that a rule reads."""
_UNWEIGHED: Final = {cause: f"what speaks for {name}" for cause, name in wording.NAMES.items()}


def checker_evidence(context: Context) -> dict[str, list[Evidence]]:
    """Return the evidence for each cause, by name, where the report is of the suspect's code."""
    found: dict[str, list[Evidence]] = {}
    suspect = context.fact("suspect.module")
    if suspect is None or context.report.module != suspect.value:
        return found
    for name, warning in _CHECKERS:
        if fact := context.fact(name):
            text = f"{warning}, at the line that faulted"
            evidence = context.fact_evidence("checker.pattern", text, fact)
            found.setdefault(str(fact.value), []).append(evidence)
    return found


_SHOWN = 6
"""Candidates worth showing; the rest is noise."""


def _consequence(report: Report, context: Context) -> Evidence | None:
    if not report.follows_fault:
        return None
    missing = missing_first_fault(report, context.others)
    text = missing or "an earlier fault of this boot may have caused this one"
    return Evidence(text, weights.CONSEQUENCE, report.line_of("process"))


def evidence_by_cause(
    report: Report, context: Context, unjudged: Unjudged | None = None
) -> tuple[dict[RootCause, tuple[Evidence, ...]], bool]:
    """Return the evidence of every cause that has any, and whether it is thin.

    A rule that fails is told to `unjudged`, and counts as one that found nothing.
    """
    attempt = (unjudged or Unjudged()).attempt
    consequence = _consequence(report, context)
    extra = (consequence,) if consequence else ()
    by_checkers = checker_evidence(context)
    found = []
    for cause, weigh in RULES:
        weighed = attempt(_UNWEIGHED[cause], (), _weighed, weigh, report, context)
        found.append((cause, (*weighed, *by_checkers.get(cause, ()))))
    thin = report.function is None and not report.registers
    return {c: (*ev, *extra) for c, ev in found if any(e.weight > 0 for e in ev)}, thin


def _weighed(weigh: Rule, report: Report, context: Context) -> tuple[Evidence, ...]:
    return tuple(weigh(report, context))


def _confidences(
    evidence: dict[RootCause, tuple[Evidence, ...]], unknown: float
) -> dict[RootCause, float]:
    """Return how likely each cause is; the rest to 1 is for causes that no rule covers."""
    scores = {
        cause: (weights.PRIOR.get(cause, 0.0) + sum(e.weight for e in found)) / weights.TEMPERATURE
        for cause, found in evidence.items()
    }
    total = exp(unknown / weights.TEMPERATURE) + sum(exp(score) for score in scores.values())
    return {c: min(exp(score) / total, weights.HIGHEST) for c, score in scores.items()}


def _candidate(
    report: Report,
    context: Context,
    cause: RootCause,
    confidence: float,
    evidence: tuple[Evidence, ...],
    culprit: Culprit,
) -> Candidate:
    is_held = cause is RootCause.OOM and decides(report, context, culprit)
    attribution = culprit.attribution if is_held else FIXED.get(cause, culprit.attribution)
    if cause is RootCause.API_MISMATCH:
        attribution = Attribution.MODULE
    module = culprit.module if attribution is Attribution.MODULE else None
    evidence = (*evidence, culprit.because) if is_held or cause not in FIXED else evidence
    doubted = culprit.share < 1 and cause not in (*FIXED, RootCause.API_MISMATCH)
    confidence *= culprit.share if doubted else 1
    return Candidate(cause, attribution, module, round(confidence, 3), evidence, doubted)


def _unknown(report: Report, context: Context, culprit: Culprit) -> Candidate:
    """Return the candidate for a report that no rule matches: what its kind tells, if anything."""
    text = _UNKNOWN_BY_KIND.get(report.kind, "nothing in the report points to a cause")
    cause, text = _LEFT.get(report.kind, (RootCause.UNKNOWN, text))
    known = cause is not RootCause.UNKNOWN
    reason = Evidence(text, weights.LEFT if known else 0.0, report.line_of("headline"))
    consequence = _consequence(report, context)
    evidence = (reason, *((consequence,) if consequence else ()), culprit.because)
    likely = 0.5 if known else 0.15
    return Candidate(cause, culprit.attribution, culprit.module, likely, evidence)


def candidates(report: Report, context: Context, unjudged: Unjudged) -> tuple[Candidate, ...]:
    """Return the possible causes of a report, the likeliest first; at least one."""
    reason = Evidence("whose code it is could not be worked out", 0.0, report.line_of("headline"))
    nobody = Culprit(Attribution.KERNEL, None, reason)
    culprit = unjudged.attempt("whose code it is", nobody, attribute, report, context)
    evidence, thin = evidence_by_cause(report, context, unjudged)
    confidences = _confidences(evidence, weights.UNKNOWN_THIN if thin else weights.UNKNOWN)
    ranked = sorted(confidences, key=lambda cause: -confidences[cause])[:_SHOWN]
    found = tuple(
        _candidate(report, context, c, confidences[c], evidence[c], culprit) for c in ranked
    )
    found = tuple(sorted(found, key=lambda candidate: -candidate.confidence))
    return found or (_unknown(report, context, culprit),)


def _is_beyond_experiments(first: Candidate, context: Context, seen: Circumstances) -> bool:
    """Whether none of the experiments would tell anything of the fault."""
    report = context.report
    return (
        # No check of allocations sees these.
        is_of_nobody(context)
        or seen.in_vmalloc
        # A device did not answer: a test of the memory tells nothing of it.
        or "external_abort" in report.details
        # The next step looks at the disk.
        or (first.root_cause is RootCause.LOCKUP_HANG and history.waits_for_disk(report))
        # No build of the module changes what a guest may do.
        or (context.is_privileged and "xen_pv" in report.details)
    )


def _experiment(
    report: Report, ranked: tuple[Candidate, ...], context: Context
) -> Experiment | None:
    """Return what to try: to tell two causes apart, else to see whose fault it is."""
    first = ranked[0]
    seen = Circumstances(first, context)
    if _is_beyond_experiments(first, context, seen):
        return None
    if found := between_causes(ranked):
        return found
    if history.waits_for_lock(report):
        return for_hang(first)
    # Without some modules the machine does not start, or cannot be reached.
    # Who loads a module by hand has only to leave that.
    is_needed = first.module == report.module or seen.vital or seen.loading
    return None if is_needed else without_module(first)


def diagnose_report(report: Report, context: Context) -> Diagnosis:
    """Return the diagnosis of one report. What of it cannot be worked out is in its notes."""
    unjudged = Unjudged()
    undone = _undone(report)
    found = unjudged.attempt("the cause", undone, _diagnosed, report, context, unjudged)
    return msgspec.structs.replace(found, notes=unjudged.notes) if unjudged.notes else found


def _undone(report: Report) -> Diagnosis:
    """Return the diagnosis where not even a guess can be made."""
    cause, who, text = RootCause.UNKNOWN, Attribution.KERNEL, "it could not be diagnosed"
    reason = Evidence(text, 0.0, report.line_of("headline"))
    return Diagnosis(cause, who, None, 0.0, text, (Candidate(cause, who, None, 0.0, (reason,)),))


def _calibrated(report: Report, ranked: tuple[Candidate, ...]) -> tuple[Candidate, ...]:
    """Return the candidates with the chance that each is the whole answer, in the same order."""
    first = ranked[0]
    sure = confidence(first.confidence, tuple(signs(report, first)))
    part = sure / max(first.confidence, sure)
    rest = (1 - sure) / max(1 - first.confidence, 1 - sure)
    scaled = [round(each.confidence * min(part, rest), 3) for each in ranked[1:]]
    numbers = (round(sure, 3), *scaled)
    return tuple(
        msgspec.structs.replace(each, confidence=number)
        for each, number in zip(ranked, numbers, strict=True)
    )


def _next_step(first: Candidate, context: Context) -> NextStep | None:
    return next_step(NamedCircumstances(first, context))


def _place(first: Candidate, context: Context, function: str | None, unjudged: Unjudged) -> str:
    """Return where the cause is, in words behind its name."""
    report = context.report
    if first.root_cause is RootCause.LOCKUP_HANG and history.waits_for_disk(report):
        return wording.WAITING_FOR_DISK
    foreign = None if first.module else callbacks.foreign_words(report, is_jump=context.is_jump)
    foreign = wording.GONE if is_of_nobody(context) else foreign
    area = None
    if first.attribution is Attribution.KERNEL:
        area = unjudged.attempt("the part of the kernel", None, area_of, context, function)
    place = wording.where(
        first.attribution,
        first.module,
        function,
        foreign=foreign,
        part=area.words if area else None,
        caller=caller_in(area) or caller_of_helper(context, function),
        is_hang=first.root_cause is RootCause.LOCKUP_HANG,
        is_found=first.root_cause in _FOUND and report.kind in _FINDING,
    )
    return place + _memory(first, area, report)


def _memory(first: Candidate, area: Area | None, report: Report) -> str:
    """Return whose memory the object is, where that is other code than the one that is named."""
    cache = object_caches.of_report(report)
    if cache is None or first.root_cause not in _FOUND:
        return ""
    folder = area.path if area else folder_of(first.module, report)
    return "" if cache.is_of(folder or "") else f", on memory of {cache.holds}"


_FOUND: Final = frozenset(
    {
        *(RootCause.PAGE_TABLE, RootCause.LIST_CORRUPTION, RootCause.OUT_OF_BOUNDS),
        *(RootCause.WILD_POINTER, RootCause.USE_AFTER_FREE, RootCause.DOUBLE_FREE),
    }
)
_FINDING: Final = frozenset(
    {
        *(Kind.BAD_PAGE, Kind.LIST_CORRUPTION, Kind.KERNEL_BUG, Kind.WARNING),
        *(Kind.PAGE_FAULT, Kind.GENERAL_PROTECTION, Kind.SLAB),
    }
)
"""Causes that damage memory, and reports of who only met that later: the kernel's own code."""


def _told(report: Report) -> Iterator[str]:
    """Yield what else of a report is told apart: a request for several pages in a row, a card."""
    if report.kind is Kind.INFO and report.details.get("order", "0") not in ("0", ""):
        yield "in_one_piece"
    if "NETDEV WATCHDOG" in report.details.get("said", ""):
        yield "netdev_watchdog"


def _name(first: Candidate, report: Report) -> str:
    """Return the cause in words, more exactly where the report's own details tell."""
    details = {*report.details, report.kind.value, *_told(report)}
    found = (
        words
        for cause, detail, words in wording.EXACT
        if cause is first.root_cause and detail in details
    )
    return next(found, wording.NAMES[first.root_cause])


def _diagnosed(report: Report, context: Context, unjudged: Unjudged) -> Diagnosis:
    causes = candidates(report, context, unjudged)
    ranked = _calibrated(report, causes)
    first = ranked[0]
    second = causes[1].root_cause if len(causes) > 1 and causes[1].confidence >= 0.1 else None
    function = suspect_frame(report, first.module).function
    place = _place(first, context, function, unjudged)
    return Diagnosis(
        root_cause=first.root_cause,
        attribution=first.attribution,
        module=first.module,
        confidence=first.confidence,
        summary=wording.following(
            wording.summary(
                first.root_cause, place, first.confidence, second, _name(first, report)
            ),
            which_follows(report, context.others),
        ),
        candidates=ranked,
        next_step=unjudged.attempt("the next step", None, _next_step, first, context),
        experiment=unjudged.attempt("what to try", None, _experiment, report, causes, context),
        missing=tuple(to_bring(context)),
    )
