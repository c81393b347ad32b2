"""Files of known cases: every mistake is named at its line and column."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pagefault_doctor.files.home_folder import NoHomeError
from pagefault_doctor.model.known_entry import release
from pagefault_doctor.playbook import known_book
from pagefault_doctor.playbook.known_book import MOST_FILES, read_book, users_folder
from pagefault_doctor.playbook.loader import load_known
from pagefault_doctor.playbook.problem import PlaybookError, Problem

GOOD = """\
schema: 1
entries:
  - id: demo-one
    match:
      phrase: demo lost its way
      kind: warning
      kernel: {since: "6.1", before: "6.4.3"}
    says: The demo is lost.
    do: Find it.
  - id: demo-two
    match: {signature: WARNING in demo_open}
    says: The demo does not open.
"""


def problems(text: str) -> tuple[Problem, ...]:
    """Return the mistakes in a file."""
    with pytest.raises(PlaybookError) as raised:
        load_known(text, "known.yaml")
    return raised.value.problems


def test_a_good_file_loads() -> None:
    one, two = load_known(GOOD, "known.yaml")
    assert (one.id, two.id) == ("demo-one", "demo-two")
    assert one.match.kernel is not None
    assert one.match.kernel.before == "6.4.3"
    assert not one.match.is_of_lines
    assert two.match.signature == "WARNING in demo_open"


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("schema: 1", "schema: 2", 1, "schema 2 is not known"),
        ("id: demo-one", "id: Demo One", 3, "small letters"),
        ("id: demo-two", "id: demo-one", 10, "there twice"),
        ("      kind: warning", "      kinds: warning", 6, "did you mean `kind`?"),
        ("kind: warning", "kind: warming", 6, "did you mean `warning`?"),
        ("    do: Find it.", "    fix: Find it.", 9, "unknown field `fix`"),
        ("phrase: demo lost its way", "phrase: demo*way", 5, "6 characters"),
        ("phrase: demo lost its way", "phrase: '*'", 5, "only `*`"),
        ("phrase: demo lost its way", f"phrase: {'x' * 201}", 5, "more than 200"),
        ("phrase: demo lost its way", "root_cause: gremlins", 5, "no root cause `gremlins`"),
        ('since: "6.1"', 'since: "six"', 7, "no kernel release"),
        ('since: "6.1"', "since: 6.1", 7, "expected text"),
        ('since: "6.1"', 'since: "6.5"', 7, "not below"),
        ('since: "6.1"', 'sinec: "6.1"', 7, "did you mean `since`?"),
        ("says: The demo is lost.", "says: ' '", 8, "is empty"),
        ("says: The demo is lost.", f"says: {'x' * 301}", 8, "more than 300"),
        ("{signature: WARNING in demo_open}", "{arch: x86_64}", 11, "every report"),
        ("    says: The demo does not open.\n", "", 10, "`says` is missing"),
        ("says: The demo is lost.", 'says: "a\\e[31mb"', 8, "control"),
    ],
)
def test_a_mistake_is_named_where_it_is(old: str, new: str, line: int, words: str) -> None:
    assert GOOD.count(old) == 1
    found = problems(GOOD.replace(old, new))
    assert any(words in each.message and each.line == line for each in found), found


def test_a_file_has_a_bounded_number_of_entries_and_values() -> None:
    entry = "  - {{id: demo-{}, match: {{phrase: demo is lost}}, says: Lost.}}\n"
    many = "schema: 1\nentries:\n" + "".join(entry.format(n) for n in range(501))
    assert "more than 500 entries" in problems(many)[0].message
    values = ", ".join(f"demo lost {n}" for n in range(33))
    one = f"schema: 1\nentries:\n  - {{id: a, match: {{phrase: [{values}]}}, says: Lost.}}\n"
    assert "more than 32 values" in problems(one)[0].message


def environ(tmp_path: Path, **files: str) -> dict[str, str]:
    """Return an environment whose user has these files in the book."""
    folder = tmp_path / "pfdoctor/known"
    folder.mkdir(parents=True)
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text)
    return {"XDG_CONFIG_HOME": str(tmp_path)}


def test_the_users_entries_come_first_and_replace_bundled_ones(tmp_path: Path) -> None:
    mine = GOOD.replace("demo-two", "unknown-symbol")
    book = read_book(environ=environ(tmp_path, mine=mine))
    assert [each.entry.id for each in book.shelved[:2]] == ["demo-one", "unknown-symbol"]
    assert not book.shelved[0].bundled
    assert [entry.id for entry in book.entries].count("unknown-symbol") == 1
    assert book.find("unknown-symbol") == book.shelved[1]
    assert book.problems == ()


def test_the_machines_entries_come_between(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_book, "OF_MACHINE", tmp_path / "etc")
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/site.yaml").write_text(GOOD.replace("The demo is lost", "Of the site"))
    mine = GOOD.replace("demo-two", "demo-three").replace("The demo is lost", "Of the user")
    book = read_book(environ=environ(tmp_path / "home", mine=mine))
    assert [each.entry.id for each in book.shelved[:3]] == ["demo-one", "demo-three", "demo-two"]
    assert book.entries[0].says == "Of the user."


def test_a_broken_file_is_left_out_and_named(tmp_path: Path) -> None:
    files = environ(tmp_path, broken="schema: 1\nentries: 7\n", good=GOOD)
    book = read_book(environ=files)
    assert book.find("demo-one")
    assert len(book.problems) == 1
    assert "broken.yaml:2:10: " in book.problems[0]


def test_a_fifo_or_a_large_file_is_left_out(tmp_path: Path) -> None:
    files = environ(tmp_path, large="#" * 300_000)
    os.mkfifo(users_folder(files) / "fifo.yaml")
    book = read_book(environ=files)
    assert len(book.problems) == 2
    assert book.find("unknown-symbol")


def test_a_folder_has_a_bounded_number_of_files(tmp_path: Path) -> None:
    names = {f"file{n:03}": GOOD for n in range(MOST_FILES + 1)}
    book = read_book(environ=environ(tmp_path, **names))
    assert "only the first 64 files" in book.problems[0]


def test_without_a_home_the_others_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_home(environ: object) -> Path:
        raise NoHomeError

    monkeypatch.setattr(known_book, "users_folder", no_home)
    assert read_book().find("unknown-symbol")
    assert read_book(bundled_only=True).problems == ()


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("6.1.0-13-amd64", (6, 1, 0)),
        ("6.12", (6, 12, 0)),
        ("5.4.0+", (5, 4, 0)),
        ("6.13-rc2", (6, 13, 0)),
        ("4.18.0-553.el8_10.x86_64", (4, 18, 0)),
        ("six", None),
        ("", None),
        ("6", None),
    ],
)
def test_the_numbers_of_a_release(text: str, numbers: tuple[int, int, int] | None) -> None:
    assert release(text) == numbers


@given(st.text())
def test_any_text_may_be_a_release(text: str) -> None:
    release(text)
