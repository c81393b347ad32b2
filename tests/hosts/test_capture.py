"""What is kept of a stream, and how it becomes text."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from pagefault_doctor.hosts.capture import Capture
from pagefault_doctor.model import untrusted

some_bytes = st.binary(max_size=200) | st.lists(
    st.sampled_from([b"\n", b"\r\n", "\u20ac".encode(), b"\x1b[31m", b"\xff", b"word"]), max_size=40
).map(b"".join)


def fed(data: bytes, cuts: list[int], limit: int) -> tuple[Capture, list[str]]:
    """Feed the data cut into chunks, taking lines after each, and return all that was taken."""
    capture = Capture(limit)
    taken = []
    edges = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    for start, end in pairwise(edges):
        capture.feed(data[start:end])
        taken.append(capture.take_lines())
    taken.append(capture.take_rest())
    return capture, taken


@given(some_bytes, st.lists(st.integers(0, 200), max_size=6), st.integers(0, 250))
def test_any_bytes_give_harmless_text_of_at_most_the_limit(
    data: bytes, cuts: list[int], limit: int
) -> None:
    capture, taken = fed(data, cuts, limit)
    whole = untrusted.decode(data)
    assert whole.startswith(capture.text())
    assert len(capture.text().encode()) <= limit
    assert capture.overflowed == (len(whole.encode()) > limit)
    assert capture.overflowed or capture.text() == whole
    assert untrusted.is_clean("".join(taken))


@given(some_bytes, st.lists(st.integers(0, 200), max_size=6))
def test_lines_taken_as_they_come_are_the_whole_text(data: bytes, cuts: list[int]) -> None:
    capture, taken = fed(data, cuts, 1000)
    assert "".join(taken) == capture.text()
    assert all(text.endswith("\n") for text in taken[:-1] if text)


def test_a_character_cut_by_a_chunk_is_whole_again() -> None:
    capture = Capture(100)
    for byte in "caf\u00e9 \u20ac\n".encode():
        capture.feed(bytes([byte]))
    assert capture.take_lines() == "caf\u00e9 \u20ac\n"


def test_an_unfinished_line_waits_for_its_end() -> None:
    capture = Capture(100)
    capture.feed(b"one\ntw")
    assert capture.take_lines() == "one\n"
    assert capture.take_lines() == ""
    capture.feed(b"o\nth")
    assert capture.take_lines() == "two\n"
    assert capture.take_rest() == "th"
    assert capture.take_rest() == ""


def test_exactly_the_limit_is_no_overflow() -> None:
    full, over = Capture(4), Capture(4)
    full.feed(b"1234")
    over.feed(b"1234")
    over.feed(b"5")
    assert not full.overflowed
    assert over.overflowed
    assert over.text() == full.text() == "1234"
