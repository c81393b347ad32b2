"""What an answer says in one place it does not deny in another, over all public logs."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from pagefault_doctor import klog
from pagefault_doctor.diagnosis import diagnose
from pagefault_doctor.model.diagnosis import Diagnosis
from pagefault_doctor.model.log import KernelLog
from pagefault_doctor.report.diagnosis import diagnosis_text
from pagefault_doctor.session.known import with_known

FOLDERS = ("field-dev", "realworld-dev", "satyr-dev", "syzkaller-dev")
REGISTERS = re.compile(
    r"\b(?:RAX: [0-9a-f]{16}|EAX: [0-9a-f]{8}|x29: [0-9a-f]{16}|GPR00: |Krnl GPRS: "
    r"|r7 : [0-9a-f]{8})"
)
FRAME = re.compile(r"^\s*(?:\[<[0-9a-f]+>\] )?[a-z_][\w.]+\+0x[0-9a-f]+/0x[0-9a-f]+")
DENIED = (
    # What the cause line says, and what no step may say beside it.
    (
        "faulty hardware",
        re.compile(r"no part (?:need )?(?:be|is) broken|before you suspect broken"),
    ),
    ("out of memory", re.compile(r"There was memory")),
    ("logic error", re.compile(r"did not answer on the bus")),
    ("lockup or hang", re.compile(r"the driver reset it.*reset failed")),
)


@cache
def answers(folder: Path) -> tuple[tuple[str, KernelLog, str, tuple[Diagnosis, ...]], ...]:
    return tuple(_answers(folder))


def _answers(
    folder: Path,
) -> Iterator[tuple[str, KernelLog, str, tuple[Diagnosis, ...]]]:
    for path in sorted(folder.glob("*.log")):
        if folder.name in FOLDERS[:2] and zlib.crc32(path.stem.encode()) & 1:
            continue
        log = klog.read(path.read_bytes(), path.name)
        opinion = with_known(diagnose((log,), {}), (log,), bundled_only=True)
        yield path.name, log, diagnosis_text(path.name, log.reports, opinion), opinion.by_report


@pytest.fixture(params=FOLDERS)
def folder(request: pytest.FixtureRequest, corpus: Path) -> Path:
    return corpus / str(request.param)


def test_nothing_is_called_missing_that_the_report_has(folder: Path) -> None:
    wrong = []
    for name, log, _, by_report in answers(folder):
        for report, diagnosis in zip(log.reports, by_report, strict=True):
            lacks = {part.name for part in diagnosis.missing}
            texts = [line.text for line in report.excerpt]
            if "registers" in lacks and any(map(REGISTERS.search, texts)):
                wrong.append(f"{name}: registers")
            if "trace" in lacks and sum(1 for text in texts if FRAME.match(text)) > 2:
                wrong.append(f"{name}: trace")
    assert not wrong


def test_a_sure_word_has_a_sure_number(folder: Path) -> None:
    for name, _, _, by_report in answers(folder):
        for diagnosis in by_report:
            said, number = diagnosis.summary, diagnosis.confidence
            assert ("very likely" not in said) or number >= 0.9, name
            assert ("not sure" not in said) or number < 0.5, name


def test_the_next_step_does_not_deny_the_cause(folder: Path) -> None:
    wrong = []
    for name, _, _, by_report in answers(folder):
        for diagnosis in by_report:
            step = diagnosis.next_step.why if diagnosis.next_step else ""
            wrong += [
                f"{name}: {cause}: {step}"
                for cause, denied in DENIED
                if cause in diagnosis.summary and denied.search(step)
            ]
    assert not wrong


def test_what_is_harmless_has_no_likelihood(folder: Path) -> None:
    for name, log, text, by_report in answers(folder):
        leads = "harmless: " in text and log.reports
        if leads and any(case.harmless for case in by_report[0].known) and len(by_report) == 1:
            assert not re.search(r"^  cause +\d+%", text, re.MULTILINE), name
