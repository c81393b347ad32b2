"""Getting text out: the terminal's clipboard by OSC 52, or a file in the session's folder."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from pagefault_doctor.files.private_folder import make_folders

CLIPBOARD_LIMIT: Final = 74000
"""Bytes of base64 in one OSC 52 sequence; longer ones are dropped by common terminals."""

_RAW_LIMIT: Final = CLIPBOARD_LIMIT // 4 * 3


def for_clipboard(text: str) -> tuple[str, bool]:
    """Return as much of the text as a terminal's clipboard takes, and whether that is all."""
    data = text.encode("utf-8", "replace")
    if len(data) <= _RAW_LIMIT:
        return text, True
    return data[:_RAW_LIMIT].decode("utf-8", "ignore"), False


def copied_notice(text: str, whole: bool, environ: Mapping[str, str] = os.environ) -> str:
    """Return the notice about a copy that was sent."""
    size = len(text.encode("utf-8", "replace"))
    if not whole:
        return f"Sent only the first {size} bytes to the clipboard. w writes all of it to a file."
    tmux = ", if tmux has: set -g set-clipboard on" if environ.get("TMUX") else ""
    return f"Sent {size} bytes to the terminal's clipboard (OSC 52){tmux}. w writes a file instead."


def save(text: str, folder: Path, session_id: str) -> Path:
    """Write the text to a new file that only its owner can read, and return its path.

    Raises OSError.
    """
    make_folders(folder)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    for number in range(1, 1000):
        path = folder / f"{session_id}-saved-{number}.txt"
        try:
            descriptor = os.open(path, flags, 0o600)
        except FileExistsError:
            continue
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace") as file:
            file.write(text if text.endswith("\n") else text + "\n")
        return path
    raise FileExistsError(f"{folder} holds too many saved files of this session")
