"""Every word is found in a text of shapes, wherever it stands, and no line without one is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pagefault_doctor.klog.needles import Needles, shape_of
from pagefault_doctor.klog.prefilter import Prefilter, needles

NEEDLES = needles()
SHAPES = sorted({shape_of(needle) for needle in NEEDLES})
# What stands around a word has what words are made of, so that it looks nearly like one.
PARTS = st.one_of(
    st.binary(max_size=9),
    st.sampled_from(SHAPES).flatmap(lambda s: st.integers(0, len(s)).map(lambda n: s[n:])),
    st.sampled_from(SHAPES).flatmap(lambda s: st.integers(0, len(s)).map(lambda n: s[:n])),
    st.just(b"\n"),
)
AROUND = st.lists(PARTS, max_size=6).map(b"".join)


@pytest.fixture(scope="module")
def sought() -> Needles:
    return Needles(NEEDLES)


def lines_with_a_shape(text: bytes) -> set[bytes]:
    return {line for line in text.split(b"\n") if any(shape in line for shape in SHAPES)}


@pytest.mark.parametrize("before", range(9))
@pytest.mark.parametrize("behind", [0, 1, 2, 3])
def test_every_needle_is_found_wherever_the_words_of_the_text_begin(
    sought: Needles, before: int, behind: int
) -> None:
    for shape in SHAPES:
        line = b"~" * before + shape + b"~" * behind
        assert line in sought.lines(line)
        assert line in sought.lines(b"a\n" + line + b"\nb")


@given(st.sampled_from(NEEDLES), AROUND, AROUND)
def test_every_needle_is_found_with_any_text_around_it(
    needle: bytes, before: bytes, behind: bytes
) -> None:
    text = before + needle + behind
    line = 1 + before.count(b"\n")
    assert (line, before.rfind(b"\n") + 1) in Prefilter().hits(text)[1]


@given(AROUND)
def test_lines_that_hold_a_shape_are_found_and_no_others(text: bytes) -> None:
    assert set(Needles(NEEDLES).lines(text)) == lines_with_a_shape(text)


@given(AROUND)
def test_every_needle_whose_shape_a_line_holds_is_told_of_it(text: bytes) -> None:
    for line, words in Needles(NEEDLES).lines(text).items():
        assert set(words) == {needle for needle in NEEDLES if shape_of(needle) in line}


def test_words_with_one_shape_are_told_together() -> None:
    words = (b"no memory at all", b"no memory 1t all", b"panic", b"pan1ic")
    found = Needles(words).lines(b"xno mmory t llx\nyxpniy")
    assert found == {b"xno mmory t llx": words[:2], b"yxpniy": words[2:]}


def test_words_that_overlap_are_told_both() -> None:
    words = (b"oo QQQQ", b"QQQQ uv")
    for before in range(4):
        line = b"~" * before + b"oo QQQQ uv"
        assert set(Needles(words).lines(line)[line]) == set(words)


def test_a_line_is_found_for_the_needle_it_has_not_for_one_its_shape_has() -> None:
    one = Prefilter()
    text = b"a RIP: 1\na Krnl pni - not\na Kernel panic - not"
    for _ in range(2):
        assert one.hits(text) == (2, [(1, 0), (3, 26)])
