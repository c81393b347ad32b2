"""Unpack what Python cannot, with programs of this machine: binary journals and zst files."""

from __future__ import annotations

import os
from typing import Final

from pagefault_doctor.cli.stderr import Progress
from pagefault_doctor.klog.input.compression import NO_ZSTD
from pagefault_doctor.model.errors import MissingError

_TIMEOUT: Final = 3600.0
_MAX_BYTES: Final = str(1 << 30)
"""Bytes that are taken of what a program gives."""
_EXIT_MISSING: Final = 127
_SCRIPTS: Final = {
    "journal": ("cli/unpack_journal.sh", "--file"),
    "journals": ("cli/unpack_journal.sh", "--directory"),
    "zstd": ("cli/unpack_zstd.sh",),
}
_REMEDIES: Final = {
    "zstd": MissingError(NO_ZSTD),
    "journal": MissingError(
        "a binary journal, and there is no journalctl here to read it",
        "on a machine with systemd: journalctl --file FILE _TRANSPORT=kernel -o export"
        " | pfdoctor diagnose -",
    ),
}
_PROGRAMS: Final = {"zstd": "zstd", "journal": "journalctl"}
_EMPTY: Final = {
    "zstd": "what zstd could unpack is empty",
    "journal": "the journal holds no message of the kernel",
}


class UnpackPrograms:
    """Unpacks with journalctl and zstd. `missing` is the error if one is not installed."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self.missing: MissingError | None = None

    def __call__(self, what: str, path: str, target: str) -> str | None:
        """Unpack a file to another path; a `klog.input.unpack.Helper`."""
        from pagefault_doctor.hosts import runner
        from pagefault_doctor.hosts.script import script
        from pagefault_doctor.model.command import Command, ResultStatus

        kind = what.removesuffix("s")
        file, *options = _SCRIPTS[what]
        command = Command(
            argv=("sh", "-c", script(file), what, path, target, _MAX_BYTES, *options),
            tool=kind,
            timeout=_TIMEOUT,
        )
        with self._progress.watching("unpacking", lambda: os.stat(target).st_size):
            result = runner.run(command)
        if result.exit_code == _EXIT_MISSING or result.status is ResultStatus.MISSING:
            self.missing = _REMEDIES[kind]
            return str(self.missing)
        messages = result.errors.strip().splitlines()
        if result.status is ResultStatus.TIMEOUT:
            messages.append(f"was ended after {_TIMEOUT:.0f} seconds")
        if not os.stat(target).st_size:
            return f"{_PROGRAMS[kind]}: {messages[-1]}" if messages else _EMPTY[kind]
        return f"{_PROGRAMS[kind]}: {messages[-1]}" if messages else None
