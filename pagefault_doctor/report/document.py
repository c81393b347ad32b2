"""The JSON document of a diagnosis, `pfdoctor.diagnosis/1`.

Of a report, `title` and its neighbours follow the naming convention of syzbot; `message` is what
the kernel printed, and `place` the file and line of its own check, null where it names none.
`diagnosis.facts` is what an expert would quote, the most decisive first: `text` stands in line
`line` of the log, and `means`, where it is there, is what that means.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

import msgspec

from pagefault_doctor.model.diagnosis import Candidate, Diagnosis, Opinion, Quote
from pagefault_doctor.model.pattern import regex
from pagefault_doctor.model.repeats import Repeats, repeats
from pagefault_doctor.model.report import Report
from pagefault_doctor.model.signature import signature
from pagefault_doctor.model.untrusted import HARMFUL, clean, is_clean
from pagefault_doctor.report.known import known_document, known_lines_document

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
    "fault",
    "cpu",
    "pid",
    "comm",
    "tainted",
)
_OF_A_FRAME: Final = ("function", "offset", "size", "module", "reliable", "context")


def diagnosis_document(source: str, reports: Iterable[Report], opinion: Opinion) -> Document:
    """Return the document of one input: its reports, each with its diagnosis, and the verdict."""
    reports = tuple(reports)
    often = {index: group for group in repeats(reports) for index in group.indices}
    return {
        "schema": DIAGNOSIS_SCHEMA,
        "source": source,
        "reports": [
            {**_report(report, diagnosis), **_often(index, often[index])}
            for index, (report, diagnosis) in enumerate(
                zip(reports, opinion.by_report, strict=True)
            )
        ],
        "verdict": _verdict(opinion),
    }


def encode(document: object, *, indent: int = 0) -> str:
    """Return the document as JSON without a final newline; on one line when `indent` is 0.

    No string in it has a control or bidi character, also once it is decoded: what reads the JSON
    may print it.
    """
    data = msgspec.json.encode(document)
    text = (msgspec.json.format(data, indent=indent) if indent else data).decode()
    return _ESCAPE_OR_HARMFUL.sub(_harmless, text) if _SUSPECT.search(text) else text


_SUSPECT: Final = regex(r"[^\n\x20-\x7e]|\\[bfru]")
"""In JSON, what may be or stand for a harmful character. Most documents have none."""

_ESCAPE_OR_HARMFUL: Final = regex(rf"\\(?:u([0-9a-fA-F]{{4}})|.)|[{HARMFUL}]")
_SHORT_ESCAPES: Final = {"\\b": "\b", "\\f": "\f", "\\r": "\r"}


def _harmless(found: re.Match[str]) -> str:
    """Return an escape or a character of JSON as it is, or what shows it if it is harmful."""
    shown = chr(int(found[1], 16)) if found[1] else _SHORT_ESCAPES.get(found[0], found[0])
    if len(shown) > 1 or is_clean(shown):
        return found[0]
    return clean(shown).replace("\\", "\\\\")


def _report(report: Report, diagnosis: Diagnosis) -> Document:
    return {
        **{name: getattr(report, name) for name in _AS_THEY_ARE},
        # Also where a check of the kernel's reports what the module did.
        "module": report.module or diagnosis.module,
        "message": report.message,
        "place": report.place,
        "signature": signature(report),
        "modules_linked": [module.name for module in report.modules],
        "registers": report.registers,
        "frames": [{name: getattr(frame, name) for name in _OF_A_FRAME} for frame in report.frames],
        "span": report.span,
        **_owner(diagnosis),
        **known_document(diagnosis),
        **({"file_note": report.file_note} if report.file_note else {}),
        **({"unread": report.unread} if report.unread else {}),
        "source_line": report.source_line,
        "inlined": report.inlined,
        "pointer": report.pointer,
        "diagnosis": {
            "root_cause": diagnosis.root_cause,
            "attribution": diagnosis.attribution,
            "module": diagnosis.module,
            **_directory(diagnosis),
            **_owner(diagnosis),
            # More digits would differ between machines, and mean nothing.
            "confidence": round(diagnosis.confidence, 3),
            "candidates": [_candidate(candidate) for candidate in diagnosis.candidates],
            "next_step": diagnosis.next_step,
            "experiment": diagnosis.experiment,
            "account": diagnosis.account,
            "facts": [_fact(quote) for quote in diagnosis.facts],
            "registers": diagnosis.registers,
            **({"missing": diagnosis.missing} if diagnosis.missing else {}),
            **({"notes": diagnosis.notes} if diagnosis.notes else {}),
        },
    }


def _often(index: int, group: Repeats) -> Document:
    """Return how often the report came; the first of several equal ones also names the others."""
    lines = {"first_line": group.first_line, "last_line": group.last_line}
    often = {"count": group.count, **lines}
    if group.count == 1 or index != group.indices[0]:
        return {"occurrences": often}
    others = {"seconds": group.seconds, "reports": group.indices}
    return {"occurrences": often, "repeats": {**often, **others}}


def _fact(quote: Quote) -> Document:
    means = {"means": quote.means} if quote.means else {}
    return {"text": quote.text, "line": quote.line, **means}


def _directory(diagnosis: Diagnosis) -> Document:
    found = diagnosis.module_directory
    return {"module_directory": found} if found else {}


def _owner(diagnosis: Diagnosis) -> Document:
    return {"owner": diagnosis.owner} if diagnosis.owner else {}


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
        **_directory(verdict),
        **_owner(verdict),
        "confidence": round(verdict.confidence, 3),
        "summary": verdict.summary,
        "next_step": verdict.next_step,
        "report": opinion.report,
        "missing": verdict.missing,
        **known_lines_document(opinion),
    }
