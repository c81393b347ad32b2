"""A folder to work in that is gone afterwards, also when pfdoctor itself was killed.

A shell beside us, the guard, makes the folder and removes it when its input ends, which it does
however we end. So there is no moment in which the folder is there and nobody would remove it.
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


def unused() -> Path:
    """Return the path of a folder for temporary files that is not there yet."""
    return Path(tempfile.gettempdir(), f"pfdoctor-lab-{secrets.token_hex(8)}")


def guard(folder: Path, path: str, *words: str) -> subprocess.Popen[bytes]:
    """Start the guard of a folder, and return it once it has made the folder.

    The script at that path of the package is for sh, with `$folder` and the words; it has to remove
    the folder when its input ends. Raises PfDoctorError where the folder cannot be made.
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
    with process.stdout as told:
        said = untrusted.decode(told.readline()).strip()
    if said != "made":
        process.stdin.close()
        process.wait()
        raise PfDoctorError(f"no folder to work in: {said}", "set TMPDIR to a folder of yours")
    return process


@contextmanager
def scratch() -> Iterator[Path]:
    """Give a new private folder, and remove it with all that is in it."""
    folder = unused()
    with guard(folder, "lab/remove_folder.sh"):
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
