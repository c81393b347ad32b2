"""A temporary folder that is removed even if pfdoctor is killed.

A shell process, the guard, makes the folder and removes it when its standard input ends, which
happens however pfdoctor ends. So the folder never exists without a guard.
"""

from __future__ import annotations

import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pagefault_doctor.hosts.script import script
from pagefault_doctor.model import untrusted
from pagefault_doctor.model.errors import PfDoctorError


def unused_path() -> Path:
    """Return the path of a temporary folder that does not exist yet."""
    return Path(tempfile.gettempdir(), f"pfdoctor-lab-{secrets.token_hex(8)}")


def guard(folder: Path, path: str, *words: str) -> subprocess.Popen[bytes]:
    """Start the guard process of a folder; return it once it has made the folder.

    `path` is a script of this package for sh, with `$folder` and the words; it has to remove the
    folder when its input ends. Raises PfDoctorError if the folder cannot be made.
    """
    process = subprocess.Popen(
        ("/bin/sh", "-c", script("lab/make_folder.sh", path), "sh", str(folder), *words),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd="/",
        start_new_session=True,
    )
    assert process.stdin
    assert process.stdout
    with process.stdout as output:
        message = untrusted.decode(output.readline()).strip()
    if message != "made":
        process.stdin.close()
        process.wait()
        raise PfDoctorError(f"no folder to work in: {message}", "set TMPDIR to a folder of yours")
    return process


@contextmanager
def temp_folder() -> Iterator[Path]:
    """Yield a new private folder; remove it with its contents afterwards."""
    folder = unused_path()
    with guard(folder, "lab/remove_folder.sh"):
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
