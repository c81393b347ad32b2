"""Messages that any report may hold: each is a detail of it, with the line that it stands in."""

from __future__ import annotations

import re
from itertools import chain

import pytest

from pagefault_doctor import klog
from pagefault_doctor.klog import details, messages
from pagefault_doctor.klog.formats.table import DETAILS, TABLE
from pagefault_doctor.klog.line import lines_of
from pagefault_doctor.klog.text import ReportText

_ROWS = [(name, word) for name, *words in messages._MESSAGES for word in words]


def found(*lines: str, last: int = 99) -> tuple[dict[str, str], dict[str, int]]:
    """Return the messages of these lines and where they stand."""
    return messages.messages_of(ReportText(lines_of("\n".join(lines), 1)), last)


@pytest.mark.parametrize(("name", "word"), _ROWS)
def test_a_message_is_the_line_that_holds_one_of_its_words(name: str, word: str) -> None:
    held, cited = found("BUG: demo", f" demo: {word} 7 ")
    assert (held[name], cited[name]) == (f"demo: {word} 7", 2)


def test_the_first_line_counts_whichever_word_it_holds() -> None:
    held, cited = found("single-bit error", "single bit error")
    assert (held["single_bit_error"], cited["single_bit_error"]) == ("single-bit error", 1)


def test_the_name_of_a_function_is_no_message() -> None:
    frames = (" skb_over_panic+0x1/0x2", "[<ffffffff81234567>] ? int3+0x10/0x20 [demo]")
    assert found(*frames) == ({}, {})
    assert found(*frames, "int3: 0000 [#1]")[1]["int3"] == 3


def test_a_message_behind_the_end_of_the_report_is_not_its_own() -> None:
    lines = ("BUG: demo", "Machine check events logged", "5 pages RAM")
    assert set(found(*lines)[0]) == {"machine_check", "ram_pages"}
    assert found(*lines, last=1) == ({}, {})


@pytest.mark.parametrize(
    ("line", "values"),
    [
        (
            "list_add corruption. next->prev should be prev (ffff888012345678), but was "
            "ffff888012345679. (next=ffff888012345678).",
            {"link_expected": "ffff888012345678", "link_found": "ffff888012345679"},
        ),
        (
            "prev->next should be c1234568, but was   (null)",
            {},
        ),
        ("INFO: task demo/0:77 <abc> blocked for more than 120 seconds.", {"hung_task": "demo/0"}),
        (
            "Node 0 slab_unreclaimable:52kB slab_unreclaimable:1700 mapped:3",
            {"slab_unreclaimable": "1700"},
        ),
        ("2097052 pages RAM", {"ram_pages": "2097052"}),
        ("BUG: KASAN: slab-out-of-bounds in demo", {"out_of_bounds": "BUG: KASAN: slab-out-of-"
         "bounds in demo"}),
        ("UBSAN: shift-out-of-bounds in demo.c:7:1", {}),
        ("UBSAN: array-index-out-of-bounds in demo.c:7:1", {}),
    ],
)  # fmt: skip
def test_a_value_is_read_from_its_line(line: str, values: dict[str, str]) -> None:
    named = {name for _, pattern in messages._VALUES for name in _names(pattern.pattern)}
    assert {name: value for name, value in found(line)[0].items() if name in named} == values


def test_a_report_has_its_messages_among_its_details() -> None:
    log = "BUG: Bad page map in process demo  pte:00000007 pmd:00000001\naddr:0000 vm_flags:7\n"
    (report,) = klog.read(log.encode(), "log").reports
    assert report.details["bad_page_map"].startswith("BUG: Bad page map")
    assert report.details["pte"] == "00000007"
    assert report.cited["bad_page_map"] == 1


def test_no_two_tables_name_a_detail_alike() -> None:
    mine = [name for name, *_ in messages._MESSAGES]
    # The words of one value may differ between releases.
    mine += {name for _, pattern in messages._VALUES for name in _names(pattern.pattern)}
    others = {
        name
        for source in chain(*DETAILS.values(), *(row.details for row in TABLE.rows))
        for name in _names(source)
    }
    others |= {name for row in details._FIELDS for name in _names(row.pattern.pattern)}
    assert len(mine) == len(set(mine))
    assert others.isdisjoint(mine)


def _names(source: str) -> list[str]:
    return re.findall(r"\?P<(\w+)>", source)
