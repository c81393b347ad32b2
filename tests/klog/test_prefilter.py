"""What a log is searched with finds every line that holds a needle, whichever way it goes."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pagefault_doctor import klog
from pagefault_doctor.klog import prefilter, scan
from pagefault_doctor.klog.prefilter import Prefilter, hyperscan_filter, needles
from requirements import require
from test_import_hygiene import OOPS

NEEDLES = needles()
WORDS = st.sampled_from(
    [*NEEDLES, b"\n", b" ", b"usb 1-1: new device", b"[   12.000001] ", b"12", b"ab"]
)
TEXTS = st.lists(WORDS, max_size=60).map(b"".join)
LETTERS = b"abcdefghijklmnopqrstuvwxyz      ABEIKLMU:_-[(\n\n"
PREFIXES = (
    b"",
    b"[   12.345678] ",
    b"Jan  2 01:02:07 host kernel: ",
    b"Jan 12 01:02:07 kernel: ",
    b"Jan 12 01:02:07 ",
    b"Jan  2 01:02:07 web3 user-kernel: [ 12.345678] ",
    b"2026-01-02T03:04:05.678901+01:00 host kernel: [ 12.345678] ",
    b"2026-01-02T03:04:05,678901+01:00 ",
    b"2026-01-02T03:04:05.678901Z ",
    b"2026-01-02T03:04:05.678901+01:00 ",
    b"host login: [   12.345678] ",
    b"Jan  2 01:02:07 host login: [   12.345678] ",
    b"<4>Jan  2 01:02:07 host klogd: ",
    b"Jan  2 01:02:07 host app[812]: ",
    b"Jan  2 01:02:07 host app: said\r[   12.345678] ",
    b"2026-01-02T03:04:05.678901+01:00 host app: ",
)


def lines_with_needles(piece: bytes) -> tuple[int, list[tuple[int, int]]]:
    """Return what a filter has to find, found in the plainest way."""
    found: list[tuple[int, int]] = []
    place = 0
    for number, line in enumerate(piece.split(b"\n"), 1):
        if any(needle in line for needle in NEEDLES):
            found.append((number, place))
        place += len(line) + 1
    return piece.count(b"\n"), found


@given(st.lists(TEXTS, max_size=3))
def test_the_filter_finds_the_lines_that_hold_a_needle(parts: list[bytes]) -> None:
    one = Prefilter()
    for piece in parts:
        assert one.hits(piece) == lines_with_needles(piece)


@given(TEXTS)
def test_one_pass_finds_the_same_lines(piece: bytes) -> None:
    quick = hyperscan_filter()
    require(quick, "hyperscan does not run here: pip install 'hyperscan>=0.7'")
    assert quick
    assert quick.hits(piece) == lines_with_needles(piece)


@given(st.binary(max_size=2000))
def test_any_bytes_are_searched(piece: bytes) -> None:
    assert Prefilter().hits(piece) == lines_with_needles(piece)


def test_every_needle_is_found_alone() -> None:
    for needle in NEEDLES:
        assert Prefilter().hits(b"a line\nx" + needle + b"y\n") == (2, [(2, 7)])


@pytest.mark.parametrize("seed", range(4))
def test_every_way_finds_the_same_reports_in_lines_that_never_repeat(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = _random_log(seed)
    expected = _scanned_plainly(log, monkeypatch)
    assert len(expected.starts) > 20
    monkeypatch.setattr(prefilter, "_MANY", 10)
    assert scan.scan(log) == expected
    if hyperscan_filter():
        monkeypatch.setattr(scan, "_LARGE", 0)
        assert scan.scan(log) == expected


def test_a_large_log_gives_the_same_reports_either_way(monkeypatch: pytest.MonkeyPatch) -> None:
    noise = b"".join(b"[%5d.000000] usb 1-1: new device number %d\n" % (n, n) for n in range(9000))
    log = noise + OOPS.encode() + noise
    slow = klog.read(log, "log")
    monkeypatch.setattr(scan, "_LARGE", 0)
    assert klog.read(log, "log") == slow
    assert len(slow.reports) == 1


def test_a_library_that_does_not_work_here_is_done_without(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(scan, "_LARGE", 0)
    monkeypatch.setitem(sys.modules, "hyperscan", ModuleType("hyperscan"))
    assert hyperscan_filter() is None
    assert len(klog.read(OOPS.encode(), "log").reports) == 1


def _random_log(seed: int) -> bytes:
    draw = random.Random(seed)
    lines: list[bytes] = []
    for _ in range(3000):
        text = bytes(draw.choices(LETTERS, k=40))
        if draw.random() < 0.1:
            text = text[: draw.choice((0, 5))] + draw.choice(NEEDLES) + b" " + text
        lines.append(draw.choice(PREFIXES) + text)
    return b"\n".join(lines)


def _scanned_plainly(log: bytes, monkeypatch: pytest.MonkeyPatch) -> scan.Scan:
    with monkeypatch.context() as patched:
        patched.setattr(Prefilter, "hits", lambda _, piece: lines_with_needles(piece))
        return scan.scan(log)


def test_a_piece_that_is_made_of_the_words_costs_few_calls() -> None:
    quick = hyperscan_filter()
    require(quick, "hyperscan is not installed: the extra fast")
    assert quick is not None
    base, calls = quick._base, []

    class Counted:
        def scan(self, piece: bytes, match_event_handler: Callable[..., object]) -> None:
            def see(*match: object) -> object:
                calls.append(match)
                return match_event_handler(*match)

            base.scan(piece, match_event_handler=see)

    quick._base = Counted()
    piece = b"BUG: WARNING: " * (1 << 15) + b"\nno word\n" + b"BUG: \n" * 9
    assert quick.hits(piece) == lines_with_needles(piece)
    assert len(calls) <= prefilter._MOST_MATCHES + 1
