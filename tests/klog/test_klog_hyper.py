"""One pass with hyperscan finds what the sieve finds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pagefault_doctor import klog
from pagefault_doctor.klog import hyper, scan
from pagefault_doctor.klog.needles import NEEDLES
from pagefault_doctor.klog.sieve import Sieve
from test_import_hygiene import OOPS

pytestmark = pytest.mark.skipif(
    not hyper.is_available(), reason="hyperscan is not installed: pip install 'hyperscan>=0.7'"
)

WORDS = st.sampled_from([*NEEDLES, b"\n", b" ", b"usb 1-1: new device", b"[   12.000001] "])


@given(st.lists(WORDS, max_size=60).map(b"".join))
def test_both_find_the_same_lines(piece: bytes) -> None:
    assert hyper.HyperSieve().hits(piece) == Sieve().hits(piece)


@given(st.binary(max_size=2000))
def test_any_bytes_are_searched(piece: bytes) -> None:
    newlines, hits = hyper.HyperSieve().hits(piece)
    assert newlines == piece.count(b"\n")
    assert all(offset == 0 or piece[offset - 1 : offset] == b"\n" for _, offset in hits)


def test_a_large_log_gives_the_same_reports_either_way(monkeypatch: pytest.MonkeyPatch) -> None:
    noise = b"".join(b"[%5d.000000] usb 1-1: new device number %d\n" % (n, n) for n in range(9000))
    log = noise + OOPS.encode() + noise
    slow = klog.read(log, "log")
    monkeypatch.setattr(scan, "_LARGE", 0)
    assert klog.read(log, "log") == slow
    assert len(slow.reports) == 1
