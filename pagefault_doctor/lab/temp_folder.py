"""A temporary folder that is removed even if pfdoctor is killed.

Its guard makes it (`folder_guard` in `hosts/guard.py`).
"""

from __future__ import annotations

import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pagefault_doctor.hosts.guard import folder_guard


def unused_path() -> Path:
    """Return the path of a temporary folder that does not exist yet."""
    return Path(tempfile.gettempdir(), f"pfdoctor-lab-{secrets.token_hex(8)}")


@contextmanager
def temp_folder() -> Iterator[Path]:
    """Yield a new private folder; remove it with its contents afterwards."""
    folder = unused_path()
    with folder_guard(folder, "lab/remove_folder.sh", words=()):
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
