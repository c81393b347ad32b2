"""Lines that sound like trouble, of logs without a report."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pagefault_doctor import klog
from pagefault_doctor.klog.scary import MOST, scary_lines
from pagefault_doctor.model.log import ScaryLine
from pagefault_doctor.model.untrusted import is_clean


def scary(text: str) -> tuple[ScaryLine, ...]:
    """Return what is scary in a log."""
    return klog.read(text.encode(), "log").scary


def test_lines_that_differ_in_numbers_are_one_with_its_count() -> None:
    text = (
        "[    1.000000] Linux version 6.1.0 (demo) #1\n"
        "[    1.100000] usb 1-2: device not accepting address 5, error -71\n"
        "[    1.200000] usb 1-3: device not accepting address 6, error -71\n"
        "[    1.300000] all is well\n"
    )
    (line,) = scary(text)
    assert (line.number, line.count) == (2, 2)
    assert line.text == "usb 1-2: device not accepting address 5, error -71"


def test_a_log_with_a_report_has_none() -> None:
    lockup = "[    2.000000] watchdog: BUG: soft lockup - CPU#1 stuck for 22s! [cat:7]\n"
    text = f"[    1.000000] demo: error 5\n{lockup}"
    log = klog.read(text.encode(), "log")
    assert log.reports
    assert log.scary == ()


def test_lines_of_other_programs_are_left_out() -> None:
    text = "Nov 30 10:00:00 box demo[7]: error 5\nNov 30 10:00:01 box kernel: demo: error 5\n"
    (line,) = scary(text)
    assert line.number == 2


def test_they_are_bounded_and_the_end_of_a_large_log_counts() -> None:
    text = "".join(f"demo {chr(97 + n % 26) * (n // 26 + 1)} failed\n" for n in range(MOST + 50))
    assert len(scary(text)) == MOST
    large = "demo: early error\n" + "all is well\n" * 400_000 + "demo: late error\n"
    (line,) = scary(large)
    assert (line.number, line.text) == (400_002, "demo: late error")


@given(st.binary(max_size=400))
def test_any_bytes_give_harmless_lines(data: bytes) -> None:
    for line in scary_lines(data + b" error\n", data.count(b"\n") + 1):
        assert is_clean(line.text)
        assert line.number >= 1
