"""Without `--playbook`, the log that is given decides in which one the walk begins."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pagefault_doctor import klog
from pagefault_doctor.cli.main import main
from pagefault_doctor.session.chosen_playbook import playbook_of
from session.logs_from_elsewhere import LOGS
from tools.example_reports import OOPS


def run(tmp_path: Path, name: str, *options: str) -> tuple[str, ...]:
    log = tmp_path / "case.log"
    log.write_text(LOGS[name][0])
    return ("run", "--log", str(log), "--log-of", "another", *options)


@pytest.mark.parametrize("name", LOGS)
def test_the_log_decides(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(run(tmp_path, name, "--json")) == 0
    told = capsys.readouterr()
    document = json.loads(told.out)
    assert document["playbooks"] == [LOGS[name][1]]
    assert ("The playbook is " in told.err) is (LOGS[name][1] != "kernel-page-fault")


def test_the_option_wins(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(run(tmp_path, "null", "--playbook", "corrupted-stack", "--json")) == 0
    assert json.loads(capsys.readouterr().out)["playbooks"] == ["corrupted-stack"]


def test_a_walk_that_goes_on_elsewhere_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(run(tmp_path, "oom", "--playbook", "user-space-segfault")) == 0
    assert "Playbook: Memory pressure (memory-pressure)" in capsys.readouterr().err


def test_an_unknown_playbook_of_a_suggestion_is_named_by_the_check(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    book = tmp_path / "small.yaml"
    book.write_text(
        "schema: 1\nid: small\ntitle: S\nsummary: S.\nsteps:\n  - id: look\n    title: L\n"
        "    why: W.\n    suggest:\n"
        "      - {go: examine-core, playbook: user-segfault, because: So.}\n"
    )
    assert main(("playbook", "check", str(book))) == 2
    said = capsys.readouterr().out
    assert ":10:" in said
    assert "there is no playbook `user-segfault`; did you mean `user-space-segfault`?" in said


@pytest.mark.parametrize("name", ["core", "program"])
def test_a_program_in_hand_has_the_playbook_for_programs(name: str) -> None:
    assert playbook_of((), {name: "/there"}) == "user-space-segfault"
    assert playbook_of((), {"vmcore": "/there"}) == "kernel-page-fault"


def test_what_the_log_says_counts_before_what_is_given() -> None:
    log = klog.read(OOPS.encode(), "crash.log")
    assert playbook_of((log,), {"program": "/there"}) == "kernel-page-fault"
