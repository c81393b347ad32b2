"""The classic faulty module: from its real crash to its proven fix."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

from pagefault_doctor.cli.main import main
from pagefault_doctor.hosts.recorded import RecordedHost
from pagefault_doctor.model.event import CommandStarted, QuestionAnswered, SessionStarted
from pagefault_doctor.model.playbook import StepStatus
from pagefault_doctor.playbook import shelf
from pagefault_doctor.session.event_log import MemoryLog, read_events
from pagefault_doctor.session.store import sessions_folder
from pagefault_doctor.session.walk import Walk
from pagefault_doctor.tools import TOOLS
from session.replaying import replay, without_times

ID = "null-deref-module"
FOLDER = shelf.scenario_folder(ID)
RECORDED = read_events(shelf.recording_path(ID))

Capture = pytest.CaptureFixture[str]


def walk_again() -> tuple[Walk, MemoryLog]:
    started = RECORDED[0]
    assert isinstance(started, SessionStarted)
    log = MemoryLog()
    playbook = shelf.playbook(started.playbook)
    walk = Walk.start(started, playbook, host=RecordedHost(RECORDED), sink=log, tools=TOOLS)
    replay(RECORDED[1:], walk)
    return walk, log


def test_a_replay_writes_the_same_events_as_the_recorded_walk() -> None:
    _, log = walk_again()
    assert without_times(log.events) == without_times(RECORDED)


def test_the_walk_finds_the_cause_the_line_and_proves_the_fix() -> None:
    walk, _ = walk_again()
    verdict = walk.view.opinion.verdict
    scenario = shelf.scenario(ID)
    assert (verdict.root_cause, verdict.attribution, verdict.module) == (
        scenario.root_cause,
        scenario.attribution,
        scenario.module,
    )
    facts = {name: fact.value for name, fact in walk.view.case.facts.items()}
    assert facts["reproduce.reproduced"] is True
    assert facts["dump.module"] == "faulty"
    assert str(facts["debug.file"]).endswith("faulty.c")
    assert facts["debug.line"] == 37
    assert facts["fix.built"] is True
    assert facts["validate.verdict"] == "fixed"
    assert walk.view.state.steps["validate"].status is StepStatus.DONE


def test_every_step_has_a_question_and_every_question_its_step() -> None:
    scenario = shelf.scenario(ID)
    steps = [step.id for step in shelf.playbook(scenario.playbook).steps]
    assert {question.step for question in scenario.questions} == set(steps)
    assert all(q.hint and q.explain for q in scenario.questions)


def test_the_recording_names_no_place_of_the_machine_that_made_it() -> None:
    neutral = ("/usr/", "/var/crash", "/lib/modules/", "/sys/", "/proc/", "/tmp", "/boot/")
    for event in RECORDED:
        if isinstance(event, CommandStarted):
            paths = [w for w in event.argv if w.startswith("/")]
            assert all(path.startswith(neutral) for path in paths), paths


def test_the_serial_log_is_diagnosed_with_its_lines_cited(capsys: Capture) -> None:
    assert main(["diagnose", "--json", str(FOLDER / "serial.log")]) == 0
    (report, *_) = json.loads(capsys.readouterr().out)["reports"]
    diagnosis = report["diagnosis"]
    assert diagnosis["root_cause"] == "null-deref"
    assert diagnosis["attribution"] == "module"
    assert diagnosis["module"] == report["module"] == "faulty"
    assert report["function"] == "faulty_init"
    assert report["fault"]["access"] == "write"
    lines = (FOLDER / "serial.log").read_text().splitlines()
    cited = [e["line"] for e in diagnosis["candidates"][0]["evidence"] if e["weight"] > 0]
    assert cited
    assert any("NULL pointer dereference" in lines[number - 1] for number in cited)
    assert report["source_line"] is None


def test_the_module_file_gives_file_and_line(capsys: Capture) -> None:
    words = ["diagnose", "--json", "--module-dir", str(FOLDER), str(FOLDER / "serial.log")]
    assert main(words) == 0
    (report, *_) = json.loads(capsys.readouterr().out)["reports"]
    assert report["source_line"]["line"] == 37
    assert report["source_line"]["file"].endswith("faulty.c")


def answers(events: object) -> list[QuestionAnswered]:
    return [e for e in events if isinstance(e, QuestionAnswered)]  # type: ignore[attr-defined]


def test_training_line_by_line_asks_hints_and_ends_in_a_validated_fix(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    scenario = shelf.scenario(ID)
    typed = "".join(f"h\n{question.answer + 1}\n" for question in scenario.questions)
    monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
    assert main(["train", ID, "--plain"]) == 0
    told = capsys.readouterr().out
    count = len(scenario.questions)
    assert f"{count} of {count} questions right" in told
    assert "The fix: fixed." in told
    (kept,) = sessions_folder().glob("*.jsonl")
    given = answers(read_events(Path(kept)))
    assert [(a.right, a.hinted) for a in given] == [(True, True)] * count


def test_training_goes_on_when_nobody_answers(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    assert main(["train", ID]) == 0
    assert "The fix: fixed." in capsys.readouterr().out


def test_training_lists_its_scenarios(capsys: Capture) -> None:
    assert main(["train"]) == 0
    assert ID in capsys.readouterr().out
    assert main(["train", "no-such-thing"]) == 2
