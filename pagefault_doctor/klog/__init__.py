"""Kernel logs: text to reports. Pure but for reading the file it is given."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from pagefault_doctor.model.log import KernelLog


def read(data: bytes, source: str) -> KernelLog:
    """Return what a kernel log says. Never raises, whatever the bytes; `source` names the log."""
    from pagefault_doctor.klog import reading

    return reading.read(data, source)


def read_file(path: Path) -> KernelLog:
    """Return what the kernel log in a file says, plain or gzip. Raises OSError only."""
    from pagefault_doctor.klog import reading

    return reading.read_file(path)
