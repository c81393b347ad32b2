"""What a YAML document may hold, and the reported place of its mistakes."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from pagefault_doctor.playbook.document import SIZE_LIMIT, parse
from pagefault_doctor.playbook.problem import PlaybookError, Problem


def refusal(text: str) -> Problem:
    with pytest.raises(PlaybookError) as caught:
        parse(text, "book.yaml")
    return caught.value.problems[0]


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ("", 1, 1, "empty"),
        ("# only a comment\n", 1, 1, "empty"),
        ("id: [a, b\ntitle: x\n", 2, 6, "not valid YAML"),
        ("id: x\n  title: y\n", 2, 8, "not valid YAML"),
        ("id: x\n\ttitle: y\n", 2, 1, "not valid YAML"),
        ("id: a\n---\nid: b\n", 2, 1, "not valid YAML"),
        ("id: &name x\n", 1, 5, "anchors and aliases"),
        ("id: x\ntitle: *name\n", 2, 8, "anchors and aliases"),
        ("id: !!str x\n", 1, 5, "tags"),
        ("id: !!python/object/apply:os.system [ls]\n", 1, 5, "tags"),
        ("id: x\nid: y\n", 2, 1, "`id` is given twice"),
        ('id: x\n"id": y\n', 2, 1, "`id` is given twice"),
        ("steps:\n  - id: x\n    id: y\n", 3, 5, "`id` is given twice"),
        ("1: x\n", 1, 1, "a key must be plain text"),
        ("id: x\non: y\n", 2, 1, "a key must be plain text"),
        ("? [a]\n: x\n", 1, 3, "a key must be plain text"),
        ("<<: {id: x}\n", 1, 1, "a key must be plain text"),
        ("id: x\ntitle: a\x1b[2Jb\n", 2, 9, "control or bidi"),
        ("id: x\ntitle: a\u202eb\n", 2, 9, "control or bidi"),
        ("id: x\ntitle: a\ufffeb\n", 2, 9, "control or bidi"),
        ('id: x\ntitle: "a\\x1b[2J"\n', 2, 8, "control or bidi"),
        ('id: x\ntitle: "\\u202E"\n', 2, 8, "control or bidi"),
        ("a: 1:30\n", 1, 4, "not a plain number"),
        ("a: 0x1f\n", 1, 4, "not a plain number"),
        (f"a: {'9' * 5000}\n", 1, 4, "not a plain number"),
        (f"a: {'[' * 40}{']' * 40}\n", 1, 35, "deep"),
        ("a: " + "[" * 100_000, 1, 35, "deep"),
        (f"a: {'x' * SIZE_LIMIT}\n", 1, 1, "larger than 256 kB"),
    ],
)
def test_a_bad_document_is_refused_where_it_is_bad(
    text: str, line: int, column: int, words: str
) -> None:
    problem = refusal(text)
    assert words in problem.message
    assert (problem.line, problem.column) == (line, column)


def test_the_message_names_file_line_and_column() -> None:
    with pytest.raises(PlaybookError, match=r"^book\.yaml:2:1: `id` is given twice; remove one$"):
        parse("id: x\nid: y\n", "book.yaml")


def test_a_message_stays_one_line_whatever_it_quotes() -> None:
    assert refusal('"a\\nb": 1\n"a\\nb": 2\n').message == "`a\\x0ab` is given twice; remove one"


def test_plain_data_comes_out_as_it_stands() -> None:
    text = "a: text\nb: 3\nc: 1.5\nd: true\ne: null\nf: [x, 2]\ng:\n  h: >-\n    one\n    two\n"
    assert parse(text, "x").data == {
        "a": "text",
        "b": 3,
        "c": 1.5,
        "d": True,
        "e": None,
        "f": ["x", 2],
        "g": {"h": "one two"},
    }


def test_a_date_stays_text() -> None:
    assert parse("made: 2024-02-30\n", "x").data == {"made": "2024-02-30"}


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("$", (1, 1)),
        ("$.a", (2, 3)),
        ("$.a[1]", (3, 5)),
        ("$.a[1].c", (4, 8)),
        ("$.a[1].gone", (3, 5)),
        ("$.a[7]", (2, 3)),
        ("$.nowhere.at.all", (1, 1)),
    ],
)
def test_a_path_leads_to_its_line_and_column(path: str, place: tuple[int, int]) -> None:
    document = parse("a:\n  - b: 1\n  - b: 2\n    c: 3\n", "x")
    problem = document.problem(path, "wrong")
    assert (problem.line, problem.column) == place
    assert problem.path == path


def problems(text: str) -> tuple[Problem, ...]:
    try:
        parse(text, "x")
    except PlaybookError as error:
        return error.problems
    return ()


@settings(max_examples=150)
@given(st.one_of(st.text(), st.text(alphabet="ab:-[]{}&*!|>'\"#\n ?<,0.\\x")))
def test_any_text_gives_a_document_or_is_refused_in_words(text: str) -> None:
    for problem in problems(text):
        assert problem.line >= 1
        assert problem.column >= 1
        assert problem.message


@settings(max_examples=100)
@given(st.binary())
def test_any_bytes_decoded_give_a_document_or_are_refused_in_words(data: bytes) -> None:
    for problem in problems(data.decode("utf-8", "replace")):
        assert problem.message


def test_the_slow_loader_refuses_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pagefault_doctor.playbook.document._LOADER", yaml.SafeLoader)
    assert "anchors" in refusal("id: &a x\n").message
    assert "deep" in refusal("a: " + "[" * 3000).message
    assert refusal("id: x\nid: y\n").line == 2
