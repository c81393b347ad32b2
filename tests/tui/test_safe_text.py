"""All text reaches the screen through one function."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.style import Style

import pagefault_doctor.tui
from forbidden import SEQUENCES, forbidden_in
from pagefault_doctor.model.untrusted import is_clean
from pagefault_doctor.tui.row import Row, layout
from pagefault_doctor.tui.safe_text import block, cells, plain, strip

TUI = Path(pagefault_doctor.tui.__file__).parent
OTHER_DOORS = re.compile(
    r"\b(Content|Text|Segment|Strip|Static|Label|Button|Markdown|RichLog|Log|DataTable|Tree"
    r"|OptionList|Select|Checkbox|from_markup|from_ansi|notify|border_title|border_subtitle"
    r"|tooltip)\("
)


@pytest.mark.parametrize("path", sorted(TUI.rglob("*.py")), ids=lambda path: path.stem)
def test_only_safe_text_makes_what_is_drawn(path: Path) -> None:
    if path.name != "safe_text.py":
        assert not OTHER_DOORS.findall(path.read_text())


def test_the_net_catches_what_it_is_for() -> None:
    assert OTHER_DOORS.search("Static('x')")
    assert OTHER_DOORS.search("self.notify(text)")


@given(st.text())
def test_plain_and_block_leave_nothing_unsafe(text: str) -> None:
    assert is_clean(plain(text))
    assert is_clean(block(text))


@pytest.mark.parametrize("sequence", [*SEQUENCES, "\t", "two\nlines"])
def test_a_drawn_line_has_nothing_that_a_terminal_obeys(sequence: str) -> None:
    drawn = strip(((sequence, Style(color="red")), (f"x{sequence}", Style())), 80, Style())
    assert not forbidden_in(drawn.text)
    assert "\n" not in drawn.text
    assert drawn.cell_length == 80
    assert not forbidden_in(plain(sequence) + block(sequence))


@given(st.lists(st.tuples(st.text(), st.text(), st.booleans())), st.integers(8, 200))
def test_no_line_is_wider_than_asked_for(texts: list[tuple[str, str, bool]], width: int) -> None:
    rows = [Row(left, right, hang=4, verbatim=verbatim) for left, right, verbatim in texts]
    for line in layout(rows, width):
        assert cells(line.left) + cells(line.right) <= width


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126)), st.integers(10, 100))
def test_no_letter_is_lost_by_wrapping(text: str, width: int) -> None:
    lines = layout([Row(text, verbatim=True)], width)
    assert "".join(line.left for line in lines) == text
