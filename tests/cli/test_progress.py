"""The line on standard error that tells a person that long work goes on."""

from __future__ import annotations

import io
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from pagefault_doctor.cli import stderr
from pagefault_doctor.cli.main import main
from pagefault_doctor.cli.standard_streams import HarmlessStream
from pagefault_doctor.model.event import Event
from pagefault_doctor.session.redact.redaction import Redaction

SESSION = Path(__file__).parents[2] / "playbooks/scenarios/err-ptr/recording.jsonl"


class Watched(io.StringIO):
    """Standard error, a terminal or not, that notices the progress line."""

    def __init__(self, terminal: bool) -> None:
        super().__init__()
        self.terminal = terminal
        self.came = threading.Event()

    def isatty(self) -> bool:
        return self.terminal

    def write(self, text: str) -> int:
        if "taking names out" in text:
            self.came.set()
        return super().write(text)


@pytest.mark.parametrize("terminal", [True, False])
def test_a_long_redaction_shows_that_it_goes_on_where_a_person_sees_it(
    terminal: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    watched = Watched(terminal)
    redact = Redaction.events

    def slow(self: Redaction, events: Sequence[Event], words: Sequence[str]) -> list[Event]:
        watched.came.wait(60 if terminal else 0.1)
        return redact(self, events, words)

    monkeypatch.setattr(Redaction, "events", slow)
    monkeypatch.setattr(stderr, "_DELAY", 0.0)
    monkeypatch.setattr(stderr, "_INTERVAL", 0.01)
    monkeypatch.setattr(sys, "stderr", HarmlessStream(watched, required=False))
    assert main(["report", str(SESSION), "--redact"]) == 0
    assert watched.came.is_set() == terminal
    assert watched.getvalue().rpartition("\x1b[K")[2].startswith("pfdoctor: Redacted on request")
    assert "taking names out" not in capsys.readouterr().out
