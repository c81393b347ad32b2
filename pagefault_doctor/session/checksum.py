"""A keyed checksum in the lines of a session: this user's own pfdoctor wrote it, and all of it.

Resuming a session connects to the machine and builds the source that it names, so it must be known
who named them. Each line has the checksum of all bytes up to it, by a key that only this user can
read; without the key, such a session is only one that is not known to be this user's.
"""

from __future__ import annotations

import contextlib
import os
import stat
from copy import copy
from pathlib import Path
from typing import Final

from pagefault_doctor.files.regular_file import NotRegularError, TooLargeError, read_regular
from pagefault_doctor.model.pattern import regex

KEY_NAME: Final = "session-key"
"""The file of the key, in the folder of the sessions."""
_KEY_SIZE: Final = 32
_FIELD = regex(rb',"checksum":"([0-9a-f]{64})"\}\n\Z')


class Checksum:
    """The running checksum of a session file that begins with the bytes `before`."""

    def __init__(self, key: bytes, before: bytes = b"") -> None:
        # Needed only where a session is written or resumed.
        import hashlib

        self._key = key
        self._sha256 = hashlib.sha256(before)

    def with_checksum(self, line: bytes) -> bytes:
        """Return the line, a JSON object and its newline, with the field `checksum`."""
        return line[:-2] + b',"checksum":"' + self._of(line).encode() + b'"}\n'

    def after(self, line: bytes) -> Checksum:
        """Return the checksum of the file with one more line."""
        more = copy(self)
        more._sha256 = self._sha256.copy()
        more._sha256.update(line)
        return more

    def _of(self, line: bytes) -> str:
        import hmac

        so_far = self._sha256.copy()
        so_far.update(line)
        return hmac.digest(self._key, so_far.digest(), "sha256").hex()

    def is_of(self, line: bytes) -> bool:
        """Return whether the line, which comes next, has the right checksum."""
        import hmac

        found = _FIELD.search(line)
        if found is None:
            return False
        return hmac.compare_digest(self._of(line[: found.start()] + b"}\n"), found[1].decode())


def is_written_here(data: bytes, key: bytes | None) -> bool:
    """Return whether the whole lines in the bytes of a session file were all written with the key.

    The last line vouches for those before it.
    """
    end = data.rfind(b"\n") + 1
    begin = data.rfind(b"\n", 0, max(end - 1, 0)) + 1
    return key is not None and Checksum(key, data[:begin]).is_of(data[begin:end])


def known_key(folder: Path) -> bytes | None:
    """Return the key in the folder, None where there is none that only this user can know.

    Raises OSError where a key is there and cannot be read.
    """
    path = folder / KEY_NAME
    try:
        state = os.lstat(path)
        if state.st_uid != os.geteuid() or stat.S_IMODE(state.st_mode) & 0o077:
            return None
        key = read_regular(path, _KEY_SIZE, follow_links=False)
    except (FileNotFoundError, NotRegularError, TooLargeError):
        return None
    return key if len(key) == _KEY_SIZE else None


def key_of(folder: Path) -> bytes:
    """Return the key in the folder; a new one where there is none, or none to rely on.

    Raises OSError.
    """
    return known_key(folder) or _new_key(folder)


def _new_key(folder: Path) -> bytes:
    path = folder / KEY_NAME
    new = folder / f"{KEY_NAME}-{os.urandom(4).hex()}"
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(os.urandom(_KEY_SIZE))
            file.flush()
            os.fsync(file.fileno())
        # Of two processes that start at once, the second must not replace the key of the first.
        # Where there are no links, or a bad key is in the way, there is nothing to keep.
        with contextlib.suppress(OSError):
            os.link(new, path)
        if (key := known_key(folder)) is None:
            os.replace(new, path)
            key = known_key(folder)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(new)
    if key is None:
        raise OSError(0, "the key of the sessions cannot be kept", str(path))
    return key
