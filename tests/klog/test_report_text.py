"""Where words are in the text of a report."""

from __future__ import annotations

from pagefault_doctor.klog.line import lines_of
from pagefault_doctor.klog.text import ReportText

TEXT = ReportText(lines_of("one two\ntwo\n\nthree two two", 1))


def test_the_lines_that_hold_a_word_are_told_in_order() -> None:
    assert TEXT.places("two") == [0, 1, 3]
    assert TEXT.places("three", "one") == [0, 3]
    assert TEXT.places("four") == []


def test_no_word_is_in_every_line() -> None:
    assert TEXT.places("") == [0, 1, 2, 3]
