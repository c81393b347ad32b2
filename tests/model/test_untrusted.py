"""Text from outside becomes harmless."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forbidden import FORBIDDEN, SEQUENCES, forbidden_in
from pagefault_doctor.model.untrusted import clean, clean_line, decode, is_clean


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("\x1b]52;c;ZXZpbA==\x07", r"\x1b]52;c;ZXZpbA==\x07"),
        ("\x9b31mred", r"\x9b31mred"),
        ("abc\u202edcba", r"abc\u202edcba"),
        ("zero\u200ewidth", r"zero\u200ewidth"),
        ("nul\x00bell\x07", r"nul\x00bell\x07"),
        ("lone\rreturn", r"lone\x0dreturn"),
        ("[/foo] [@click=app.quit]x[/]", "[/foo] [@click=app.quit]x[/]"),
        ("tab\tand\nnewline stay", "tab\tand\nnewline stay"),
        ("größe", "größe"),
    ],
)
def test_control_and_bidi_characters_are_shown_and_all_else_is_kept(
    hostile: str, shown: str
) -> None:
    assert clean(hostile) == shown


def test_one_line_stays_one_line() -> None:
    assert clean_line("a\nb\tc") == r"a\x0ab c"


@given(st.binary())
def test_any_bytes_become_harmless_text(data: bytes) -> None:
    assert is_clean(decode(data))


@given(st.text())
def test_cleaning_twice_changes_nothing_more(text: str) -> None:
    assert clean(clean(text)) == clean(text)
    assert "\n" not in clean_line(text)


SURROGATES = frozenset(map(chr, range(0xD800, 0xE000)))


def test_of_all_characters_the_dangerous_ones_are_shown_and_no_other() -> None:
    """The other tests ask `is_clean`, so this one asks a list that knows nothing of it."""
    everything = frozenset(map(chr, range(sys.maxunicode + 1)))
    changed = frozenset(c for c in everything if clean(c) != c)
    assert changed == FORBIDDEN | SURROGATES | {"\N{ZERO WIDTH NO-BREAK SPACE}"}
    assert frozenset(c for c in everything if clean_line(c) != c) == changed | {"\n", "\t"}
    assert frozenset(c for c in everything if not is_clean(c)) == changed
    assert not forbidden_in("".join(clean(c) for c in FORBIDDEN))


@pytest.mark.parametrize("sequence", SEQUENCES)
def test_no_sequence_is_left_that_a_terminal_obeys(sequence: str) -> None:
    assert forbidden_in(sequence)
    for shown in (clean(sequence), clean_line(sequence), decode(sequence.encode())):
        assert not forbidden_in(shown)
