"""Logs in a tar: an sos report, a folder of pstore parts, a vmcore's dmesg.

Members are read one after the other and never written under their names; links and devices are
passed over. What is read is bounded: a small tar may hold a very large one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, Final

import msgspec

from pagefault_doctor.model.pattern import regex

_MOST_MEMBERS: Final = 200_000
_MOST_LOGS: Final = 64
LARGEST: Final = 1 << 28
"""Bytes of one member that are read."""
_LOG: Final = regex(
    r"(?:^|/)(?:[^/]*dmesg[^/]*|kern\.log[^/]*|messages[^/]*|syslog[^/]*|journalctl[^/]*"
    r"|console[^/]*|[^/]*\.log(?:\.\d+)?(?:\.\w+)?)$"
)
_TAR: Final = 257
_PART: Final = regex(
    rb"^(?:Oops|Panic|Emergency|Shutdown)#(?P<event>\d{1,6}) Part(?P<part>\d{1,6})\n", 8
)
"""The first line of a pstore record: `fs/pstore/platform.c`, pstore_dump; 8 is re.MULTILINE."""


class Member(msgspec.Struct, frozen=True):
    """One log of an archive; packed ones are not unpacked yet."""

    name: str
    data: bytes


def is_tar(head: bytes) -> bool:
    """Whether the first bytes are those of a tar (POSIX ustar or GNU)."""
    return head[_TAR : _TAR + 5] == b"ustar"


def members(file: IO[bytes], most: int) -> Iterator[Member]:
    """Yield the logs in a tar, up to so many bytes in all. Never raises; a broken tar ends."""
    import tarfile

    logs = 0
    try:
        with tarfile.open(fileobj=file, mode="r|") as tar:
            for count, info in enumerate(tar):
                if count >= _MOST_MEMBERS or logs >= _MOST_LOGS or most <= 0:
                    return
                tar.members.clear()  # type: ignore[attr-defined]
                if not (info.isreg() and info.size and _LOG.search(info.name)):
                    continue
                held = tar.extractfile(info)
                data = held.read(min(LARGEST, most)) if held else b""
                most -= len(data)
                logs += 1
                yield Member(info.name, data)
    except (tarfile.TarError, OSError, EOFError, ValueError, OverflowError, RecursionError):
        return


def in_order(data: bytes) -> bytes:
    """Return pstore records in the order they were said: the last part of an event comes first."""
    heads = list(_PART.finditer(data[: 1 << 24]))
    if not heads or heads[0].start():
        return data
    ends = [*(head.start() for head in heads[1:]), len(data)]
    parts = sorted(
        (
            (int(h["event"]), -int(h["part"]), data[h.end() : end])
            for h, end in zip(heads, ends, strict=True)
        ),
        key=lambda part: part[:2],
    )
    return b"".join(text if text.endswith(b"\n") else text + b"\n" for _, _, text in parts)


def is_part(data: bytes) -> bool:
    """Whether the data is a record of pstore."""
    return _PART.match(data) is not None
