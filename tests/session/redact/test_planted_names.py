"""Names planted in lines as programs print them go; what an analyst needs stays.

`planted/first.txt` was written before the patterns, `planted/second.txt` too but not looked at
until they were done, and `planted/third.txt`, tables and messages of other tools, after them.
`planted/fourth.txt` was not looked at until all others passed.
"""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest

from pagefault_doctor import klog
from pagefault_doctor.diagnosis import diagnose
from pagefault_doctor.model.event import CommandFinished, Event, SessionStarted
from pagefault_doctor.model.log import KernelLog
from pagefault_doctor.playbook.shelf import playbook
from pagefault_doctor.session.event_log import read_events
from pagefault_doctor.session.redact.redaction import Redaction
from pagefault_doctor.session.view import Fold, View
from pagefault_doctor.tools import TOOLS
from session.redact.sessions import planted_lines, redacted

ROOT = Path(__file__).parents[3]
LOGS = sorted((ROOT / "tests/klog/logs").glob("*.log"))
RECORDINGS = sorted((ROOT / "playbooks/scenarios").glob("*/recording.jsonl"))
ALL_PLANTED = "".join(f"{line.text}\n" for line in planted_lines("first.txt"))

_IDENTIFYING = re.compile(
    r"@[a-z]|boot_id=|machine_id|serial|[0-9a-f]{8}-[0-9a-f]{4}-|(?:[0-9a-f]{2}:){5}"
    r"|\b10\.\d+\.\d+\.\d+",
    re.IGNORECASE,
)
"""What a recording holds that is to go: mail and hardware addresses, ids."""


@pytest.mark.parametrize(
    ("name", "least"),
    [("first.txt", 150), ("second.txt", 150), ("third.txt", 50), ("fourth.txt", 150)],
)
def test_of_the_names_planted_in_real_lines_nearly_all_go(name: str, least: int) -> None:
    left, count = list[tuple[str, str]](), 0
    for line in planted_lines(name):
        said = redacted(f"{line.text}\n")
        left += [(word, said) for word in line.names if word in said]
        count += len(line.names)
    assert count >= least
    assert len(left) <= count * (0.05 if name != "third.txt" else 0.1), left


def test_what_a_program_says_of_hardware_stays_to_the_letter() -> None:
    lines = [line.text for line in planted_lines("hardware.txt")]
    assert len(lines) >= 100
    assert [redacted(line) for line in lines] == lines


def test_the_words_of_kernel_logs_stay() -> None:
    kept, lost = set[str](), set[str]()
    for old, new in itertools.chain(_golden_lines(), _recorded_lines()):
        kept.update(word for word in old.split() if word in new)
        lost.update(w for w in old.split() if w not in new and not _IDENTIFYING.search(w))
    assert len(kept) >= 2000
    assert len(lost) <= len(kept) * 0.01, sorted(lost)


def _golden_lines() -> itertools.chain[tuple[str, str]]:
    texts = [path.read_text(errors="replace") for path in LOGS]
    return itertools.chain.from_iterable(_line_pairs(text, redacted(text)) for text in texts)


def _recorded_lines() -> itertools.chain[tuple[str, str]]:
    pairs = list[tuple[str, str]]()
    for path in RECORDINGS:
        events = read_events(path)
        for old, new in zip(events, Redaction().events(events), strict=False):
            if isinstance(old, CommandFinished) and isinstance(new, CommandFinished):
                pairs += _line_pairs(old.output, new.output)
    return itertools.chain(pairs)


def _line_pairs(old: str, new: str) -> list[tuple[str, str]]:
    return list(zip(old.split("\n"), new.split("\n"), strict=True))


@pytest.mark.parametrize("path", LOGS, ids=lambda path: path.stem)
def test_a_redacted_log_says_the_same(path: Path) -> None:
    """Also among lines full of names: what is learned from them must not change the report."""
    text = ALL_PLANTED + path.read_text(errors="replace")
    assert _said(klog.read(redacted(text).encode(), "x")) == _said(klog.read(text.encode(), "x"))


def _said(log: KernelLog) -> object:
    opinion = diagnose((log,), {})
    reports = [(r.kind, r.title, r.function, r.module, r.comm, r.frames) for r in log.reports]
    return reports, opinion.verdict.root_cause, opinion.verdict.module, opinion.report


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: path.parent.name)
def test_a_redacted_session_has_the_same_verdict(path: Path) -> None:
    events = read_events(path)
    before, after = _view(events), _view(tuple(Redaction().events(events)))
    for one, other in zip(before.case.reports, after.case.reports, strict=True):
        assert (one.title, one.function, one.module) == (other.title, other.function, other.module)
    old, new = before.explained.verdict, after.explained.verdict
    assert (old.root_cause, old.module) == (new.root_cause, new.module)


def _view(events: tuple[Event, ...]) -> View:
    first = events[0]
    assert isinstance(first, SessionStarted)
    return Fold(TOOLS).replay(events, playbook(first.playbook))
