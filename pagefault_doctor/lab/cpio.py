"""The cpio archive that the kernel unpacks as its first root (initramfs).

The format is "newc" (Documentation/driver-api/early-userspace/buffer-format.rst in the kernel).
"""

from __future__ import annotations

import stat
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath
from typing import Final

import msgspec

_TRAILER: Final = "TRAILER!!!"
_ALIGN: Final = 4


class CpioEntry(msgspec.Struct, frozen=True):
    """One archive member: path without a leading slash, st_mode, and contents.

    The contents of a symbolic link are its target. `device` is the major and minor number.
    """

    path: str
    mode: int
    data: bytes = b""
    device: tuple[int, int] = (0, 0)


def file(path: str, data: bytes, permissions: int = 0o644) -> CpioEntry:
    """Return the entry of a regular file."""
    return CpioEntry(path.lstrip("/"), stat.S_IFREG | permissions, data)


def program(path: str, data: bytes) -> CpioEntry:
    """Return the entry of an executable file."""
    return file(path, data, 0o755)


def link(path: str, target: str) -> CpioEntry:
    """Return the entry of a symbolic link."""
    return CpioEntry(path.lstrip("/"), stat.S_IFLNK | 0o777, target.encode())


def folder(path: str) -> CpioEntry:
    """Return the entry of a directory."""
    return CpioEntry(path.strip("/"), stat.S_IFDIR | 0o755)


def character_device(path: str, major: int, minor: int) -> CpioEntry:
    """Return the entry of a character device."""
    return CpioEntry(path.lstrip("/"), stat.S_IFCHR | 0o600, device=(major, minor))


def archive(entries: Iterable[CpioEntry]) -> bytes:
    """Return the entries as a newc archive, in their order; each folder precedes its contents.

    Of several entries with the same path, the first is kept.
    """
    parts = [
        part
        for number, entry in enumerate(_with_folders(entries), 1)
        for part in _record(entry, number)
    ]
    parts += _record(CpioEntry(_TRAILER, 0), 0)
    return b"".join(parts)


def _with_folders(entries: Iterable[CpioEntry]) -> Iterator[CpioEntry]:
    seen = {"."}
    for entry in entries:
        parents = [str(parent) for parent in PurePosixPath(entry.path).parents]
        for missing in (folder(path) for path in reversed(parents) if path not in seen):
            seen.add(missing.path)
            yield missing
        if entry.path not in seen:
            seen.add(entry.path)
            yield entry


def _record(entry: CpioEntry, inode: int) -> tuple[bytes, ...]:
    name = entry.path.encode() + b"\0"
    fields = (
        inode,
        entry.mode,
        *(0, 0),  # uid, gid
        1,  # nlink
        0,  # mtime
        len(entry.data),
        *(0, 0),  # the device the file was on
        *entry.device,
        len(name),
        0,  # checksum, unused in newc
    )
    header = b"070701" + b"".join(b"%08X" % field for field in fields)
    return header, name, _padding(len(header) + len(name)), entry.data, _padding(len(entry.data))


def _padding(length: int) -> bytes:
    return b"\0" * (-length % _ALIGN)
