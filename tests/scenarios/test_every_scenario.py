"""Every scenario: from its real crash to its proven fix, by the recording alone."""

from __future__ import annotations

import io
import json
import re
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from pagefault_doctor import klog
from pagefault_doctor.cli.main import main
from pagefault_doctor.hosts.recorded import RecordedHost
from pagefault_doctor.model.diagnosis import RootCause
from pagefault_doctor.model.event import (
    CommandFinished,
    CommandStarted,
    Event,
    QuestionAnswered,
    SessionStarted,
    StepEntered,
)
from pagefault_doctor.model.playbook import StepStatus
from pagefault_doctor.playbook import shelf
from pagefault_doctor.session.event_log import MemoryLog, read_events
from pagefault_doctor.session.store import sessions_folder
from pagefault_doctor.session.walk import Walk
from pagefault_doctor.tools import TOOLS
from session.replay import of_known_tools, replay, without_times

EACH = pytest.mark.parametrize("scenario_id", shelf.scenario_ids())
EACH_MODULE = pytest.mark.parametrize(
    "scenario_id", [name for name in shelf.scenario_ids() if shelf.scenario(name).module]
)
EACH_EVENT = pytest.mark.parametrize(
    "scenario_id", [name for name in shelf.scenario_ids() if shelf.scenario(name).inject]
)
PROGRAM = "program-segfault"

FAULTY_LINES = {
    "null-deref-module": "state->status = FAULTY_READY;",
    "err-ptr": "size = firmware->f_inode->i_size;",
    "use-after-free-timer": "thermo.millidegrees = sensor->ops->read(sensor);",
    "readonly-write": "*comma++ = '\\0';",
    "soft-lockup": "mdelay(1);",
    "divide-error": "return 60 * HZ / READ_ONCE(tempo);",
}
"""What stands in the line that the walk names, where the compiler kept to the source's lines."""

Capture = pytest.CaptureFixture[str]


@cache
def recorded(scenario_id: str) -> list[Event]:
    return list(read_events(shelf.recording_path(scenario_id)))


@cache
def walk_again(scenario_id: str) -> tuple[Walk, MemoryLog]:
    events = recorded(scenario_id)
    started = events[0]
    assert isinstance(started, SessionStarted)
    log = MemoryLog()
    playbook = shelf.playbook(started.playbook)
    walk = Walk.start(started, playbook, host=RecordedHost(events), sink=log, tools=TOOLS)
    replay(events[1:], walk)
    return walk, log


def ran(scenario_id: str, tool: str) -> list[str]:
    """The commands of a tool in the recording, as typed."""
    walk, _ = walk_again(scenario_id)
    return [record.command.text for record in walk.view.commands if record.command.tool == tool]


def visited(scenario_id: str) -> set[str]:
    """The steps that the walk entered; where a module was loaded by force, not all of them."""
    return {event.step for event in recorded(scenario_id) if isinstance(event, StepEntered)}


def tried_again(scenario_id: str) -> bool:
    """Whether the walk did again what brings the fault, which not every playbook does."""
    return any(
        isinstance(event, CommandStarted)
        and (event.step, event.tool) in (("reproduce", "insmod"), ("reproduce", "trigger"))
        for event in recorded(scenario_id)
    )


def diagnosed(capsys: Capture, *words: str) -> dict[str, Any]:
    assert main(["diagnose", "--json", *words]) == 0
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    return told


@EACH
def test_a_replay_writes_the_same_events_as_the_recorded_walk(scenario_id: str) -> None:
    _, log = walk_again(scenario_id)
    events = of_known_tools(log.events, recorded(scenario_id))
    assert without_times(events) == without_times(recorded(scenario_id))


@EACH_MODULE
def test_the_walk_finds_the_cause_and_proves_the_fix(scenario_id: str) -> None:
    walk, _ = walk_again(scenario_id)
    verdict = walk.view.opinion.verdict
    scenario = shelf.scenario(scenario_id)
    assert (verdict.root_cause, verdict.attribution, verdict.module) == (
        scenario.root_cause,
        scenario.attribution,
        scenario.blamed,
    )
    facts = {name: fact.value for name, fact in walk.view.case.facts.items()}
    assert facts.get("reproduce.reproduced", False) is tried_again(scenario_id)
    assert facts["fix.changed"] is True
    assert facts["fix.built"] is True
    assert facts["validate.new_reports"] == 0
    assert facts["validate.verdict"] == "fixed"
    assert walk.view.state.steps["validate"].status is StepStatus.DONE


def test_a_programs_death_leads_to_its_line_and_pointer_and_the_fix_is_proven() -> None:
    walk, _ = walk_again(PROGRAM)
    case = walk.view.case
    source = (shelf.scenario_folder(PROGRAM) / "src" / "till.c").read_text().splitlines()
    for by in ("user.ip_", "user.core_"):
        assert case.get(f"{by}function", "") == "charge"
        assert "dish->cents" in source[case.get(f"{by}line", 0) - 1]
    assert case.get("user.pointer", "") == "dish"
    assert case.get("user.signal", "") == "SIGSEGV"
    verdict = walk.view.opinion.verdict
    assert (verdict.root_cause, verdict.attribution) == ("user-space", "user-space")
    assert case.get("fix.built", False)
    assert case.get("user.valgrind_errors", -1) == 0
    assert case.get("validate.verdict", "") == "fixed"
    assert walk.view.state.steps["validate"].status is StepStatus.DONE
    assert walk.view.state.steps["rule-out-hardware"].status is StepStatus.TODO


@EACH_EVENT
def test_an_event_in_the_hardware_is_blamed_on_no_code_and_nothing_is_fixed(
    scenario_id: str,
) -> None:
    walk, _ = walk_again(scenario_id)
    scenario, verdict = shelf.scenario(scenario_id), walk.view.opinion.verdict
    assert (verdict.root_cause, verdict.attribution, verdict.module) == (
        scenario.root_cause,
        scenario.attribution,
        None,
    )
    assert visited(scenario_id) == {question.step for question in scenario.questions}
    assert "fix-code" not in visited(scenario_id)
    assert walk.view.case.get("memtest.passed", False)
    assert walk.view.case.get("stress.passed", False)
    assert walk.suggestion
    assert walk.suggestion.go == "end"


@EACH_EVENT
def test_its_serial_log_alone_says_so_too(scenario_id: str, capsys: Capture) -> None:
    scenario = shelf.scenario(scenario_id)
    told = diagnosed(capsys, str(shelf.scenario_folder(scenario_id) / "serial.log"))
    for opinion in (*(report["diagnosis"] for report in told["reports"]), told["verdict"]):
        assert opinion["root_cause"] == scenario.root_cause
        assert opinion["attribution"] == scenario.attribution


@pytest.mark.parametrize(("scenario_id", "line"), FAULTY_LINES.items())
def test_the_walk_names_the_line_that_faulted(scenario_id: str, line: str) -> None:
    walk, _ = walk_again(scenario_id)
    source = shelf.scenario_folder(scenario_id) / "src" / f"{walk.view.case.suspect}.c"
    assert walk.view.case.get("debug.file", "").endswith(source.name)
    number = walk.view.case.get("debug.line", 0)
    assert source.read_text().splitlines()[number - 1].strip() == line


@EACH_MODULE
def test_the_trigger_runs_as_the_scenario_says(scenario_id: str) -> None:
    walk, _ = walk_again(scenario_id)
    lines = list(shelf.scenario(scenario_id).trigger)
    assert walk.view.case.get("given.trigger", "").splitlines() == lines
    assert len(ran(scenario_id, "trigger")) >= 2 * len(lines)


@EACH_MODULE
def test_the_guests_had_the_kernel_arguments(scenario_id: str) -> None:
    console = (shelf.scenario_folder(scenario_id) / "serial.log").read_text()
    (line,) = re.findall(r"Kernel command line: (.*)", console)
    assert set(shelf.scenario(scenario_id).kernel_args) <= set(line.split())


@EACH_MODULE
@pytest.mark.parametrize("with_module", [False, True], ids=["log alone", "with its module"])
def test_the_serial_log_is_diagnosed(scenario_id: str, with_module: bool, capsys: Capture) -> None:
    folder = shelf.scenario_folder(scenario_id)
    scenario = shelf.scenario(scenario_id)
    beside = ("--module-dir", str(folder)) if with_module else ()
    told = diagnosed(capsys, *beside, str(folder / "serial.log"))
    report, verdict = told["reports"][0], told["verdict"]
    for opinion in (report["diagnosis"], verdict):
        assert opinion["root_cause"] == scenario.root_cause
        assert opinion["attribution"] == scenario.attribution
        assert opinion["module"] == scenario.blamed
    lines = (folder / "serial.log").read_text().splitlines()
    cited = [e["line"] for e in report["diagnosis"]["candidates"][0]["evidence"] if e["line"]]
    span = report["span"]
    assert cited
    assert all(0 < number <= len(lines) for number in cited)
    assert any(span["first_line"] <= number <= span["last_line"] for number in cited)
    (read, *_) = klog.read_file(folder / "serial.log").reports
    if read.module and with_module:
        assert report["source_line"]["file"].endswith(f"{scenario.module}.c")
    else:
        assert report["source_line"] is None


UNRECORDED = {
    RootCause.NONE: "a log without a fault is no case to walk through",
    RootCause.UNKNOWN: "a machine that is at hand shows the cause",
}
"""Causes without a training case, and why."""


def test_together_they_cover_every_cause_that_a_virtual_machine_can_show() -> None:
    shown = {shelf.scenario(scenario_id).root_cause for scenario_id in shelf.scenario_ids()}
    assert shown == set(RootCause) - set(UNRECORDED)


def test_innocent_modules_are_cleared_though_they_are_out_of_tree_too() -> None:
    scenarios = [shelf.scenario(scenario_id) for scenario_id in shelf.scenario_ids()]
    crowded = [scenario for scenario in scenarios if scenario.bystanders]
    assert len(crowded) >= 2
    for scenario in crowded:
        walk, _ = walk_again(scenario.id)
        (lsmod,) = (r for r in walk.view.commands if r.command.tool == "lsmod")
        assert lsmod.result
        loaded = {line.split()[0] for line in lsmod.result.output.splitlines()}
        assert {*scenario.bystanders, scenario.module} <= loaded
        assert walk.view.opinion.verdict.module == scenario.module


def test_the_culprit_is_found_where_no_frame_names_it_and_an_innocent_one_is_named() -> None:
    walk, _ = walk_again("poison-overwritten")
    report = walk.view.case.main_report
    assert report
    assert {frame.module for frame in report.frames} == {None, "tally"}
    assert walk.view.opinion.verdict.module == "meter"


@EACH_MODULE
def test_questions_cover_the_steps(scenario_id: str) -> None:
    scenario = shelf.scenario(scenario_id)
    steps = [step.id for step in shelf.playbook(scenario.playbook).steps]
    asked = [question.step for question in scenario.questions]
    assert asked == sorted(asked, key=steps.index)
    assert set(asked) <= visited(scenario_id)
    assert len(set(asked)) >= len(visited(scenario_id)) - 1
    wanted = {"check-logs", "debug-module", "fix-code", "validate"}
    assert wanted & visited(scenario_id) <= set(asked)
    assert all(q.hint and q.explain and len(q.choices) == 4 for q in scenario.questions)
    assert len({question.answer for question in scenario.questions}) > 2


@EACH
def test_nothing_names_a_place_of_the_machine_that_recorded(scenario_id: str) -> None:
    neutral = (
        *("/usr/", "/var/crash", "/lib/modules/", "/sys/", "/proc/", "/tmp", "/boot/"),
        *("/dev/", "/etc/hostname", "/var/log/"),
    )
    for event in recorded(scenario_id):
        if isinstance(event, CommandStarted):
            paths = [word for word in event.argv if word.startswith("/")]
            assert all(path.startswith(neutral) for path in paths), paths
        if isinstance(event, CommandFinished):
            assert not re.search(r"/(?:home|root|work)/", event.output + event.errors)
    folder = shelf.scenario_folder(scenario_id)
    for data in (path.read_bytes() for path in folder.iterdir() if path.is_file()):
        assert b"/home/" not in data


def answers(path: Path) -> list[QuestionAnswered]:
    return [event for event in read_events(path) if isinstance(event, QuestionAnswered)]


@EACH
def test_training_line_by_line_asks_hints_and_ends_in_a_validated_fix_if_there_is_one(
    scenario_id: str, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    scenario = shelf.scenario(scenario_id)
    typed = "".join(f"h\n{question.answer + 1}\n" for question in scenario.questions)
    monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
    assert main(["train", scenario_id, "--plain"]) == 0
    told = capsys.readouterr().out
    count = len(scenario.questions)
    assert f"{count} of {count} questions right" in told
    has_fix = (shelf.scenario_folder(scenario_id) / "fix.patch").exists()
    assert ("The fix: fixed." in told) is has_fix
    assert ("The fix: " in told) is ("validate" in visited(scenario_id))
    (kept,) = sessions_folder().glob("*.jsonl")
    assert [(a.right, a.hinted) for a in answers(kept)] == [(True, True)] * count


def test_training_goes_on_when_nobody_answers(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    assert main(["train", "null-deref-module"]) == 0
    assert "The fix: fixed." in capsys.readouterr().out


def test_training_lists_its_scenarios(capsys: Capture) -> None:
    assert main(["train"]) == 0
    told = capsys.readouterr().out
    assert all(scenario_id in told for scenario_id in shelf.scenario_ids())
    assert main(["train", "no-such-thing"]) == 2
