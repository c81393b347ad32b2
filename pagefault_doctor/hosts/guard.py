"""A guard that ends a command's process group when pfdoctor itself dies without a word.

After kill -9 nothing of ours can run any more. So a small shell waits on a pipe whose other end
only we hold: a line on it means that all is well, its end means that we are gone.
"""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_SCRIPT: Final = (
    'read -r word || { kill -s TERM -- "-$1"; sleep 2; kill -s KILL -- "-$1"; '
    '[ -z "$2" ] || { rm -f -- "$2"; rmdir -- "${2%/*}"; }; }'
)
"""POSIX shell; $1 is the process group, $2 a file to remove with its folder, if any."""


@contextlib.contextmanager
def guarded(group: int, file: Path | None = None) -> Iterator[None]:
    """While this lasts, see that the group does not outlive us, whatever becomes of us.

    Nor shall the `file`, such as a socket of its own, and the folder that holds nothing else.
    A box that cannot start the guard (no shell, no memory) runs the command without one.
    """
    try:
        guard = subprocess.Popen(
            ("/bin/sh", "-c", _SCRIPT, "sh", str(group), str(file or "")),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            start_new_session=True,
        )
    except OSError:
        yield
        return
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            guard.communicate(b"done\n")
