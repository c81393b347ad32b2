"""The book of known cases: the user's own files, the machine's, and those that are bundled.

An entry of the user counts before one of the machine with the same id, that before a bundled one. A
file that cannot be used is left out, and named among the problems: it must not end a diagnosis.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Final

import msgspec

from pagefault_doctor.files.home_folder import NoHomeError, user_folder
from pagefault_doctor.model.errors import MissingError
from pagefault_doctor.model.known_entry import Entry, KnownFile
from pagefault_doctor.playbook import folder as place
from pagefault_doctor.playbook.compiled import read_table, write_table
from pagefault_doctor.playbook.problem import PlaybookError

MOST_FILES: Final = 64
"""Files of one folder that are read."""
OF_MACHINE: Final = Path("/etc/pfdoctor/known")
_NAME: Final = "known"
_OF_REPORTS: Final = "faults.yaml"
"""The only bundled file that a log with a report needs; the others are about lines without one."""


class Shelved(msgspec.Struct, frozen=True):
    """An entry and where it is from."""

    entry: Entry
    path: Path
    bundled: bool = False


class KnownBook(msgspec.Struct, frozen=True):
    """The entries that count, the user's first, and what is wrong with files of the book."""

    shelved: tuple[Shelved, ...] = ()
    problems: tuple[str, ...] = ()

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The entries alone."""
        return tuple(each.entry for each in self.shelved)

    def find(self, entry_id: str) -> Shelved | None:
        """Return the entry of that id, or None."""
        return next((each for each in self.shelved if each.entry.id == entry_id), None)


def users_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the folder of the user's own entries, which may be missing; raises NoHomeError."""
    return user_folder("XDG_CONFIG_HOME", ".config", environ) / "pfdoctor" / _NAME


def bundled_folder() -> Path:
    """Return the folder of the bundled entries; raises MissingError."""
    return place.folder() / _NAME


def read_book(
    *,
    bundled_only: bool = False,
    of_reports: bool = False,
    environ: Mapping[str, str] = os.environ,
) -> KnownBook:
    """Return the book; with `of_reports`, what of it a log with a report needs.

    Never raises: what cannot be read is named in its problems.
    """
    found: dict[str, Shelved] = {}
    problems: list[str] = []
    for folder, bundled in _folders(bundled_only, environ):
        for path in _files(folder, problems):
            if bundled and of_reports and path.name != _OF_REPORTS:
                continue
            for entry in _entries(path, problems):
                found.setdefault(entry.id, Shelved(entry, path, bundled))
    return KnownBook(tuple(found.values()), tuple(problems))


def _folders(bundled_only: bool, environ: Mapping[str, str]) -> Iterator[tuple[Path, bool]]:
    if not bundled_only:
        # A service has no home, and needs none.
        with contextlib.suppress(NoHomeError):
            yield users_folder(environ), False
        yield OF_MACHINE, False
    try:
        yield bundled_folder(), True
    except MissingError:
        return


def _files(folder: Path, problems: list[str]) -> list[Path]:
    try:
        names = sorted(n for n in os.listdir(folder) if n.endswith(".yaml") and n[0] != ".")
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        problems.append(f"{folder}: {error.strerror}")
        return []
    if len(names) > MOST_FILES:
        problems.append(f"{folder}: only the first {MOST_FILES} files are read")
    return [folder / name for name in names[:MOST_FILES]]


def _entries(path: Path, problems: list[str]) -> tuple[Entry, ...]:
    try:
        state = os.stat(path)
        return _loaded(path, state.st_mtime_ns, state.st_size)
    except OSError as error:
        problems.append(f"{path}: {error.strerror}")
    except PlaybookError as error:
        problems.append(error.problem)
    return ()


@lru_cache(maxsize=2 * MOST_FILES)
def _loaded(path: Path, _changed: int, _size: int) -> tuple[Entry, ...]:
    # The wizard asks for the book again and again, and a file seldom changes meanwhile.
    is_bundled = path.parent == bundled_folder()
    held = read_table(f"{_NAME}/{path.name}", KnownFile) if is_bundled else None
    return held.entries if held else _checked(path)


def _checked(path: Path) -> tuple[Entry, ...]:
    # With compiled tables the YAML parser need not even be imported.
    from pagefault_doctor.playbook import loader

    return loader.load_known(loader.read(path), str(path))


def compile_tables() -> None:
    """Write the bundled files in their compiled form; raises MissingError, PlaybookError."""
    for path in sorted(bundled_folder().glob("*.yaml")):
        write_table(f"{_NAME}/{path.name}", KnownFile(1, _checked(path)))
