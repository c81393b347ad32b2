"""The bundled book: each entry fits its example, and not the text that looks alike."""

from __future__ import annotations

from typing import Final

import pytest

from known.examples import examples, ids
from pagefault_doctor import klog
from pagefault_doctor.model.known_entry import Entry
from pagefault_doctor.playbook.known_book import bundled_folder, read_book

BOOK: Final = read_book(bundled_only=True)
EXAMPLES: Final = examples()


def test_the_book_can_be_read_and_is_no_small_one() -> None:
    assert BOOK.problems == ()
    assert len(BOOK.entries) >= 80
    assert {"modules.yaml", "notices.yaml", "faults.yaml"} <= {
        path.name for path in bundled_folder().iterdir()
    }


@pytest.mark.parametrize("entry", BOOK.entries, ids=lambda entry: entry.id)
def test_an_entry_fits_its_example_before_others_and_not_the_other(entry: Entry) -> None:
    example = EXAMPLES[entry.id]
    assert ids(example["fits"], BOOK.entries)[:1] == [entry.id]
    assert entry.id not in ids(example["other"], BOOK.entries)


@pytest.mark.parametrize("entry", BOOK.entries, ids=lambda entry: entry.id)
def test_an_entry_names_its_source_and_what_to_do(entry: Entry) -> None:
    assert entry.source
    assert entry.do or entry.harmless
    assert not entry.ignore


@pytest.mark.parametrize("entry", BOOK.entries, ids=lambda entry: entry.id)
def test_an_entry_about_a_report_is_in_the_file_that_is_read_there(entry: Entry) -> None:
    of_reports = read_book(bundled_only=True, of_reports=True)
    if klog.read(EXAMPLES[entry.id]["fits"].encode(), "log").reports:
        assert of_reports.find(entry.id)
    assert len(of_reports.entries) < len(BOOK.entries)


def test_every_example_is_of_an_entry() -> None:
    assert set(EXAMPLES) == {entry.id for entry in BOOK.entries}


def test_what_is_harmless_is_not_said_of_a_crash() -> None:
    notices = [entry for entry in BOOK.entries if entry.harmless and entry.match.is_of_lines]
    crash = (
        "[    1.000000] BUG: kernel NULL pointer dereference, address: 0000000000000010\n"
        "[    1.000001] {}\n"
        "[    1.000002] Oops: 0000 [#1] PREEMPT SMP\n"
        "[    1.000003] CPU: 0 PID: 7 Comm: cat Not tainted 6.1.0 #1\n"
        "[    1.000004] RIP: 0010:demo_read+0x11/0x100 [demo]\n"
    )
    assert len(notices) > 40
    for entry in notices:
        example = EXAMPLES[entry.id]["fits"]
        line = example.splitlines()[0].partition("] ")[2] or example
        assert ids(crash.format(line), [entry]) == [], entry.id
