"""The table of next steps: its file is right, and mistakes in one are found with their line."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from pagefault_doctor.diagnosis.named_circumstances import NAMED
from pagefault_doctor.klog.details import known_details
from pagefault_doctor.model.known_entry import KnownFile
from pagefault_doctor.model.situation import Situation, Situations
from pagefault_doctor.playbook import loader, situation_checks
from pagefault_doctor.playbook.compiled import read_table
from pagefault_doctor.playbook.folder import folder
from pagefault_doctor.playbook.known_book import bundled_folder
from pagefault_doctor.playbook.next_steps import FILE, situations
from pagefault_doctor.playbook.shelf import playbook
from pagefault_doctor.session.derived_facts import known_facts
from pagefault_doctor.tools import TOOLS

NAMES = NAMED | known_details()
FACTS = known_facts(TOOLS.values())


def table(row: str) -> str:
    return f"schema: 1\nsituations:\n  - id: one\n    do: Look.\n{row}"


def mistakes(text: str) -> list[tuple[int, str]]:
    return [(p.line, p.message) for p in situation_checks.check(text, FILE, NAMES, FACTS)]


def test_the_bundled_table_has_no_mistake() -> None:
    assert mistakes((folder() / FILE).read_text()) == []


def test_the_compiled_table_is_that_of_the_file() -> None:
    made = read_table(FILE, Situations)
    assert made is not None, "make tables writes it anew"
    assert made == situation_checks.bundled(FILE)


@pytest.mark.parametrize("name", [path.name for path in bundled_folder().glob("*.yaml")])
def test_each_compiled_file_of_known_cases_is_that_of_the_file(name: str) -> None:
    made = read_table(f"known/{name}", KnownFile)
    assert made is not None, "make tables writes it anew"
    path = bundled_folder() / name
    assert made.entries == loader.load_known(loader.read(path), name)


def test_a_changed_file_is_read_instead_of_what_was_compiled_from_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / FILE).write_text((folder() / FILE).read_text() + "\n# a remark\n")
    monkeypatch.setattr("pagefault_doctor.playbook.compiled.folder", lambda: tmp_path)
    assert read_table(FILE, Situations) is None


def test_the_table_knows_many_situations_and_ends_with_one_that_always_applies() -> None:
    rows = situations()
    assert len(rows) >= 40
    assert rows[-1].when == {}
    assert all(row.when for row in rows[:-1])


def test_each_situation_belongs_to_a_step_of_the_playbook() -> None:
    steps = {step.id for step in playbook("kernel-page-fault").steps}
    assert {row.step for row in situations()} <= steps


def test_no_two_situations_have_the_same_sentence() -> None:
    sentences = [row.do for row in situations()]
    assert len(set(sentences)) == len(sentences)


def test_no_sentence_keeps_a_module_from_loading_that_the_machine_may_need() -> None:
    for row in situations():
        avoids = (
            "modprobe -r" in row.do or "keep it from loading" in row.do or "blacklist" in row.do
        )
        safe = row.unless.get("vital") is True or "Do not keep it" in row.do
        assert not avoids or safe, row.id


@pytest.mark.parametrize(
    ("row", "line", "message"),
    [
        ("    when: {cuase: oom}\n", 5, "there is no condition `cuase`; did you mean `cause`?"),
        ("    when: {cause: omm}\n", 5, "there is no cause `omm`; did you mean `oom`?"),
        ("    when: {sure: maybe}\n", 5, "needs true or false"),
        ("    when: {cause: true}\n", 5, "needs text, or a list of texts"),
        ("    when: {line: '('}\n", 5, "`(` is no regular expression"),
        ("    when: {facts: {no.such: true}}\n", 5, "there is no fact `no.such`"),
        ("    unless: {gone: 'yes'}\n", 5, "needs true or false"),
        ("    command: [cat, '{fucntion}']\n", 5, "there is no name `fucntion`"),
        ("  - id: one\n    do: Look again.\n", 5, "`one` is there twice"),
        ("  - id: Two\n    do: Look again.\n", 5, "an id is made of small letters"),
        ("    wen: {}\n", 5, "unknown field `wen`"),
        ("  - id: two\n    do: ''\n", 6, "write one to three short sentences"),
    ],
)
def test_a_mistake_is_found_at_its_line(row: str, line: int, message: str) -> None:
    assert any(at == line and message in text for at, text in mistakes(table(row)))


def test_a_row_that_always_applies_may_only_be_the_last() -> None:
    later = table("  - id: two\n    do: Look again.\n")
    assert any("no later one is reached" in text for _, text in mistakes(later))


def test_a_group_of_an_expression_is_a_name_of_the_sentence() -> None:
    row = "  - id: two\n    do: Look at {port}.\n    when: {line: '(?P<port>ata\\d)'}\n"
    assert not any("port" in text for _, text in mistakes(table(row)))


def test_the_types_of_rows_are_checked_too() -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"id": 1, "do": "x"}, Situation)
