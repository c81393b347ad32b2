"""What is told from a quick look at a text is what a look at each of its lines tells."""

from __future__ import annotations

from itertools import groupby

from hypothesis import given
from hypothesis import strategies as st

from pagefault_doctor.klog.input import text_forms
from pagefault_doctor.klog.input.prefixed import _share, _share_bare
from pagefault_doctor.klog.input.repeated import is_doubled
from pagefault_doctor.klog.input.report_lines import START
from pagefault_doctor.klog.input.wrapped import Wrap, _pairs, wrap_of

TIMED = (b"[    1.000001] ", b"> [   12.000001] ", b"Jan  2 01:02:07 ")
BEGINS = st.sampled_from((*TIMED, b"", b"> ", b" ", b"RIP: ", b"note: "))
REST = st.sampled_from((b"", b" ", b"x", b"x=", b"x=\r", b"usb 1-1: new", b"y" * 30 + b" z" * 12))
LINE = st.tuples(BEGINS, REST).map(b"".join)
LINES = st.lists(LINE, max_size=12)
MAIL = st.sampled_from((b"x" * 75 + b"=", b"x" * 75 + b"=\r", b"short=", b"x"))


def doubled(head: bytes) -> bool:
    runs = [len(list(run)) for _, run in groupby(li for li in head.split(b"\n") if li.strip())]
    return len(runs) > 2 and sum(run % 2 == 0 for run in runs) >= 0.9 * len(runs)


@given(LINES, st.integers(0, 5), st.booleans())
def test_lines_that_stand_there_twice(lines: list[bytes], place: int, once: bool) -> None:
    twice = [each for line in lines for each in (line, line)]
    twice[place:place] = [b"only once"] * once
    for text in (b"\n".join(lines), b"\n".join(twice)):
        assert is_doubled(text) is doubled(text)


@given(LINES)
def test_where_all_lines_have_a_time_none_was_broken_off(lines: list[bytes]) -> None:
    text = b"\n".join(lines)
    for width in (50, 80):
        soft = _pairs(text.split(b"\n"), Wrap(width, within_words=False, timed=True))
        if all(line.startswith(TIMED) or not line.strip() for line in lines):
            assert not list(soft)
    widths = [len(line) for line in text.replace(b"\r", b"").split(b"\n") if b" " in line.strip()]
    found = wrap_of(text)
    assert found is None or found.width == max(widths)


@given(LINES)
def test_how_many_lines_begin_as_those_of_a_report_do(lines: list[bytes]) -> None:
    if lines:
        assert _share_bare(lines, START) == _share(lines, b"", START)


@given(st.lists(MAIL, max_size=9))
def test_soft_breaks_of_a_mail(lines: list[bytes]) -> None:
    head = b"".join(line + b"\n" for line in lines)
    broken = [len(line.rstrip(b"\r")) for line in lines if line.endswith((b"=", b"=\r"))]
    full = sum(size >= 74 for size in broken)
    assert text_forms._is_quoted_printable(head) is (len(broken) > 2 and full * 2 > len(broken))
