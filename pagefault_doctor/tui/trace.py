"""The trace of a mistake of our own, in a file for whoever mends it."""

from __future__ import annotations

import os
import traceback
from pathlib import Path

from pagefault_doctor.model import untrusted


def keep_trace(mistake: Exception, folder: Path, session: str) -> str:
    """Write the trace to the session's folder, for its owner only; return words for where it is.

    The trace of an earlier mistake in the same session stays before it.
    """
    path = folder / f"{session}.trace"
    text = untrusted.clean("".join(traceback.format_exception(mistake)))
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with open(os.open(path, flags, 0o600), "w", encoding="utf-8", errors="replace") as file:
            file.write(text + "\n")
    except OSError as error:
        return f"its trace cannot be written to {path}: {error.strerror}"
    return f"its trace is in {path}"
