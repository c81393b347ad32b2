"""Compressed module files: gzip and xz with Python, zstd with a Python package or a program."""

from __future__ import annotations

import gzip
import lzma
import os
import zlib
from collections.abc import Callable
from importlib import import_module
from io import BufferedReader, BytesIO
from pathlib import Path
from typing import Any, BinaryIO, Final

from pagefault_doctor.files.regular_file import open_regular
from pagefault_doctor.model.errors import PfDoctorError

Unpack = Callable[[str, str, str], str | None]
"""Unpacks a file; takes the compression (`zstd`), the path, and the path of the output file.

Returns an error message, or None on success. The caller passes it in, because this package starts
no programs.
"""

MAX_UNPACKED_BYTES: Final = 512 << 20
"""A file that unpacks to more is not read: a damaged one may unpack to any size."""
_RATIO: Final = 64
"""Unpacked bytes for each packed one, at most; a module with debug information has 3 to 10."""
_LEAST_BYTES: Final = 16 << 20
_OPENERS: Final[dict[str, Callable[[BinaryIO], Any]]] = {".gz": gzip.open, ".xz": lzma.open}
_ZSTD_SUFFIX: Final = ".zst"


class UnreadableModule(PfDoctorError):
    """A module file is missing, is compressed in an unknown way, or is no ELF file."""


def open_packed(path: Path, unpack: Unpack | None = None) -> BinaryIO:
    """Return a binary stream of a file that may be compressed; the caller closes it.

    Raises UnreadableModule if the file cannot be read, is no regular file, or unpacks to too much.
    """
    try:
        file = open_regular(path)
        if path.name.endswith(_ZSTD_SUFFIX):
            with file:
                return BytesIO(_zstd(path, file, unpack))
        opener = next((opener for end, opener in _OPENERS.items() if path.name.endswith(end)), None)
        if opener:
            with file, opener(file) as packed:
                return BytesIO(_read_bounded(path, file, packed))
        return BufferedReader(file)  # type: ignore[type-var]
    except (OSError, EOFError, lzma.LZMAError, zlib.error) as error:
        raise UnreadableModule(f"cannot read {path}: {error}") from error


def _read_bounded(path: Path, file: BinaryIO, packed: Any) -> bytes:
    """Return all that a packed file holds. Raises UnreadableModule if that is too much for it."""
    size = os.fstat(file.fileno()).st_size
    limit = min(max(_RATIO * size, _LEAST_BYTES), MAX_UNPACKED_BYTES)
    data = bytearray()
    while piece := packed.read(min(limit + 1 - len(data), 1 << 20)):
        data += piece
        if len(data) > limit:
            raise UnreadableModule(f"{path} unpacks to more than {limit:,} bytes")
    return bytes(data)


def _zstd(path: Path, file: BinaryIO, unpack: Unpack | None) -> bytes:
    """Return the content of a zstd file, by a Python module or else with `unpack`."""
    for name, method in (("compression.zstd", "open"), ("zstandard", "open")):
        try:
            module = import_module(name)
        except ImportError:
            continue
        try:
            with getattr(module, method)(file, "rb") as packed:
                return _read_bounded(path, file, packed)
        except module.ZstdError as error:
            raise UnreadableModule(f"cannot read {path}: {error}") from error
    if unpack is None:
        raise UnreadableModule(f"{path} is compressed with zstd", "unpack it with unzstd first")
    import tempfile  # It takes a while to import.

    with tempfile.NamedTemporaryFile(prefix="pfdoctor-") as unpacked:
        if problem := unpack("zstd", str(path), unpacked.name):
            raise UnreadableModule(f"cannot read {path}: {problem}")
        return _read_bounded(path, file, unpacked)
