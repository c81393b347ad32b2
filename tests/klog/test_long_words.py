"""What is looked for in every line takes time that grows with the line, not with its square."""

from __future__ import annotations

import re
import time

import pytest

from pagefault_doctor.klog import titles
from pagefault_doctor.klog.formats import misc
from pagefault_doctor.klog.formats.format import Format
from pagefault_doctor.klog.formats.table import TABLE
from pagefault_doctor.klog.process import _RELEASE as RELEASE

RUST = next(
    row.pattern for row in misc.FORMATS if isinstance(row, Format) and "panicked" in row.pattern
)
SEARCHED: dict[str, re.Pattern[str]] = {
    "leads": TABLE.leads.pattern,
    "followers": TABLE.followers.pattern,
    "release": RELEASE,
    "rust": re.compile(RUST),
    **{f"cleaning {n}": pattern for n, (pattern, _) in enumerate(titles._CLEANING)},
}
UNITS = ("a", "0", "_", " ", "\n", " \n", ".", "a.", "[", "0x", "+", "a+", "-", "? ", "(")
TIMES = 16
_SHORT = 1000
_NOTICED = 0.02
"""Seconds from which on a search of the long text is compared with that of the short one."""


def seconds(pattern: re.Pattern[str], text: str) -> float:
    """Return the processor time of the fastest of three searches."""
    taken = []
    for _ in range(3):
        begin = time.process_time()
        pattern.search(text)
        taken.append(time.process_time() - begin)
    return min(taken)


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("name", SEARCHED)
def test_a_long_word_takes_time_in_proportion(name: str, unit: str) -> None:
    pattern = SEARCHED[name]
    for lead in ("", "Tainted: ", "rust_kernel: panicked at x\n"):
        long = seconds(pattern, lead + unit * _SHORT * TIMES)
        if long > _NOTICED:
            # In proportion is 16 times as long, in its square 256 times.
            assert long < 5 * TIMES * seconds(pattern, lead + unit * _SHORT)
