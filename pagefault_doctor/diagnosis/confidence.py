"""How sure a diagnosis is: the chance that its cause and who has to act are both right.

The rules say how likely the cause is among all causes. That is turned into the chance of the whole
answer by what the report lacks and by how its culprit was found, fitted on logs with known answers
(`bench/weights.py`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from math import exp, log
from typing import Final

from pagefault_doctor.diagnosis import machine_check
from pagefault_doctor.diagnosis.attribution import FIXED
from pagefault_doctor.diagnosis.missing import missing
from pagefault_doctor.diagnosis.reentry import entered_again
from pagefault_doctor.diagnosis.weights import (
    CONFIDENCE,
    HIGHEST,
    HIGHEST_UNNAMED,
    HIGHEST_WITHOUT_PLACE,
)
from pagefault_doctor.model.diagnosis import Attribution, Candidate, RootCause
from pagefault_doctor.model.pattern import regex
from pagefault_doctor.model.report import Kind, Report

WITHOUT_PLACE: Final = "who.without-place"
"""The key for a report with neither a function nor a trace."""
UNNAMED: Final = "who.unnamed"
"""The key for an error of the hardware that names no part, and for a hang without an owner."""
_CEILINGS: Final = {WITHOUT_PLACE: HIGHEST_WITHOUT_PLACE, UNNAMED: HIGHEST_UNNAMED}
_PARTS: Final = frozenset(
    {"bank", "label", "mc_status", "mc_unit", "memory_place", "pfn", "aer_device", "sense"}
    | {"ata_error", "sector", "dma_address", "error_type", "processor"}
)
"""Details that name the part: a bank, a module of memory, a device, a sector."""
_MEASURED: Final = regex(r"(?i)voltage|temperature|thermal|machine check|hardware error|mcck:|hpmc")
"""Headlines of sensors and of the processor's own checks."""
_HANGS: Final = (Kind.LOCKUP, Kind.STALL, Kind.HUNG_TASK)
_LEAST: Final = 0.02
"""No answer counts as less likely than this before it is judged as a whole."""


def signs(report: Report, first: Candidate) -> Iterator[str]:
    """Yield the keys of `CONFIDENCE` that apply to a report whose likeliest cause is `first`."""
    yield from (f"lacks.{part.name}" for part in missing(report))
    if report.function is None:
        yield "lacks.function"
    if _is_unnamed(report, first):
        yield UNNAMED
    if first.root_cause is RootCause.UNKNOWN:
        yield "cause.unknown"
    elif first.root_cause in FIXED:
        yield "who.by-cause"
    else:
        yield _who(report, first)


def _who(report: Report, first: Candidate) -> str:
    """Return how the one who has to act was found."""
    foreign = "O" in (report.tainted or ()) or bool(report.out_of_tree)
    if first.circumstantial:
        return "who.bystander"
    if report.function is None and "trace" not in report.cited and not first.module:
        return WITHOUT_PLACE
    if first.attribution is not Attribution.MODULE:
        return "who.kernel-among-foreign" if foreign else "who.kernel"
    return "who.module"


def _is_unnamed(report: Report, first: Candidate) -> bool:
    """Whether nothing in the text names the broken part, or who a hang waits for."""
    if first.root_cause is RootCause.HARDWARE and machine_check.of_guest(report):
        return True
    if first.root_cause is RootCause.HARDWARE:
        return _PARTS.isdisjoint(report.details) and not _MEASURED.search(report.message)
    if first.root_cause is not RootCause.LOCKUP_HANG or report.kind not in _HANGS:
        return False
    is_known = first.module is not None or "owner" in report.details
    return not is_known and entered_again(report) is None


def highest(keys: Collection[str]) -> float:
    """Return the highest confidence that these keys allow, however likely the cause is."""
    return min((_CEILINGS[key] for key in keys if key in _CEILINGS), default=HIGHEST)


def confidence(likely: float, keys: Collection[str]) -> float:
    """Return the chance that an answer is right, of a cause that is `likely` among all causes."""
    likely = min(max(likely, _LEAST), HIGHEST)
    odds = (
        log(likely / (1 - likely))
        + CONFIDENCE["base"]
        + sum(CONFIDENCE.get(key, 0) for key in keys)
    )
    return min(1 / (1 + exp(-odds)), highest(keys))
