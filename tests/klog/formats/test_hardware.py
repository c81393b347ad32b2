"""What drivers say of hardware that is gone."""

from __future__ import annotations

from collections.abc import Callable

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
