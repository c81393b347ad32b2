"""What is looked for only where a word of it stands is found as if it were looked for anywhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import import_module
from itertools import chain, product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pagefault_doctor.klog import arch, details, fault, guilty_function, registers
from pagefault_doctor.klog.formats.format import Format
from pagefault_doctor.klog.formats.table import DETAILS, TABLE
from pagefault_doctor.klog.line import LogLine, lines_of, split, thorough
from pagefault_doctor.klog.skip_functions import ANCHORS
from pagefault_doctor.klog.text import ReportText
from pagefault_doctor.model.pattern import words_of

LOGS = Path(__file__).parents[1] / "logs"
parse: Any = import_module("re._parser").parse

EXPRESSIONS = sorted(
    {*(f.wording.pattern.pattern for f in TABLE.rows), *chain(*DETAILS.values())}
    | {*chain(*(f.details for f in TABLE.rows))}
    | {place for form in TABLE.rows for way in (*form.ways, form.origin) for place in way}
    | {form.skip for form in TABLE.rows if form.skip}
    | {row.pattern.pattern for row in details._FIELDS}
    | {*guilty_function._ANYWHERE, *ANCHORS, guilty_function._HEADS.pattern.pattern}
)
ROWS = [
    *((word, pattern.pattern) for _, word, pattern in arch._SIGNS),
    *((word, pattern.pattern) for word, pattern in fault._ADDRESS),
    *((word, pattern.pattern) for word, pattern in fault._FAULTED),
    *((word, pattern.pattern) for word, pattern in registers._POINTERS),
]


def texts(parsed: Any) -> Iterator[str]:
    """Yield the texts that a parsed expression matches, with NUL for what is not plain in it."""
    return map("".join, product(*(tuple(_of(str(op), value)) for op, value in parsed)))


def _of(op: str, value: Any) -> Iterator[str]:
    if op == "LITERAL":
        yield chr(value)
    elif op == "SUBPATTERN":
        yield from texts(value[-1])
    elif op == "BRANCH":
        yield from (text for branch in value[1] for text in texts(branch))
    elif op in ("MAX_REPEAT", "MIN_REPEAT"):
        least, _, inner = value
        yield from ("",) if not least else ()
        yield from (text * max(least, 1) for text in texts(inner))
    else:
        yield "\0"


def assert_needed(words: tuple[str, ...], source: str) -> None:
    """Assert that whatever the expression matches holds one of the words."""
    for text in texts(parse(source)):
        assert any(word in text for word in words), text


@pytest.mark.parametrize("source", EXPRESSIONS)
def test_every_text_that_a_form_says_or_a_detail_stands_in_holds_one_of_its_words(
    source: str,
) -> None:
    assert_needed(words_of(source), source)


@pytest.mark.parametrize("row", [row for row in TABLE.rows if row.start], ids=lambda row: row.start)
def test_every_start_holds_a_word_that_a_log_is_searched_for(row: Format) -> None:
    assert all(row.words)
    assert_needed(row.words, row.start)
    assert_needed(TABLE.needles, row.start)


@pytest.mark.parametrize(("word", "source"), ROWS)
def test_the_word_of_a_row_stands_in_all_that_its_expression_matches(
    word: str, source: str
) -> None:
    assert_needed((word,), source)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("BUG: (.+)", ("BUG: ",)),
        (r"(?:WARNING|INFO): bad lock", (": bad lock",)),
        ("one|the other", ("one", "the other")),
        ("(?P<check>list_(?:add|del) corruption)", (" corruption",)),
        ("maybe(?: never)? this?", ("maybe",)),
        (r"\[<[0-9a-f]+>\]", ("[<",)),
        ("ab{0,3}", ("a",)),
        ("(?!not this)but this", ("but this",)),
        (r"\d+", ("",)),
    ],
)
def test_the_words_are_the_most_telling_plain_text(source: str, words: tuple[str, ...]) -> None:
    assert words_of(source) == words


@pytest.mark.parametrize(
    ("text", "machine"),
    [
        ("intel_pstate: CPU model not supported", None),
        ("pstate: 60400005 (nZCv daif +PAN -UAO)", "arm64"),
        ("x0 : 0000000000000000 x1 : 0000000000000001", None),
        ("x29: ffff8000082bba00 x28: ffff7999c288d610", "arm64"),
        ("the index0: 0000000000000000", None),
        ("ORIG_RAX: ffffffffffffffff", "x86_64"),
    ],
)
def test_a_word_inside_another_is_no_sign_of_a_machine(text: str, machine: str | None) -> None:
    assert arch.arch_of(lines_of(f"BUG: demo\n{text}", 1)) == machine


def test_every_header_shows_a_sign_by_which_other_lines_are_ruled_out() -> None:
    for header in TABLE.headers:
        assert any(sign in header for sign in TABLE.signs), header


@given(st.lists(st.text("ab c", max_size=6), max_size=8), st.lists(st.text("ab ", min_size=1)))
def test_a_body_finds_the_lines_that_hold_a_word(texts: list[str], words: list[str]) -> None:
    lines = [LogLine(number, text) for number, text in enumerate(texts, 1)]
    expected = [line for line in lines if any(word in line.text for word in words)]
    assert ReportText(lines).holding(*words) == expected


def test_a_body_leaves_out_the_frames_of_call_traces() -> None:
    lines = lines_of("Call Trace:\n panic_once+0x10/0x20\n ? panic+0x1/0x2 [m]\nKernel panic", 1)
    assert [line.frame for line in lines] == [
        None,
        (None, "panic_once", "10", "20", None),
        ("? ", "panic", "1", "2", "m"),
        None,
    ]
    assert ReportText(lines).holding("panic") == lines[3:]


AROUND = (
    "{}", "<4>{}", " {}", "{} ", "{}\r", "{}^M", "> {}", "3: {}", "host login: {}", "\x1b[0m{}",
    "Jan 13 10:20:30 host kernel: {}", "2025-01-13T10:20:30.123456+01:00 {}", "kern  :err   : {}",
    "-- Boot 0123456789abcdef0123456789abcdef -- {}", "[Mon Jan 13 10:20:30 2025] {}",
    "** 4 printk messages dropped ** {}", "[    1.000000][  T12] {}", "[    1.000000] (3) {}",
)  # fmt: skip


@pytest.mark.parametrize("around", AROUND)
def test_a_line_read_quickly_is_the_line_read_thoroughly(around: str) -> None:
    for path in sorted(LOGS.rglob("*.log")):
        for raw in path.read_text(errors="replace").split("\n"):
            for line in (around.format(raw), around.format(re.sub(r"^\[.*?\] ?", "", raw))):
                assert split(line, 7) == thorough(line, 7), line


@given(st.from_regex(r"(?:<\d>)?\[ *\d{1,4}\.\d{6}\](?:\[ *[CT]\d{1,3}\]| \(\d\))?.{0,20}"))
def test_any_line_read_quickly_is_the_line_read_thoroughly(raw: str) -> None:
    line = raw.replace("\n", "")
    assert split(line, 7) == thorough(line, 7)


@given(st.lists(st.sampled_from(["", "[    1.000000]  ? a+0x1/0x2 [b]", "plain", "\r", "é"])))
def test_the_lines_of_a_text_are_read_as_each_of_them_is(raw: list[str]) -> None:
    text = "\n".join(raw)
    expected = [split(line, number) for number, line in enumerate(text.split("\n"), 3)]
    assert lines_of(text, 3) == expected
