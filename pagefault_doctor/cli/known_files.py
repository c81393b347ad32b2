"""Writes and removes entries in the user's own folder of known cases, a file for each."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import msgspec
import yaml

from pagefault_doctor.cli.inputs import read_logs
from pagefault_doctor.files.home_folder import NoHomeError
from pagefault_doctor.files.private_folder import NotPrivateError, make_private_folder
from pagefault_doctor.model.errors import MissingError, UsageError
from pagefault_doctor.model.known_entry import Entry
from pagefault_doctor.model.main_report import main_report
from pagefault_doctor.model.report import Report
from pagefault_doctor.playbook.known_book import Shelved, users_folder
from pagefault_doctor.playbook.loader import load_known

_OURS: Final = 2
"""How many parts at the end of the folder's path are pfdoctor's own."""


def report_in(name: str) -> Report:
    """Return the report that a log is about; raises UsageError where it has none."""
    logs = read_logs(name)
    index = main_report(logs)
    if index is None:
        raise UsageError(f"no fault was found in {name}", "name a signature, or an entry's id")
    return [report for log in logs for report in log.reports][index]


def write_entry(entry: Entry, folder: Path) -> Path:
    """Write the entry to its own file and return that; raises UsageError or MissingError.

    It is checked as a file of the book is, and replaces the user's own entry of the same id.
    """
    path = folder / f"{entry.id}.yaml"
    text = _yaml(entry)
    load_known(text, str(path))
    try:
        make_private_folder(folder, _OURS)
        _refuse_others(path, entry.id)
        beside = folder / f".{entry.id}.{os.getpid()}"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
        with os.fdopen(os.open(beside, flags, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(beside, path)
    except OSError as error:
        raise MissingError(f"cannot write {path}: {error.strerror}", _remedy(error)) from error
    return path


def remove_entry(known: Shelved) -> Path:
    """Remove the user's file of an entry and return it; raises UsageError for one of others."""
    path, entry = known.path, known.entry
    try:
        ours = path.parent == users_folder()
    except NoHomeError:
        ours = False
    if known.bundled or not ours:
        remedy = f'pfdoctor known ignore {entry.id} --reason "..." leaves it out'
        raise UsageError(f"{entry.id} is not of your own folder: {path}", remedy)
    _refuse_others(path, entry.id)
    try:
        path.unlink()
    except OSError as error:
        raise MissingError(f"cannot remove {path}: {error.strerror}", _remedy(error)) from error
    return path


def _refuse_others(path: Path, entry_id: str) -> None:
    """Refuse to touch a file that holds more than this entry, or that cannot be read."""
    if not path.exists():
        return
    there = load_known(path.read_text("utf-8", "replace"), str(path))
    if [entry.id for entry in there] != [entry_id]:
        raise UsageError(f"{path} holds other entries, too", "change it with an editor")


def _remedy(error: OSError) -> str:
    if isinstance(error, NotPrivateError):
        return "name a folder of your own with XDG_CONFIG_HOME"
    return "free some space, or name another place with XDG_CONFIG_HOME"


def _yaml(entry: Entry) -> str:
    document = {"schema": 1, "entries": [msgspec.to_builtins(entry)]}
    text: str = yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=96)
    return text
