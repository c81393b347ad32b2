"""Module files that are compressed: gzip and xz by Python, zstd by a package or a program."""

from __future__ import annotations

import gzip
import lzma
import tempfile
from collections.abc import Callable
from importlib import import_module
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, Final

from pagefault_doctor.model.errors import PfDoctorError

Unpack = Callable[[str, str, str], str | None]
"""Unpacks a file, by what it is packed with (`zstd`), its path and that of an empty file.

Says why where it cannot. It is given by who may start programs.
"""

LARGEST: Final = 512 << 20
"""Bytes of a file, unpacked, that are looked at."""
_PACKED: Final[dict[str, Callable[[Path], Any]]] = {".gz": gzip.open, ".xz": lzma.open}
_ZSTD: Final = ".zst"


class UnreadableModule(PfDoctorError):
    """A module file that is missing, compressed in an unknown way, or no ELF file."""


def open_packed(path: Path, unpack: Unpack | None = None) -> BinaryIO:
    """Return the bytes of a file that may be compressed; the caller closes it.

    Raises UnreadableModule where it cannot be read.
    """
    try:
        if path.name.endswith(_ZSTD):
            return BytesIO(_zstd(path, unpack))
        tool = next((tool for end, tool in _PACKED.items() if path.name.endswith(end)), None)
        if tool:
            with tool(path) as packed:
                return BytesIO(packed.read(LARGEST))
        return path.open("rb")
    except (OSError, EOFError, lzma.LZMAError) as error:
        raise UnreadableModule(f"cannot read {path}: {error}") from error


def _zstd(path: Path, unpack: Unpack | None) -> bytes:
    """Return what a file that is packed with zstd holds: by a module of Python, else a program."""
    for name, method in (("compression.zstd", "open"), ("zstandard", "open")):
        try:
            module = import_module(name)
        except ImportError:
            continue
        try:
            with getattr(module, method)(path, "rb") as packed:
                return bytes(packed.read(LARGEST))
        except module.ZstdError as error:
            raise UnreadableModule(f"cannot read {path}: {error}") from error
    if unpack is None:
        raise UnreadableModule(f"{path} is compressed with zstd", "unpack it with unzstd first")
    with tempfile.NamedTemporaryFile(prefix="pfdoctor-") as whole:
        if problem := unpack("zstd", str(path), whole.name):
            raise UnreadableModule(f"cannot read {path}: {problem}")
        return whole.read(LARGEST)
