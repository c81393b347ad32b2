"""Every log whose cause is known, as the paste a person would make of it."""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from crashes.corpus import cases, kernels
from pagefault_doctor import klog
from pagefault_doctor.diagnosis import diagnose
from pagefault_doctor.model.diagnosis import RootCause
from pagefault_doctor.model.main_report import main_report
from pagefault_doctor.playbook import shelf

SURE: Final = 0.9
_MOST: Final = 200
"""Lines of a paste."""
_BEFORE: Final = 3
_AFTER: Final = 3


class Answer(msgspec.Struct, frozen=True):
    """What is said of a log."""

    cause: str
    who: str
    confidence: float

    @property
    def is_silent(self) -> bool:
        """Whether no fault is found."""
        return self.cause == RootCause.NONE


class Paste(msgspec.Struct, frozen=True):
    """A piece of a log, and what is right to say of it.

    `context` is the report with the lines around it, `report` the report alone.
    """

    name: str
    context: str
    report: str
    causes: frozenset[str]
    who: frozenset[str]

    def is_right(self, answer: Answer) -> bool:
        """Whether cause and who has to act are both right."""
        return answer.cause in self.causes and answer.who in self.who

    def is_surely_wrong(self, answer: Answer) -> bool:
        """Whether it is said with 90 % or more, and wrong."""
        return answer.confidence >= SURE and not self.is_right(answer)


def answer_to(text: str) -> Answer:
    """Return what pfdoctor says of a text."""
    verdict = diagnose((klog.read(text.encode("utf-8", "replace"), "paste"),), {}).verdict
    return Answer(str(verdict.root_cause), str(verdict.attribution), verdict.confidence)


def pastes(*sources: str) -> Iterator[Paste]:
    """Yield the labelled logs of some sources: `scenarios`, `crashes`, `corpus`; all by default."""
    for source in sources or SOURCES:
        for name, text, truth in SOURCES[source]():
            if paste := _paste(f"{source}/{name}", text, truth):
                yield paste


def is_chosen(name: str, one_in: int) -> bool:
    """Whether a name belongs to a sample, chosen by its hash."""
    return zlib.crc32(name.encode()) % one_in == 0


def _paste(name: str, text: str, truth: dict[str, Any]) -> Paste | None:
    log = klog.read(text.encode("utf-8", "replace"), "log")
    index = main_report((log,))
    lines = text.splitlines(keepends=True)
    if index is None:
        return None
    span = log.reports[index].span
    first, last = span.first_line - 1, min(span.last_line, span.first_line + _MOST)
    return Paste(
        name,
        "".join(lines[max(0, first - _BEFORE) : last + _AFTER]),
        "".join(lines[first:last]),
        frozenset({truth["root_cause_class"], *truth.get("root_cause_also", ())}),
        frozenset({truth["attribution"], *truth.get("attribution_also", ())}),
    )


_Labelled = Iterator[tuple[str, str, dict[str, Any]]]


def _scenarios() -> _Labelled:
    for name in shelf.scenario_ids():
        text = (shelf.recording_path(name).parent / "serial.log").read_text("utf-8", "replace")
        case = shelf.scenario(name)
        yield name, text, {"root_cause_class": case.root_cause, "attribution": case.attribution}


def _crashes() -> _Labelled:
    for kernel in kernels():
        for case in cases(kernel):
            if not case.made["silent"]:
                yield f"{kernel}/{case.name}", case.log.decode("utf-8", "replace"), case.expected


def _corpus() -> _Labelled:
    folder = os.environ.get("PFDOCTOR_CORPUS")
    for path in sorted(Path(folder).rglob("*.json")) if folder else ():
        told = json.loads(path.read_text("utf-8"))
        expected = told.get("expected") if isinstance(told, dict) else None
        if expected and expected.get("root_cause_class"):
            text = path.with_suffix(".log").read_text("utf-8", "replace")
            yield f"{path.parent.name}/{path.stem}", text, expected


SOURCES: Final = {"scenarios": _scenarios, "crashes": _crashes, "corpus": _corpus}
"""Where labelled logs come from."""
