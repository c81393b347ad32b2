"""Opens regular files only: a FIFO would wait for a writer, and opening a device can act on it."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO


class NotRegularError(OSError):
    """The path leads to a FIFO, a socket, a device or a folder, not to a regular file."""

    def __init__(self, path: Path) -> None:
        super().__init__(errno.EINVAL, "not a regular file", str(path))


class TooLargeError(OSError):
    """The file has more bytes than its reader accepts; `limit` is that number."""

    def __init__(self, path: Path, limit: int) -> None:
        super().__init__(errno.EFBIG, f"larger than {limit:,} bytes", str(path))
        self.limit = limit


def open_regular(path: Path, *, follow_links: bool = True) -> BinaryIO:
    """Return a regular file, open for reading and without a buffer of its own.

    Never waits for another process. Raises NotRegularError for any other kind of file, also for a
    symbolic link where `follow_links` is false, and OSError where it cannot be opened.
    """
    # Looked at before it is opened too: opening a device can act on it, as on a watchdog or a tape.
    if not stat.S_ISREG(os.stat(path, follow_symlinks=follow_links).st_mode):
        raise NotRegularError(path)
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY
    descriptor = os.open(path, flags if follow_links else flags | os.O_NOFOLLOW)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise NotRegularError(path)
        return os.fdopen(descriptor, "rb", buffering=0)
    except OSError:
        os.close(descriptor)
        raise


def read_regular(path: Path, limit: int, *, follow_links: bool = True) -> bytes:
    """Return the bytes of a regular file of at most `limit` bytes.

    Its size is what can be read, not what stat claims: files of /proc claim 0, and a file can grow.
    Raises TooLargeError where there is more, else as `open_regular` does.
    """
    with open_regular(path, follow_links=follow_links) as file:
        data = bytearray()
        while piece := file.read(min(limit + 1 - len(data), 1 << 20)):
            data += piece
            if len(data) > limit:
                raise TooLargeError(path, limit)
    return bytes(data)
