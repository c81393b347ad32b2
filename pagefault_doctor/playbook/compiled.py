"""A table of the playbooks' folder, compiled: JSON that is read without a YAML parser.

Every diagnosis needs the next steps and the known cases, and YAML takes longer to read than a log.
The JSON names the checksum of the YAML it was made from; where that differs, the YAML is read.
`make tables` writes it.
"""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from pagefault_doctor.model.errors import MissingError
from pagefault_doctor.playbook.folder import folder

T = TypeVar("T", bound=msgspec.Struct)

_FOLDER: Final = Path(__file__).with_name("tables")


class _Compiled(msgspec.Struct, frozen=True):
    crc32: int
    table: msgspec.Raw


def read_table(name: str, kind: type[T]) -> T | None:
    """Return the table of that file, None where the compiled one is missing or of another text.

    Raises MissingError where the file itself is missing.
    """
    try:
        source = (folder() / name).read_bytes()
    except OSError as error:
        message = f"cannot read {folder() / name}: {error.strerror}"
        raise MissingError(message, "install pagefault-doctor again") from error
    try:
        held = msgspec.json.decode(_path(name).read_bytes(), type=_Compiled)
        return msgspec.json.decode(held.table, type=kind) if held.crc32 == _crc(source) else None
    except (OSError, msgspec.MsgspecError):
        return None


def write_table(name: str, table: msgspec.Struct) -> None:
    """Write the compiled form of the table, which was read from that file."""
    held = _Compiled(_crc((folder() / name).read_bytes()), msgspec.Raw(msgspec.json.encode(table)))
    _FOLDER.mkdir(exist_ok=True)
    _path(name).write_bytes(msgspec.json.encode(held) + b"\n")


def _path(name: str) -> Path:
    return _FOLDER / f"{name.removesuffix('.yaml').replace('/', '-')}.json"


def _crc(source: bytes) -> int:
    return zlib.crc32(source.replace(b"\r\n", b"\n"))
