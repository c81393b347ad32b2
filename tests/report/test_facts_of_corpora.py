"""What is quoted of public logs stands in them, and what people read is true of them."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from pagefault_doctor import klog
from pagefault_doctor.diagnosis import diagnose
from pagefault_doctor.diagnosis.explanation import with_explanations
from pagefault_doctor.model.diagnosis import Opinion
from pagefault_doctor.model.log import KernelLog
from pagefault_doctor.model.report import USER_SIDE, Kind
from pagefault_doctor.playbook.shelf import causes
from pagefault_doctor.report import html, markdown
from pagefault_doctor.report.diagnosis import SCREEN, diagnosis_outline, diagnosis_text
from pagefault_doctor.report.document import diagnosis_document
from pagefault_doctor.session.view import View
from pagefault_doctor.tui.pages import diagnosis as page
from pagefault_doctor.tui.pages import evidence
from pagefault_doctor.tui.row import Tone

FOLDERS = ("field-dev", "realworld-dev", "satyr-dev", "syzkaller-dev")
NEVER_SAID = (
    "in corrupted",
    "NUM ",
    "nothing found",
    "Outside any known function",
    "no function in the stack trace",
    "no title for this kind",
)
"""Words of the naming convention, and sentences that said nothing or were not true."""
PLACE = re.compile(r"\b(?:kernel BUG at |WARNING: .*?\bat |UBSAN: [a-z-]+ in )(\S+?\.\w+:\d+)")
QUOTED_PRINTABLE = b"=C2=A"
LOW = re.compile(r"(?<![\d.])[0-4]%")


@cache
def opinions(folder: Path) -> tuple[tuple[bytes, KernelLog, Opinion], ...]:
    """Return each log of a folder with what is made of it; of strangers' logs, the even half."""
    return tuple(_opinions(folder))


def _opinions(folder: Path) -> Iterator[tuple[bytes, KernelLog, Opinion]]:
    for path in sorted(folder.glob("*.log")):
        if folder.name == "field-dev" and zlib.crc32(path.stem.encode()) & 1:
            continue
        data = path.read_bytes()
        log = klog.read(data, path.name)
        yield data, log, with_explanations(diagnose((log,), {}), (log,), {})


def folded(text: str) -> str:
    # A web page may show the x of a number as a sign of multiplication.
    return re.sub(r"[\s>]+", "", text).replace("\u00d7", "x")


@pytest.fixture(params=FOLDERS)
def folder(corpus: Path, request: pytest.FixtureRequest) -> Path:
    return corpus / str(request.param)


def test_each_quotation_stands_in_its_line(folder: Path) -> None:
    for data, log, opinion in opinions(folder):
        lines = data.decode("utf-8", "replace").splitlines()
        if QUOTED_PRINTABLE in data:
            continue
        for diagnosis in opinion.by_report:
            for quote in diagnosis.facts:
                # A line that a mail or a terminal broke goes on in the next ones.
                many = 8 if log.note else 1
                text = folded("".join(lines[quote.line - 1 : quote.line - 1 + many]))
                begin = folded(quote.text)
                assert (begin[:20] if log.note else begin) in text, (log.source, quote)


def test_the_place_of_each_warning_and_bug_is_quoted(folder: Path) -> None:
    for _, log, opinion in opinions(folder):
        for report, diagnosis in zip(log.reports, opinion.by_report, strict=True):
            headline = report.texts.get(report.line_of(), "")
            if found := PLACE.search(headline):
                quoted = " ".join(quote.text for quote in diagnosis.facts)
                assert found[1] in quoted, (log.source, report.line_of())


def test_nothing_is_said_that_no_reader_needs(folder: Path) -> None:
    for _, log, opinion in opinions(folder):
        for text in texts(log, opinion):
            for words in NEVER_SAID:
                assert words not in text, (log.source, words)


def texts(log: KernelLog, opinion: Opinion) -> Iterator[str]:
    """Yield the answer in each form that people read."""
    yield diagnosis_text(log.source, log.reports, opinion, 10_000)
    yield diagnosis_text(log.source, log.reports, opinion, 10_000, whole=True)
    blocks = tuple(diagnosis_outline(log.source, log.reports, opinion, causes()))
    yield markdown.render(blocks)
    yield html.render(blocks)


def test_nor_in_the_wizard(folder: Path) -> None:
    for _, log, opinion in opinions(folder):
        case = SimpleNamespace(reports=log.reports, logs=(log,))
        view = cast("View", SimpleNamespace(explained=opinion, opinion=opinion, case=case))
        shown = list(page.rows(view, causes(), {0, 1, 2}))
        shown += [row for row in evidence.rows(view) if row.tone is Tone.TITLE]
        for words in NEVER_SAID:
            assert not any(words in row.left for row in shown), (log.source, words)


def test_no_cause_below_five_percent_is_shown(folder: Path) -> None:
    for _, log, opinion in opinions(folder):
        told = diagnosis_text(log.source, log.reports, opinion, 10_000, whole=True)
        for line in told.splitlines():
            if line.startswith(("  cause", "  or  ")):
                assert not LOW.search(line), (log.source, line)


def test_the_answer_to_a_log_of_many_faults_fits_a_screen(folder: Path) -> None:
    for _, log, opinion in opinions(folder):
        if len(log.reports) > 1:
            told = diagnosis_text(log.source, log.reports, opinion)
            assert len(told.splitlines()) <= SCREEN, log.source


def test_a_program_is_the_one_that_reads_and_writes(folder: Path) -> None:
    for _, log, opinion in opinions(folder):
        for report, diagnosis in zip(log.reports, opinion.by_report, strict=True):
            if report.kind in USER_SIDE and diagnosis.account:
                assert not diagnosis.account.crux.text.startswith("The kernel read")
                assert "the kernel read" not in diagnosis.account.crux.text


def test_where_nothing_faulted_no_pointer_is_told(folder: Path) -> None:
    for _, log, opinion in opinions(folder):
        for report, diagnosis in zip(log.reports, opinion.by_report, strict=True):
            if report.kind in (Kind.STALL, Kind.LOCKUP, Kind.HUNG_TASK) and diagnosis.account:
                assert " went through " not in diagnosis.account.crux.text, log.source


def test_the_json_has_the_facts_of_each_report(folder: Path) -> None:
    for _, log, opinion in opinions(folder):
        document = diagnosis_document(log.source, log.reports, opinion)
        for report, diagnosis in zip(document["reports"], opinion.by_report, strict=True):
            facts = report["diagnosis"]["facts"]
            assert [fact["text"] for fact in facts] == [q.text for q in diagnosis.facts]
            assert facts
