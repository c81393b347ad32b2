"""The logs that the tests of klog read, made for them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pagefault_doctor import klog
from pagefault_doctor.model.log import KernelLog
from pagefault_doctor.model.report import Report

LOGS = Path(__file__).parent / "logs"
Read = Callable[[str], KernelLog]
First = Callable[[str], Report]


@pytest.fixture
def read() -> Read:
    """Return a function that reads text as a log."""
    return lambda text: klog.read(text.encode(), "test.log")


@pytest.fixture
def first(read: Read) -> First:
    """Return a function that reads text as a log and returns its first report."""
    return lambda text: read(text).reports[0]


@pytest.fixture
def sample() -> Callable[[str], str]:
    """Return a function that returns the text of a log of this folder."""
    return lambda name: (LOGS / f"{name}.log").read_text()
