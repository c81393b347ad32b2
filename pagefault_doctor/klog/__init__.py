"""Kernel logs: text to reports. Pure but for reading the file it is given."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import IO

    from pagefault_doctor.model.log import KernelLog

    Progress = Callable[[int, int], None]


def read(data: bytes, source: str) -> KernelLog:
    """Return what a kernel log says. Never raises, whatever the bytes; `source` names the log."""
    from pagefault_doctor.klog import reading

    return reading.read(data, source)


def read_file(path: Path, progress: Progress | None = None) -> KernelLog:
    """Return what the kernel log in a file says, plain, compressed or in a tar.

    `progress` is called now and then with the bytes searched and the bytes there are.
    Raises OSError only.
    """
    from pagefault_doctor.klog import reading

    return reading.read_file(path, progress)


def read_stream(file: IO[bytes], source: str, progress: Progress | None = None) -> KernelLog:
    """Return what the kernel log in an open file or pipe says, as `read_file` does."""
    from pagefault_doctor.klog import reading

    return reading.read_stream(file, source, progress)
