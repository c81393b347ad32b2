"""Loading a playbook: every kind of mistake is named at its line and column."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pagefault_doctor.files.regular_file import NotRegularError
from pagefault_doctor.model.errors import ExitCode
from pagefault_doctor.model.playbook import Playbook
from pagefault_doctor.playbook import loader
from pagefault_doctor.playbook.document import SIZE_LIMIT
from pagefault_doctor.playbook.problem import PlaybookError

GOOD = """\
schema: 1
id: small-book
title: Small
summary: Two steps.
steps:
  - id: look
    title: Look
    why: To see.
    tools: [dmesg, journal]
    suggest:
      - when: {fact: report.module, present: true}
        go: mend
        because: It is in {report.module}.
      - go: end
        because: Nothing to mend.
  - id: mend
    title: Mend
    why: To cure.
"""


def broken(old: str, new: str) -> str:
    assert GOOD.count(old) == 1, f"{old!r} must stand in the good playbook once"
    return GOOD.replace(old, new)


def test_a_good_playbook_loads() -> None:
    book = loader.load(GOOD, "small.yaml")
    assert [step.id for step in book.steps] == ["look", "mend"]
    assert book.step("look").suggest[0].go == "mend"
    assert loader.check(GOOD, "small.yaml") == ()


@pytest.mark.parametrize(
    ("old", "new", "line", "column", "path", "words"),
    [
        ("schema: 1", "schema: 2", 1, 9, "$.schema", "schema 2 is not known"),
        ("schema: 1", "schema: one", 1, 9, "$.schema", "expected a whole number, got text"),
        ("id: small-book", "id: Small_Book", 2, 5, "$.id", "small letters"),
        ("id: small-book", "id: ../book", 2, 5, "$.id", "small letters"),
        ("title: Small", "titel: Small", 3, 1, "$", "did you mean `title`?"),
        ("title: Small\n", "", 1, 1, "$", "the field `title` is missing"),
        ("title: Small", "title: 5", 3, 8, "$.title", "put it in quotes"),
        ("title: Small", "title: yes", 3, 8, "$.title", "got true or false; put it in quotes"),
        ("why: To see.", "because: To see.", 8, 5, "$.steps[0]", "unknown field `because`"),
        ("    why: To cure.\n", "", 16, 5, "$.steps[1]", "the field `why` is missing"),
        ("why: To cure.", "why: ''", 18, 10, "$.steps[1].why", "`why` is empty"),
        ("id: look", "id: mend", 16, 9, "$.steps[1].id", "`mend` is there twice"),
        ("id: look", "id: end", 6, 9, "$.steps[0].id", "means the end"),
        ("[dmesg, journal]", "[dmesg, dmesg]", 9, 20, "$.steps[0].tools[1]", "there twice"),
        ("[dmesg, journal]", "dmesg", 9, 12, "$.steps[0].tools", "expected a list, got text"),
        ("go: mend", "go: mendd", 12, 13, "$.steps[0].suggest[0].go", "did you mean `mend`?"),
        ("go: mend", "go: 3", 12, 13, "$.steps[0].suggest[0].go", "expected text"),
        ("go: mend", "goto: mend", 12, 9, "$.steps[0].suggest[0]", "did you mean `go`?"),
        (
            "It is in {report.module}.",
            "It is in {report.module.",
            13,
            18,
            "$.steps[0].suggest[0].because",
            "a brace must hold a fact name",
        ),
        (
            "It is in {report.module}.",
            "It is in {module}.",
            13,
            18,
            "$.steps[0].suggest[0].because",
            "`module` is no fact name",
        ),
        (
            "present: true",
            "present: 7",
            11,
            46,
            "$.steps[0].suggest[0].when.present",
            "expected true or false or nothing, got a whole number",
        ),
        (
            ", present: true",
            "",
            11,
            15,
            "$.steps[0].suggest[0].when",
            "exactly one of `is`, `in`, `present` and `at_least`",
        ),
        (
            "present: true",
            "present: true, is: x",
            11,
            15,
            "$.steps[0].suggest[0].when",
            "exactly one of `is`, `in`, `present` and `at_least`",
        ),
        (
            "{fact: report.module, present: true}",
            "{is: x}",
            11,
            15,
            "$.steps[0].suggest[0].when",
            "exactly one of `all`, `any` and `not`",
        ),
        (
            "{fact: report.module, present: true}",
            "{all: []}",
            11,
            21,
            "$.steps[0].suggest[0].when.all",
            "`all` is empty",
        ),
        (
            "{fact: report.module, present: true}",
            "{not: {any: [{fact: Report, is: x}]}}",
            11,
            35,
            "$.steps[0].suggest[0].when.not.any[0].fact",
            "`Report` is no fact name",
        ),
        (
            "{fact: report.module, present: true}",
            "{all: [{fact: a.b, is: x}], any: [{fact: a.b, is: x}]}",
            11,
            15,
            "$.steps[0].suggest[0].when",
            "exactly one of `all`, `any` and `not`",
        ),
        (
            "      - when: {fact: report.module, present: true}\n        go",
            "      - go",
            13,
            9,
            "$.steps[0].suggest[1]",
            "never reached",
        ),
    ],
)
def test_a_mistake_is_named_where_it_stands(
    old: str, new: str, line: int, column: int, path: str, words: str
) -> None:
    (problem,) = loader.check(broken(old, new), "small.yaml")
    assert words in problem.message
    assert (problem.line, problem.column, problem.path) == (line, column, path)


def test_a_playbook_needs_a_step() -> None:
    text = "schema: 1\nid: x\ntitle: x\nsummary: x\nsteps: []\n"
    (problem,) = loader.check(text, "x")
    assert (problem.line, problem.message) == (5, "there is no step; write at least one")


def test_what_is_no_mapping_is_no_playbook() -> None:
    (problem,) = loader.check("- a\n- b\n", "x")
    assert problem.message == "expected a mapping, got a list; correct it"


def test_unknown_tools_and_facts_are_named_when_the_known_are_given() -> None:
    problems = loader.check(GOOD, "x", known_tools=["dmesg", "journals"], known_facts=["report.m"])
    assert [(p.line, p.message) for p in problems] == [
        (9, "there is no tool `journal`; did you mean `journals`?"),
        (11, "there is no fact `report.module`; did you mean `report.m`?"),
        (13, "there is no fact `report.module`; did you mean `report.m`?"),
    ]


def test_the_status_of_a_step_is_a_known_fact() -> None:
    text = broken("fact: report.module", "fact: step.look.status").replace("{report.module}", "it")
    assert loader.check(text, "x", known_facts=[]) == ()
    other = text.replace("step.look.status", "step.gone.status")
    assert [problem.line for problem in loader.check(other, "x", known_facts=[])] == [11]


def test_all_mistakes_are_found_at_once_in_the_order_of_the_file() -> None:
    text = broken("id: small-book", "id: Small").replace("go: mend", "go: gone")
    with pytest.raises(PlaybookError) as caught:
        loader.load(text, "small.yaml")
    assert [problem.line for problem in caught.value.problems] == [2, 12]
    assert str(caught.value).startswith("small.yaml:2:5: ")
    assert str(caught.value).endswith("(and 1 more)")
    assert caught.value.exit_code is ExitCode.USAGE


@settings(max_examples=150)
@given(st.integers(0, len(GOOD)), st.integers(0, 12), st.text(max_size=6))
def test_any_damage_gives_a_playbook_or_a_refusal(at: int, length: int, text: str) -> None:
    damaged = GOOD[:at] + text + GOOD[at + length :]
    problems = loader.check(damaged, "x")
    assert all(problem.line >= 1 and problem.column >= 1 for problem in problems)
    if not problems:
        assert isinstance(loader.load(damaged, "x"), Playbook)


def test_what_is_no_regular_file_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    for path in (tmp_path / "fifo", tmp_path, Path("/dev/zero")):
        with pytest.raises(NotRegularError):
            loader.read(path)


def test_a_file_is_read_no_further_than_its_limit(tmp_path: Path) -> None:
    path = tmp_path / "big.yaml"
    path.write_bytes(b"a: \xff\r\n" + b"#" * (SIZE_LIMIT * 2))
    text = loader.read(path)
    assert text.startswith("a: \ufffd\n#")
    assert len(text) <= SIZE_LIMIT
    assert "larger than" in loader.check(text + "#" * 9, "big.yaml")[0].message


ELSEWHERE = """\
schema: 1
id: small
title: Small
summary: For tests.
steps:
  - id: look
    title: Look
    why: To see.
    suggest:
      - go: dig
        playbook: deep
        because: It goes on there.
"""
OTHERS = {"deep": ("dig", "mend"), "broken": ()}


def test_a_suggestion_may_lead_to_a_step_of_another_playbook() -> None:
    assert loader.check(ELSEWHERE, "x", others=OTHERS) == ()
    assert loader.load(ELSEWHERE, "x").steps[0].suggest[0].playbook == "deep"


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("deep", "deeep", 11, "there is no playbook `deeep`; did you mean `deep`?"),
        ("go: dig", "go: digg", 10, "there is no step of deep `digg`; did you mean `dig`?"),
        ("go: dig", "go: look", 10, "there is no step of deep `look`"),
        ("go: dig", "go: end", 10, "there is no step of deep `end`"),
        ("deep", "small", 10, "there is no step of small `dig`"),
    ],
)
def test_an_unknown_playbook_or_step_of_it_is_named(
    old: str, new: str, line: int, words: str
) -> None:
    (problem,) = loader.check(ELSEWHERE.replace(old, new), "x", others=OTHERS)
    assert problem.line == line
    assert words in problem.message


def test_steps_of_a_playbook_that_is_broken_itself_are_not_judged() -> None:
    assert loader.check(ELSEWHERE.replace("deep", "broken"), "x", others=OTHERS) == ()
