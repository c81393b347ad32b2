"""Real reports with a little damage are read, judged and shown, and no fence is hit on the way."""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from klog.mutations import mutate
from pagefault_doctor import klog
from pagefault_doctor.diagnosis import diagnose
from pagefault_doctor.diagnosis.explanation import with_explanations
from pagefault_doctor.model.log import KernelLog
from pagefault_doctor.model.untrusted import is_clean
from pagefault_doctor.playbook import shelf
from pagefault_doctor.report import html, markdown
from pagefault_doctor.report.diagnosis import diagnosis_outline, diagnosis_text
from pagefault_doctor.report.document import diagnosis_document, encode

LOGS = sorted((Path(__file__).parent / "logs").glob("*.log"))
SERIAL = sorted(shelf.recording_path(name).parent / "serial.log" for name in shelf.scenario_ids())
_LONGEST = 20_000
"""Bytes of a serial log that are damaged: its end, where the report is."""


def shown(log: KernelLog) -> Iterator[str]:
    """Yield the diagnosis of a log as text, JSON, Markdown and HTML."""
    opinion = with_explanations(diagnose((log,), {}), (log,), {})
    assert not any(diagnosis.notes for diagnosis in opinion.by_report)
    yield diagnosis_text(log.source, log.reports, opinion)
    yield encode(diagnosis_document(log.source, log.reports, opinion))
    outline = tuple(diagnosis_outline(log.source, log.reports, opinion, shelf.causes()))
    yield markdown.render(outline)
    yield html.render(outline)


@cache
def content(path: Path) -> bytes:
    """Return the end of a log."""
    return path.read_bytes()[-_LONGEST:]


@settings(max_examples=150)
@given(st.sampled_from(LOGS + SERIAL), st.integers(0, 2**32))
def test_a_damaged_report_is_read_judged_and_shown(path: Path, seed: int) -> None:
    data = mutate(content(path), random.Random(seed))
    log = klog.read(data, "mutated.log")
    for text in shown(log):
        assert all(map(is_clean, text.split("\n")))
    assert all(line.text for report in log.reports for line in report.unread)


def test_the_damage_is_the_same_for_the_same_seed_and_another_for_another() -> None:
    data = content(LOGS[0])
    made = [mutate(data, random.Random(seed)) for seed in range(30)]
    assert made == [mutate(data, random.Random(seed)) for seed in range(30)]
    assert len(set(made)) > 20


@pytest.mark.parametrize("path", LOGS + SERIAL, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_an_undamaged_log_has_no_line_that_is_not_read(path: Path) -> None:
    log = klog.read(path.read_bytes(), path.name)
    assert not [line for report in log.reports for line in report.unread]


@pytest.mark.corpus
def test_no_public_log_has_a_line_that_is_not_read_or_a_part_that_is_not_judged(
    corpus: Path,
) -> None:
    for path in sorted(corpus.rglob("*.log")):
        log = klog.read_file(path)
        assert not [line for report in log.reports for line in report.unread], path
        assert list(shown(log))


HEADLINES = (
    "BUG: unable to handle kernel paging request at ffff888012345678",
    "general protection fault: 0000 [#1] SMP",
)


@pytest.mark.parametrize("headline", HEADLINES)
@pytest.mark.parametrize(
    "line",
    [
        "RIP: 0010:[<" + "9" * 30 + ">]  [<ffffffff81171b02>] f+0x42/0xc0",
        "RIP: 0010:0x" + "f" * 17,
        "NIP [" + "c" * 40 + "] f+0x42/0xc0",
        "Oops: 0002 [#999999] SMP",
        "cause: 0000000000000000000000000000000f",
        "[123456789012345678901234567890.123456] CPU: 1 PID: 99999999999 Comm: a",
        "RAX: " + "f" * 16 + " RBX: 000000000000000",
        "CPU: ١ PID: ٢ Comm: a Not tainted 6.1.0",
    ],
)
def test_what_damage_once_brought_up_is_read(line: str, headline: str) -> None:
    text = f"{headline}\n{line}\nRAX: 0000000000000001 RBX: 0000000000000002\n"
    log = klog.read(text.encode(), "kept.log")
    assert log.reports
    assert all(list(shown(log)))
