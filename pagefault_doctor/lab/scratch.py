"""A folder to work in that is gone afterwards, also when pfdoctor itself was killed."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_GUARD: Final = 'read -r _; for _ in 1 2 3 4; do rm -rf -- "$1"; [ -e "$1" ] || exit; sleep 1; done'
"""Removes the folder when its input ends. A build that is just being ended may still write there,
hence more than one try."""


@contextmanager
def scratch() -> Iterator[Path]:
    """Give a new private folder, and remove it with all that is in it."""
    folder = Path(tempfile.mkdtemp(prefix="pfdoctor-lab-"))
    with subprocess.Popen(
        ("/bin/sh", "-c", _GUARD, "sh", str(folder)),
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
        start_new_session=True,
    ):
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
