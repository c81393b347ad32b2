"""No bytes make the parser raise, and the same bytes always give the same result."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pagefault_doctor import klog
from pagefault_doctor.klog import text
from pagefault_doctor.klog.input import compression, pstore, structured
from pagefault_doctor.klog.input.text_forms import text_forms
from pagefault_doctor.klog.line import split
from pagefault_doctor.model.untrusted import is_clean

LOGS = sorted((Path(__file__).parent / "logs").glob("*.log"))
PIECES = [line for log in LOGS for line in log.read_bytes().splitlines()]
WORDS = (
    b"BUG:", b"WARNING:", b"INFO: task ", b"Kernel panic - not syncing: ", b"Oops: ", b"RIP: 0010:",
    b"Call Trace:", b" <IRQ>", b"Modules linked in:", b"segfault at ", b"[#", b"+0x", b"\n", b"\0",
    b"\x1b[", b"\r", b"Tainted: ", b"Linux version 6", b"at: ", b"CPU: ", b"]", b"[<",
)  # fmt: skip


@given(st.binary(max_size=400))
def test_any_bytes_are_read(data: bytes) -> None:
    log = klog.read(data, "x")
    packed = (
        compression.packed_as(data) or structured.reader_of(data) or next(text_forms(data), None)
    )
    plain = packed is None
    assert log.size == len(data) or not plain or pstore.first_record(data)
    assert log.source == "x"


@pytest.mark.parametrize("chunk", [1, 7, 64])
@given(data=st.binary(max_size=300))
def test_the_pieces_of_a_log_are_all_its_bytes_and_end_with_lines(chunk: int, data: bytes) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text, "CHUNK", chunk)
        patch.setattr(text, "LONGEST", 40)
        found = list(text.pieces(data))
    assert b"".join(piece.text for piece in found) == data
    assert [piece.begin for piece in found[1:]] == [piece.end for piece in found[:-1]]
    for piece in found:
        assert piece.text == data[piece.begin : piece.end]
        before = data[piece.begin - 1 : piece.begin]
        assert piece.whole == (piece.begin == 0 or before in (b"\n", b"\0"))


@given(st.text(max_size=80), st.sampled_from(["", "[    1.000000] ", "> ", "<4>1 ", "4,1,2,-;"]))
def test_any_line_is_split_into_harmless_words(said: str, before: str) -> None:
    line = split(before + said, 7)
    assert line.number == 7
    assert is_clean(line.text)
    assert "\n" not in line.text


@given(
    st.lists(st.binary(max_size=60).filter(lambda x: b"\n" not in x), min_size=1, max_size=8),
    st.booleans(),
)
def test_a_line_of_fields_stays_one_line(said: list[bytes], binary: bool) -> None:
    entries = []
    for text_ in said:
        plain = text_.replace(b"\0", b"")
        field = b"MESSAGE\n%b%b\n" % (len(text_).to_bytes(8, "little"), text_)
        entries.append(b"__CURSOR=c\n" + (field if binary else b"MESSAGE=" + plain + b"\n"))
    log = klog.read(b"\n".join(entries), "x")
    assert log.lines in (len(said), 0)


@settings(max_examples=150)
@given(st.lists(st.sampled_from(WORDS) | st.binary(max_size=12), max_size=40))
def test_any_mixture_of_the_kernels_words_is_read_alike_twice(parts: list[bytes]) -> None:
    data = b"".join(parts)
    assert klog.read(data, "x") == klog.read(data, "x")


@settings(max_examples=100)
@given(st.lists(st.sampled_from(PIECES), max_size=30))
def test_lines_of_reports_in_any_order_give_clean_reports(lines: list[bytes]) -> None:
    log = klog.read(b"\n".join(lines), "x")
    for report in log.reports:
        assert is_clean(report.title)
        assert report.span.first_line <= report.span.last_line <= log.lines
        assert all(1 <= line <= log.lines for line in report.cited.values())


@pytest.mark.parametrize("path", LOGS, ids=lambda p: p.stem)
def test_a_log_may_break_off_anywhere(path: Path) -> None:
    data = path.read_bytes()
    for end in range(0, len(data), 61):
        klog.read(data[:end], "x")
        klog.read(data[end:], "x")
