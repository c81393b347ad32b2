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
    """Return what a kernel log says. Never raises, whatever the bytes; `source` names the log.

    Of several logs in an archive it is the one that says most.
    """
    from pagefault_doctor.klog import reader

    return reader.read(data, source)


def read_file(path: Path) -> KernelLog:
    """Return what the kernel log in a file says, as `read` does. Raises OSError only."""
    from pagefault_doctor.klog import reader

    return reader.read_file(path)


def logs_in_file(
    path: Path, progress: Progress | None = None, helper: UnpackProgram | None = None
) -> Iterator[KernelLog]:
    """Yield what each log in a file says: a log, packed or not, an archive, a folder of journals.

    `progress` is told how far it is; `helper` unpacks what needs a program of the machine
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
    """Yield what each log in an open file or pipe says, as `logs_in_file` does."""
    from pagefault_doctor.klog import reader

    return reader.logs_in_stream(file, source, progress, helper)
