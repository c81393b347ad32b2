"""The JSON document of a diagnosis, `pfdoctor.diagnosis/1`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import msgspec

from pagefault_doctor.model.diagnosis import Candidate, Diagnosis, Opinion
from pagefault_doctor.model.report import Report

DIAGNOSIS_SCHEMA: Final = "pfdoctor.diagnosis/1"

Document = dict[str, Any]

# Listed, not dumped: a new field of a report must not enter the JSON by accident.
_AS_THEY_ARE: Final = (
    "title",
    "alt_titles",
    "type",
    "corrupted",
    "corrupted_reason",
    "kind",
    "arch",
    "kernel_release",
    "boot",
    "number",
    "timestamp",
    "function",
    "offset",
    "size",
    "module",
    "fault",
    "cpu",
    "pid",
    "comm",
    "tainted",
)
_OF_A_FRAME: Final = ("function", "offset", "size", "module", "reliable", "context")


def diagnosis_document(source: str, reports: Iterable[Report], opinion: Opinion) -> Document:
    """Return the document of one input: its reports, each with its diagnosis, and the verdict."""
    return {
        "schema": DIAGNOSIS_SCHEMA,
        "source": source,
        "reports": [
            _report(report, diagnosis)
            for report, diagnosis in zip(reports, opinion.by_report, strict=True)
        ],
        "verdict": _verdict(opinion),
    }


def encode(document: Document, *, indent: int = 0) -> str:
    """Return the document as JSON without a final newline; on one line when `indent` is 0."""
    data = msgspec.json.encode(document)
    return (msgspec.json.format(data, indent=indent) if indent else data).decode()


def _report(report: Report, diagnosis: Diagnosis) -> Document:
    return {
        **{name: getattr(report, name) for name in _AS_THEY_ARE},
        "modules_linked": [module.name for module in report.modules],
        "registers": report.registers,
        "frames": [{name: getattr(frame, name) for name in _OF_A_FRAME} for frame in report.frames],
        "span": report.span,
        **({"unread": report.unread} if report.unread else {}),
        "source_line": report.source_line,
        "inlined": report.inlined,
        "pointer": report.pointer,
        "diagnosis": {
            "root_cause": diagnosis.root_cause,
            "attribution": diagnosis.attribution,
            "module": diagnosis.module,
            # More digits would differ between machines, and mean nothing.
            "confidence": round(diagnosis.confidence, 3),
            "candidates": [_candidate(candidate) for candidate in diagnosis.candidates],
            "next_step": diagnosis.next_step,
            "experiment": diagnosis.experiment,
            "account": diagnosis.account,
            "registers": diagnosis.registers,
            **({"notes": diagnosis.notes} if diagnosis.notes else {}),
        },
    }


def _candidate(candidate: Candidate) -> Document:
    return {
        "root_cause": candidate.root_cause,
        "attribution": candidate.attribution,
        "module": candidate.module,
        "confidence": round(candidate.confidence, 3),
        "evidence": [
            {"text": e.text, "line": e.line, "weight": e.weight} for e in candidate.evidence
        ],
    }


def _verdict(opinion: Opinion) -> Document:
    verdict = opinion.verdict
    return {
        "root_cause": verdict.root_cause,
        "attribution": verdict.attribution,
        "module": verdict.module,
        "confidence": round(verdict.confidence, 3),
        "summary": verdict.summary,
        "next_step": verdict.next_step,
        "report": opinion.report,
    }
