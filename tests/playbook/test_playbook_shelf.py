"""The shelf of bundled playbooks, causes and scenarios."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pagefault_doctor.model.errors import MissingError, UsageError
from pagefault_doctor.playbook import folder as folder_module
from pagefault_doctor.playbook import loader, shelf
from pagefault_doctor.playbook.folder import folder
from pagefault_doctor.playbook.problem import PlaybookError

SCENARIO = """\
schema: 1
id: small-case
title: A small case
summary: It broke.
level: first
playbook: kernel-page-fault
root_cause: null-deref
attribution: module
module: faulty
made: By hand.
lesson: Check what can fail.
questions:
  - id: what
    step: check-logs
    ask: What is it?
    choices: [A fault, A joke]
    answer: 0
    hint: Look.
    explain: It says so.
"""


@pytest.fixture
def own_shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    bundled = folder()
    for name in ("causes.yaml", "kernel-page-fault.yaml"):
        (tmp_path / name).write_bytes((bundled / name).read_bytes())
    case = tmp_path / "scenarios" / "small-case"
    case.mkdir(parents=True)
    (case / "scenario.yaml").write_text(SCENARIO)
    monkeypatch.setattr(shelf, "folder", lambda: tmp_path)
    return tmp_path


def test_the_folder_holds_the_playbooks() -> None:
    assert (folder() / "kernel-page-fault.yaml").is_file()
    assert "causes" not in shelf.playbook_ids()


def test_every_playbook_has_the_id_of_its_file() -> None:
    for playbook_id in shelf.playbook_ids():
        assert shelf.playbook(playbook_id).id == playbook_id


def test_an_unknown_id_lists_what_there_is_and_the_nearest() -> None:
    with pytest.raises(UsageError) as caught:
        shelf.playbook("kernel-pagefault")
    assert "user-space-segfault" in str(caught.value)
    assert "did you mean `kernel-page-fault`?" in str(caught.value)


@pytest.mark.parametrize(
    "name", ["../causes", "causes", "/etc/passwd", "", ".", "..", "*", "kernel-page-fault\0"]
)
def test_no_id_leads_out_of_the_folder(name: str) -> None:
    with pytest.raises(UsageError):
        shelf.playbook(name)
    for ask in (shelf.scenario_folder, shelf.recording_path):
        with pytest.raises(UsageError):
            ask(name)


def test_a_missing_shelf_is_said_with_a_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        folder_module, "__file__", str(tmp_path / "package" / "playbook" / "folder.py")
    )
    with pytest.raises(MissingError, match="not installed; install"):
        folder()


def test_an_installed_package_uses_its_own_playbooks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place in (tmp_path / "package" / "_playbooks", tmp_path / "playbooks"):
        place.mkdir(parents=True)
        (place / "causes.yaml").touch()
    monkeypatch.setattr(
        folder_module, "__file__", str(tmp_path / "package" / "playbook" / "folder.py")
    )
    assert folder() == tmp_path / "package" / "_playbooks"


def test_a_scenario_is_read_with_its_files(own_shelf: Path) -> None:
    assert shelf.scenario_ids() == ("small-case",)
    assert shelf.scenario("small-case").questions[0].step == "check-logs"
    assert shelf.scenario_folder("small-case") == own_shelf / "scenarios" / "small-case"
    with pytest.raises(MissingError, match="no recording"):
        shelf.recording_path("small-case")
    recording = own_shelf / "scenarios" / "small-case" / "recording.jsonl"
    recording.touch()
    assert shelf.recording_path("small-case") == recording


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("root_cause: null-deref", "root_cause: null", 7, "expected text, got nothing"),
        ("root_cause: null-deref", "root_cause: nul-deref", 7, "did you mean `null-deref`?"),
        ("attribution: module", "attribution: modul", 8, "did you mean `module`?"),
        ("playbook: kernel-page-fault", "playbook: other", 6, "there is no playbook `other`"),
        ("step: check-logs", "step: check-log", 14, "did you mean `check-logs`?"),
        ("answer: 0", "answer: 2", 17, "choices count from 0 to 1"),
        ("answer: 0", "answer: -1", 17, "choices count from 0 to 1"),
        ("[A fault, A joke]", "[A fault]", 16, "at least two choices"),
        ("    hint: Look.", "    hints: Look.", 18, "did you mean `hint`?"),
        ("questions:", "inject: [mc 0 4]\nquestions:", 12, "did you mean `mce`?"),
    ],
)
def test_a_mistake_in_a_scenario_is_named_with_its_line(
    own_shelf: Path, old: str, new: str, line: int, words: str
) -> None:
    path = own_shelf / "scenarios" / "small-case" / "scenario.yaml"
    path.write_text(SCENARIO.replace(old, new))
    with pytest.raises(PlaybookError, match=r"small-case/scenario\.yaml") as caught:
        shelf.scenario("small-case")
    assert caught.value.problems[0].line == line
    assert words in caught.value.problems[0].message


def test_a_mistake_in_the_causes_is_named_with_its_line(own_shelf: Path) -> None:
    path = own_shelf / "causes.yaml"
    text = path.read_text()
    path.write_text(text.replace('id: "err-ptr"', "id: er-ptr"))
    with pytest.raises(PlaybookError) as caught:
        shelf.causes()
    lines = text.splitlines()
    assert [(p.line, p.message) for p in caught.value.problems] == [
        (3, "the cause `err-ptr` is missing; add it"),
        (
            1 + lines.index('  - id: "err-ptr"'),
            "there is no root cause `er-ptr`; did you mean `err-ptr`?",
        ),
    ]


def test_a_shelf_that_cannot_be_read_is_not_an_empty_one(
    own_shelf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*path: object) -> list[str]:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as broken:
        broken.setattr(loader, "read", refuse)
        for ask in (
            lambda: shelf.playbook("kernel-page-fault"),
            shelf.causes,
            lambda: shelf.scenario("small-case"),
        ):
            with pytest.raises(MissingError, match="Permission denied; install"):
                ask()
    monkeypatch.setattr(os, "listdir", refuse)
    for listed in (shelf.playbook_ids, shelf.scenario_ids):
        with pytest.raises(MissingError, match="Permission denied; install"):
            listed()
