"""A temporary folder that is removed even if pfdoctor is killed.

Its guard makes it (`folder_guard` in `hosts/guard.py`).
"""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from pagefault_doctor.hosts.guard import folder_guard
from pagefault_doctor.model.errors import PfDoctorError

_MAX_SOCKET_FOLDER: Final = 90


def unused_path() -> Path:
    """Return the path of a temporary folder that does not exist yet.

    Raises PfDoctorError where no folder for temporary files can be written to.
    """
    try:
        above = tempfile.gettempdir()
    except OSError as error:
        problem = "no folder for temporary files can be written to"
        raise PfDoctorError(problem, "set TMPDIR to a folder of yours with room") from error
    return Path(above, f"pfdoctor-lab-{secrets.token_hex(8)}")


def write_file(path: Path, data: bytes) -> None:
    """Write a file of the lab. Raises PfDoctorError, and leaves no part of it, where that fails."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    except OSError as error:
        with suppress(OSError):
            path.unlink(missing_ok=True)
        problem = f"{path} could not be written: {error.strerror}"
        raise PfDoctorError(problem, "set TMPDIR or --keep to a folder with more room") from error


class SocketFolder:
    """A folder by a path that is short enough for the sockets in it, until `close`."""

    def __init__(self, path: Path, descriptor: int | None = None) -> None:
        self.path, self._descriptor = path, descriptor

    def close(self) -> None:
        """Give up the short path; may be called twice."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def socket_folder(folder: Path) -> SocketFolder:
    """Return a folder by a path for its sockets, whose paths may have 107 bytes (unix(7)).

    A longer one is reached through this process's open files, for other programs too. Raises
    PfDoctorError where there is no /proc for that.
    """
    if len(os.fsencode(folder)) <= _MAX_SOCKET_FOLDER:
        return SocketFolder(folder)
    descriptor = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    short = Path(f"/proc/{os.getpid()}/fd/{descriptor}")
    if not short.is_dir():
        os.close(descriptor)
        raise PfDoctorError(f"the path {folder} is too long", "set TMPDIR to a shorter one")
    return SocketFolder(short, descriptor)


@contextmanager
def temp_folder() -> Iterator[Path]:
    """Yield a new private folder; remove it with its contents afterwards."""
    folder = unused_path()
    with folder_guard(folder, "lab/remove_folder.sh", words=()):
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
