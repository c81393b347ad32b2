"""The walk line by line: what it prints, and what each word does."""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from pagefault_doctor.cli.main import main
from pagefault_doctor.cli.other_host import OtherHost
from pagefault_doctor.cli.plain_walk import PlainWalk
from pagefault_doctor.model.event import (
    CommandDeclined,
    CommandFinished,
    CommandStarted,
    Event,
    FactGiven,
    LogRead,
    NoteWritten,
    SessionEnded,
    StepEntered,
)
from pagefault_doctor.session.event_log import MemoryLog
from pagefault_doctor.session.walk import Walk
from session.small_walk import ANSWERS, MakeWalk
from tools.example_reports import OOPS
from tui.wizard_bench import LACKING
from tui.wizard_bench import PLAYBOOK as LACKING_BOOK

Capture = pytest.CaptureFixture[str]
Told = Callable[..., str]


@pytest.fixture
def log() -> MemoryLog:
    """What the events of the walk go to."""
    return MemoryLog()


@pytest.fixture
def walk(make_walk: MakeWalk, log: MemoryLog) -> Walk:
    """A walk through a small playbook."""
    return make_walk(sink=log)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> Told:
    """Walk with these lines as the input, and return what was printed, with single blanks."""

    def play(walk: Walk, *lines: str) -> str:
        monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{line}\n" for line in lines)))
        with ExitStack() as stack:
            assert PlainWalk(walk, OtherHost(stack)).to_the_end() == 0
        return " ".join(capsys.readouterr().out.split())

    return play


def of_type(log: MemoryLog, kind: type[Event]) -> list[Event]:
    return [event for event in log.events if isinstance(event, kind)]


def ran(log: MemoryLog) -> list[tuple[str, ...]]:
    return [event.argv for event in log.events if isinstance(event, CommandStarted)]


def test_enter_leads_from_step_to_step_to_the_end(walk: Walk, told: Told) -> None:
    said = told(walk, "", "n", "", "")
    assert "Step 1 of 3: First To see. $ look around ok" in said
    assert "Step 2 of 3: Second" in said
    assert "x no dump; set up kdump" in said
    assert walk.view.ended is not None
    assert walk.view.ended.reason == "finished"


def test_what_may_do_harm_runs_only_after_a_yes(walk: Walk, log: MemoryLog, told: Told) -> None:
    said = told(walk, "", "", "y")
    assert "This asks first (it may take the machine down)" in said
    assert "Enter alone does not" in said
    assert ran(log) == [("look", "around"), ("push",)]
    consents = [event.consent for event in log.events if isinstance(event, CommandStarted)]
    assert consents == ["not-needed", "asked"]


def test_a_no_declines(walk: Walk, log: MemoryLog, told: Told) -> None:
    told(walk, "", "n")
    declined = [event.argv for event in log.events if isinstance(event, CommandDeclined)]
    assert declined == [("push",)]


def test_another_command_can_be_typed_in_its_place(
    make_walk: MakeWalk, log: MemoryLog, told: Told
) -> None:
    walk = make_walk({**ANSWERS, ("push", "gently"): "ok"}, sink=log)
    told(walk, "", "e push gently")
    assert ran(log)[-1] == ("push", "gently")


def test_the_end_of_the_input_leaves_the_walk_to_be_resumed(
    walk: Walk, log: MemoryLog, told: Told
) -> None:
    told(walk)
    assert [e.reason for e in log.events if isinstance(e, SessionEnded)] == ["quit"]


@pytest.mark.parametrize("words", ["?", "what"])
def test_words_that_mean_nothing_show_what_there_is(walk: Walk, told: Told, words: str) -> None:
    assert "Enter goes on. Or type a letter and Enter" in told(walk, words)


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        ("g 99", "there is no such step; g 1 to g 3"),
        ("g x", "there is no such step"),
        ("a", "no file is named; a FILE"),
        ("a /there/is/none", "there is no file /there/is/none; check the name"),
        ("x", "no host is named"),
        ("x -oProxyCommand=true", "host"),
        ("m", "no log was given"),
        ("f", "Nothing is blocked here"),
    ],
)
def test_what_cannot_be_done_is_told_and_the_walk_goes_on(
    walk: Walk, told: Told, words: str, answer: str
) -> None:
    said = told(walk, words, "n still here")
    assert answer in said
    assert [note.text for note in walk.view.notes] == ["still here"]


def test_a_step_is_skipped_and_gone_to_by_its_number(
    walk: Walk, log: MemoryLog, told: Told
) -> None:
    told(walk, "s", "g 3")
    assert [e.step for e in log.events if isinstance(e, StepEntered)][-1] == "third"
    assert of_type(log, NoteWritten) == []


def test_a_log_is_added_and_whose_it_is_is_corrected(
    walk: Walk, log: MemoryLog, told: Told, tmp_path: Path
) -> None:
    (tmp_path / "crash.log").write_text(OOPS)
    said = told(walk, f"a {tmp_path}/crash.log", "m", "d")
    assert len(of_type(log, LogRead)) == 1
    assert [e.name for e in log.events if isinstance(e, FactGiven)] == ["log_of"]
    assert "NULL pointer dereference in module wobble" in said


def test_what_a_step_lacks_is_given_and_checked(
    make_walk: MakeWalk, log: MemoryLog, told: Told, tmp_path: Path
) -> None:
    (tmp_path / "demo.ko").touch()
    answers = {("readelf", str(tmp_path)): "demo"}
    walk = make_walk(answers, playbook=LACKING_BOOK, tools=LACKING, sink=log)
    walk.enter("identify-module")
    said = told(walk, "f", "/there/is/none", f"f {tmp_path}")
    assert "there is no /there/is/none" in said
    assert f"Taken: {tmp_path}" in said
    assert len(of_type(log, CommandFinished)) == 1


def test_it_starts_with_a_log_and_without_a_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    (tmp_path / "crash.log").write_text(OOPS)
    monkeypatch.setattr("sys.stdin", io.StringIO("q\n"))
    argv = ["--plain", "--log", str(tmp_path / "crash.log"), "--log-of", "another"]
    assert main(argv) == 0
    assert "Step 1 of 7: Check kernel logs" in capsys.readouterr().out


def test_the_log_cannot_come_from_where_the_answers_come_from() -> None:
    assert main(["--plain", "--log", "-"]) == 2
