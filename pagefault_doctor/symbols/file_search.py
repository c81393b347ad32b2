"""Files looked for in a folder: regular ones, in a bounded number of entries."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

MAX_ENTRIES: Final = 500_000
"""Files and folders that are looked at; a kernel's modules are about six thousand."""

Tell = Callable[[str], None]
"""Takes what was left out, in words for the person."""


def ignore(_: str) -> None:
    """Tell nobody."""


def _is_regular(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file()
    except OSError:  # A loop of links.
        return False


def files_below(folder: Path, wanted: Callable[[str], bool], tell: Tell = ignore) -> Iterator[Path]:
    """Yield the regular files in a folder or below it whose names are wanted, nearest first.

    Links to folders are not followed, links to files are. `tell` gets what could not be read.
    """
    left, folders = MAX_ENTRIES, deque([folder])
    while folders:
        there = folders.popleft()
        try:
            with os.scandir(there) as entries:
                for entry in entries:
                    left -= 1
                    if left < 0:
                        tell(f"{folder} has more than {MAX_ENTRIES:,} files: the rest was left out")
                        return
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(Path(entry.path))
                    elif wanted(entry.name):
                        if _is_regular(entry):
                            yield Path(entry.path)
                        else:
                            tell(f"{entry.path} is not a readable file")
        except OSError as error:
            tell(f"{there} was not searched: {error.strerror}")
