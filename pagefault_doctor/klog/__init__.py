"""Kernel logs: text to reports. Pure but for reading the file it is given."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import IO

    from pagefault_doctor.klog.input.unpack import Progress, UnpackProgram
    from pagefault_doctor.model.log import KernelLog


def read(data: bytes, source: str) -> KernelLog:
    """Return the content of a kernel log, which `source` names. Never raises, whatever the bytes.

    Of several logs in an archive it is the one with the most reports.
    """
    from pagefault_doctor.klog import reader

    return reader.read(data, source)


def read_file(path: Path) -> KernelLog:
    """Return the content of the kernel log in a file, as `read` does. Raises OSError only."""
    from pagefault_doctor.klog import reader

    return reader.read_file(path)


def logs_in_file(
    path: Path, progress: Progress | None = None, helper: UnpackProgram | None = None
) -> Iterator[KernelLog]:
    """Yield the content of each log in a file (packed or not), an archive, a folder of journals.

    `progress` is called with how far it is; `helper` unpacks what needs a program of the machine
    (`klog.input.unpack`). Raises OSError only.
    """
    from pagefault_doctor.klog import reader

    return reader.logs_in_file(path, progress, helper)


def logs_in_stream(
    file: IO[bytes],
    source: str,
    progress: Progress | None = None,
    helper: UnpackProgram | None = None,
) -> Iterator[KernelLog]:
    """Yield the content of each log in an open file or pipe, as `logs_in_file` does."""
    from pagefault_doctor.klog import reader

    return reader.logs_in_stream(file, source, progress, helper)
