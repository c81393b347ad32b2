"""Compressed module files: gzip and xz with Python, zstd with a Python package or a program."""

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
"""Unpacks a file; takes the compression (`zstd`), the path, and the path of the output file.

Returns an error message, or None on success. The caller passes it in, because this package starts
no programs.
"""

MAX_UNPACKED_BYTES: Final = 512 << 20
"""Reading stops after this many unpacked bytes: a damaged file may unpack to any size."""
_OPENERS: Final[dict[str, Callable[[Path], Any]]] = {".gz": gzip.open, ".xz": lzma.open}
_ZSTD_SUFFIX: Final = ".zst"


class UnreadableModule(PfDoctorError):
    """A module file is missing, is compressed in an unknown way, or is no ELF file."""


def open_packed(path: Path, unpack: Unpack | None = None) -> BinaryIO:
    """Return a binary stream of a file that may be compressed; the caller closes it.

    Raises UnreadableModule if the file cannot be read.
    """
    try:
        if path.name.endswith(_ZSTD_SUFFIX):
            return BytesIO(_zstd(path, unpack))
        opener = next((opener for end, opener in _OPENERS.items() if path.name.endswith(end)), None)
        if opener:
            with opener(path) as packed:
                return BytesIO(packed.read(MAX_UNPACKED_BYTES))
        return path.open("rb")
    except (OSError, EOFError, lzma.LZMAError) as error:
        raise UnreadableModule(f"cannot read {path}: {error}") from error


def _zstd(path: Path, unpack: Unpack | None) -> bytes:
    """Return the content of a zstd file, by a Python module or else with `unpack`."""
    for name, method in (("compression.zstd", "open"), ("zstandard", "open")):
        try:
            module = import_module(name)
        except ImportError:
            continue
        try:
            with getattr(module, method)(path, "rb") as packed:
                return bytes(packed.read(MAX_UNPACKED_BYTES))
        except module.ZstdError as error:
            raise UnreadableModule(f"cannot read {path}: {error}") from error
    if unpack is None:
        raise UnreadableModule(f"{path} is compressed with zstd", "unpack it with unzstd first")
    with tempfile.NamedTemporaryFile(prefix="pfdoctor-") as unpacked:
        if problem := unpack("zstd", str(path), unpacked.name):
            raise UnreadableModule(f"cannot read {path}: {problem}")
        return unpacked.read(MAX_UNPACKED_BYTES)
