"""What is said of hardware that is gone, and what only sounds like it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pagefault_doctor.model.log import KernelLog
from pagefault_doctor.model.report import Kind

Read = Callable[[str], KernelLog]


def test_a_device_that_fell_off_the_bus_is_hardware(read: Read) -> None:
    (report,) = read(
        "[ 6245.933536] NVRM: The NVIDIA GPU 0000:b3:00.0\n"
        "               NVRM: fallen off the bus and is not responding to commands.\n"
        "[ 6246.065053] NVRM: The NVIDIA probe routine failed for 1 device(s).\n"
    ).reports
    assert (report.kind, report.title) == (Kind.HARDWARE, "device fallen off the bus")
    assert not read("[    1.000000] the bus has fallen silent\n").reports


@pytest.mark.parametrize(
    ("device", "failed"),
    [("sda", 1), ("nvme0n1", 1), ("mmcblk0", 1), ("loop5", 0), ("zram0", 0), ("fd0", 0)],
)
def test_a_file_memory_or_an_empty_drive_is_no_disk(read: Read, device: str, failed: int) -> None:
    line = f"[   12.345678] blk_update_request: I/O error, dev {device}, sector 0 op 0x0:(READ)\n"
    assert len(read(line).reports) == failed


@pytest.mark.parametrize(
    "asked",
    [
        "Injecting memory failure for pfn 0x1b2c at process virtual address 0x20000000",
        "Injecting memory failure at pfn 0x1b2c",
    ],
)
def test_a_memory_failure_on_request_is_none(read: Read, asked: str) -> None:
    failure = "[   12.345679] Memory failure: 0x1b2c: recovery action for dirty page: Recovered\n"
    assert [r.title for r in read(failure).reports] == ["memory failure"]
    assert not read(f"[   12.345678] {asked}\n{failure}").reports
    later = failure.replace("12.345679", "99.000000")
    assert len(read(f"[   12.345678] {asked}\n" + "[   13.0] x\n" * 80 + later).reports) == 1
