"""How much of the public logs is read as experts read them. The floors only ever rise."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from pagefault_doctor import klog
from pagefault_doctor.klog.input.text_forms import text_forms
from pagefault_doctor.model.report import Report

pytestmark = pytest.mark.corpus
Case = tuple[dict[str, Any], Report | None]


def _cases(folder: Path) -> list[Case]:
    found: list[Case] = []
    for path in sorted(folder.glob("*.log")):
        expected = json.loads(path.with_suffix(".json").read_text())["expected"]
        reports = klog.read_file(path).reports
        found.append((expected, reports[0] if reports else None))
    return found


@pytest.fixture(scope="module")
def console(corpus: Path) -> list[Case]:
    return _cases(corpus / "syzkaller-dev")


def _share(good: list[bool]) -> float:
    return sum(good) / len(good)


def test_titles(console: list[Case]) -> None:
    named = [(e, r) for e, r in console if e.get("title")]
    assert _share([r is not None and r.title == e["title"] for e, r in named]) >= 0.99


def test_alternative_titles(console: list[Case]) -> None:
    named = [(e, r) for e, r in console if e.get("title")]
    same = [r is not None and set(r.alt_titles) == set(e.get("alt", [])) for e, r in named]
    assert _share(same) >= 0.99


def test_types(console: list[Case]) -> None:
    typed = [(e, r) for e, r in console if e.get("type")]
    assert _share([r is not None and r.type == e["type"] for e, r in typed]) >= 0.99


def test_corrupted_reports_are_known_as_such(console: list[Case]) -> None:
    named = [(e, r) for e, r in console if e.get("title")]
    right = [r is not None and r.corrupted == bool(e.get("corrupted")) for e, r in named]
    assert _share(right) >= 0.99


def test_silence_where_there_is_no_report(console: list[Case]) -> None:
    assert all(r is None for e, r in console if not e.get("title"))


def test_faulting_functions_of_peoples_logs(corpus: Path) -> None:
    asked = [(e, r) for e, r in _cases(corpus / "realworld-dev") if e.get("function")]
    right = [
        r is not None and _plain(r.function) in {_plain(e["function"]), *e.get("function_also", [])}
        for e, r in asked
    ]
    assert _share(right) >= 0.95


def _plain(name: str | None) -> str | None:
    return name.split(".")[0] if name else name


def test_first_frames_and_module_counts_of_oopses(corpus: Path) -> None:
    folder = corpus / "satyr-dev"
    frames, modules = [], []
    for name, expected in json.loads((folder / "expectations.json").read_text()).items():
        log = klog.read_file(folder / f"{name}.log")
        if not expected.get("asserted") or not log.reports:
            continue
        report = log.reports[0]
        if expected.get("first_function"):
            first = report.frames[0].function if report.frames else None
            frames.append(_plain(first) == _plain(expected["first_function"]))
        if expected.get("module_count") is not None:
            modules.append(len(report.modules) == expected["module_count"])
    assert _share(frames) >= 0.9
    assert _share(modules) >= 0.9


STEP = int(os.environ.get("PFDOCTOR_TRUNCATE_EVERY", "97"))
"""Truncations between one that is tried and the next: 1 tries each, in some ten minutes."""


def test_a_log_may_break_off_after_any_line(corpus: Path) -> None:
    place = 0
    for path in sorted(corpus.glob("*/*.log")):
        data = path.read_bytes()
        end = -1
        while (end := data.find(b"\n", end + 1)) >= 0:
            place += 1
            if place % STEP:
                continue
            log = klog.read(data[: end + 1], path.name)
            assert log.size == end + 1 or log.note or list(text_forms(data[: end + 1]))
            assert all(report.span.last_line <= log.lines for report in log.reports)
