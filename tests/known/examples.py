"""What the book of known cases says of a text."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import yaml

from pagefault_doctor import klog
from pagefault_doctor.diagnosis import diagnose
from pagefault_doctor.diagnosis.explanation import with_explanations
from pagefault_doctor.diagnosis.known import KnownIndex
from pagefault_doctor.model.known_entry import Entry


def examples() -> dict[str, dict[str, str]]:
    """Return for each entry of the bundled book a text that it `fits`, and one it does not."""
    found: dict[str, dict[str, str]] = {}
    for path in sorted(Path(__file__).parent.glob("*.yaml")):
        found |= yaml.safe_load(path.read_text("utf-8"))
    return found


def ids(text: str, entries: Iterable[Entry]) -> list[str]:
    """Return the ids of the entries that fit a report or a line of the text."""
    log = klog.read(text.encode(), "test.log")
    opinion = with_explanations(diagnose((log,), {}), (log,), {})
    index = KnownIndex(entries)
    if not log.reports:
        return [line.case.id for line in index.lines(log)]
    pairs = zip(log.reports, opinion.by_report, strict=True)
    return [case.id for report, each in pairs for case in index.cases(report, each)]
