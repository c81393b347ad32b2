"""The vital signs of this machine."""

from __future__ import annotations

import os
import warnings
from pathlib import Path

import psutil
import pytest

from pagefault_doctor.hosts.vitals import Vitals, major_fault_rate, vitals


def test_a_sample_of_this_machine() -> None:
    sample = vitals(os.getpid())
    assert sample.memory is not None
    assert 0 < sample.memory <= 100
    assert sample.uptime is not None
    assert sample.uptime > 0
    assert sample.load is not None
    assert sample.process is not None
    assert sample.process.pid == os.getpid()
    assert sample.process.resident > 1 << 20


@pytest.mark.parametrize("pid", [-1, 0x7FFFFFFF, 1 << 70])
def test_a_process_that_does_not_exist_is_none(pid: int) -> None:
    assert vitals(pid).process is None
    assert vitals().process is None


def test_the_name_of_a_process_is_harmless(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psutil.Process, "name", lambda self: "x\x1b[2Jy")
    process = vitals(os.getpid()).process
    assert process is not None
    assert process.name == "x\\x1b[2Jy"


@pytest.mark.parametrize(
    "error", [OSError("no /proc"), KeyError("MemTotal:"), RuntimeError("no btime"), psutil.Error()]
)
def test_what_the_machine_does_not_tell_is_none(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, error: Exception
) -> None:
    def fail(*_: object) -> None:
        raise error

    for name in ("virtual_memory", "swap_memory", "boot_time"):
        monkeypatch.setattr(psutil, name, fail)
    sample = vitals(vmstat=tmp_path / "none")
    assert (sample.memory, sample.swap, sample.uptime) == (None, None, None)
    assert sample.major_faults is None
    assert sample.load == os.getloadavg()


def test_a_warning_about_swap_does_not_reach_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = psutil.swap_memory

    def warning() -> object:
        warnings.warn("'sin' and 'sout' swap memory stats couldn't be determined", stacklevel=1)
        return plain()

    monkeypatch.setattr(psutil, "swap_memory", warning)
    with warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter("always")
        assert vitals().swap is not None
    assert shown == []


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("pgfault 900\npgmajfault 77\nnr_free_pages 5\n", 77),
        ("pgmajfault\n", None),
        ("pgmajfault many\n", None),
        ("", None),
        ("\udcff\n", None),
    ],
)
def test_major_faults_are_read_from_vmstat(tmp_path: Path, text: str, count: int | None) -> None:
    file = tmp_path / "vmstat"
    file.write_bytes(text.encode("utf-8", "surrogateescape"))
    assert vitals(vmstat=file).major_faults == count


@pytest.mark.parametrize(
    ("before", "after", "rate"),
    [
        (Vitals(at=10, major_faults=100), Vitals(at=12, major_faults=150), 25.0),
        (Vitals(at=10, major_faults=100), Vitals(at=11, major_faults=100), 0.0),
        (Vitals(at=10, major_faults=100), Vitals(at=11, major_faults=3), 0.0),
        (Vitals(at=10, major_faults=100), Vitals(at=10, major_faults=150), None),
        (Vitals(at=10), Vitals(at=12, major_faults=150), None),
        (Vitals(at=10, major_faults=100), Vitals(at=12), None),
    ],
)
def test_the_rate_of_major_faults(before: Vitals, after: Vitals, rate: float | None) -> None:
    assert major_fault_rate(before, after) == rate
