"""Logs in a tar: an sos report, a folder of pstore records, a vmcore's dmesg.

Members are read one after the other and never written under their names; links and devices are
passed over. What is read is bounded: a small tar may hold a very large one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, Any, Final

import msgspec

from pagefault_doctor.model.pattern import regex

MOST_MEMBERS: Final = 200_000
MOST_LOGS: Final = 400
"""Members and logs of one input that are looked at, archives in archives included."""
_LOG: Final = regex(
    r"(?:^|/)(?:[^/]*dmesg[^/]*|kern\.log[^/]*|messages[^/]*|syslog[^/]*|journalctl[^/]*"
    r"|[^/]*(?:console|oops|panic|kmsg)[^/]*|[^/]*\.log(?:\.\d+)?(?:\.\w+)?|[^/]*\.journal~?"
    r"|[^/]*\.(?:tar(?:\.\w+)?|tgz|txz|tbz2?))$"
)
"""Names that logs have, and archives of them; others hold what quotes logs or looks like them."""
_BROKEN_OFF: Final = "the archive breaks off; what is whole was read"
_TAR: Final = 257
_HEADER: Final = 1 << 20
"""Bytes of a header that are read: names and attributes are far shorter."""
_STEP: Final = 1 << 18


class ArchiveMember(msgspec.Struct, frozen=True):
    """One log of an archive, to be read before the next member is asked for."""

    name: str
    pieces: Iterator[bytes]


def is_tar(head: bytes) -> bool:
    """Whether the first bytes are those of a tar (POSIX ustar or GNU)."""
    return head[_TAR : _TAR + 5] == b"ustar"


def members(file: IO[bytes], notes: list[str]) -> Iterator[ArchiveMember | None]:
    """Yield what the tar holds: a log, or None for another member.

    What keeps it from being read to its end is added to `notes`. Raises no error but those of the
    system in reading the file.
    """
    import tarfile

    forward: Any = _Forward(file)
    try:
        with tarfile.open(fileobj=forward, mode="r:") as tar:
            for info in tar:
                tar.members.clear()  # type: ignore[attr-defined]
                is_file = info.isreg() and info.size > 0 and not info.issparse()
                is_log = is_file and _LOG.search(info.name) is not None
                yield ArchiveMember(info.name, forward.pieces(info.size)) if is_log else None
    except (tarfile.TarError, EOFError, ValueError, OverflowError, RecursionError):
        notes.append(_BROKEN_OFF)


class _Forward:
    """A file that tarfile reads from its beginning to its end, in bounded bites.

    A header may claim any size, and tarfile would hold all of it in memory.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._place = 0

    def tell(self) -> int:
        """Return how many bytes lie behind."""
        return self._place

    def seek(self, place: int) -> int:
        """Go to a place that lies ahead."""
        while self._place < place:
            if self._file.seekable():
                self._place = self._file.seek(place)
            elif not self.read(min(place - self._place, _STEP)):
                break
        return self._place

    def pieces(self, size: int) -> Iterator[bytes]:
        """Yield the next so many bytes, or what there is of them."""
        while size > 0 and (data := self.read(min(size, _STEP))):
            size -= len(data)
            yield data

    def read(self, size: int) -> bytes:
        """Return the next bytes; raises ValueError where tarfile asks for far too many."""
        if size > _HEADER:
            raise ValueError("a header of this size is none")
        data = self._file.read(size)
        self._place += len(data)
        return data
