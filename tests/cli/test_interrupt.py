"""On a terminal long work shows how far it is, and Ctrl-C ends it at once and leaves nothing."""

from __future__ import annotations

import gzip
import io
import os
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from processes import running
from terminal import eventually, open_terminal

HEAD = b"[    1.000000] usb 1-1: new device\n"
SLEEP = f"98765.{os.getpid()}"


def plain(folder: Path) -> str:
    """A log of forty gigabytes, nearly all of it a hole."""
    path = folder / "kern.log"
    path.write_bytes(HEAD * 4000)
    os.truncate(path, 40 << 30)
    return str(path)


def packed(folder: Path) -> str:
    """A log of lines that have to be looked at: a gigabyte of them takes minutes."""
    line = b"[    1.000000] usb 1-1: DEBUG: new device\n"
    path = folder / "kern.log.gz"
    path.write_bytes(gzip.compress(HEAD * 4000) + gzip.compress(line * (1 << 20), 1) * 100)
    return str(path)


def archive(folder: Path) -> str:
    """An archive with a log after a crash dump of eight gigabytes."""
    dump, log = tarfile.TarInfo("vmcore"), tarfile.TarInfo("dmesg")
    dump.size, log.size = 7 << 30, len(HEAD)
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w") as tar:
        tar.addfile(log, io.BytesIO(HEAD))
    zeros = gzip.compress(bytes(1 << 26), 9) * (7 << 4)
    path = folder / "sos.tar.gz"
    path.write_bytes(gzip.compress(dump.tobuf()) + zeros + gzip.compress(held.getvalue()))
    return str(path)


def typed(folder: Path) -> str:
    """A log on standard input that does not end."""
    slowly = "while :; do head -c 9000000 /dev/zero | tr '\\0' x; echo; sleep 0.1; done"
    return f"trap : INT; {{ echo '{HEAD.decode().strip()}'; {slowly}; }} | {command('-')}; exit $?"


def journal(folder: Path) -> str:
    """A journal with a journalctl that takes its time."""
    program = folder / "bin/journalctl"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\nsleep {SLEEP}\n")
    program.chmod(0o755)
    path = folder / "system.journal"
    path.write_bytes(b"LPKSHHRH" + bytes(300))
    return str(path)


def command(path: str) -> str:
    return f"{sys.executable} -m pagefault_doctor diagnose {path}"


@pytest.mark.parametrize("make", [plain, packed, archive, typed, journal])
def test_progress_is_shown_and_ctrl_c_ends_the_work(
    make: Callable[[Path], str], tmp_path: Path
) -> None:
    room = tmp_path / "room"
    room.mkdir()
    made = make(tmp_path)
    script = made if make is typed else f"exec {command(made)}"
    environment = {
        "TMPDIR": str(room),
        "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}",
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
    }
    with open_terminal(["/bin/sh", "-c", script], environment) as terminal:
        shown = terminal.until(b"Ctrl-C stops")
        assert b" MB" in shown or b" kB" in shown
        terminal.type("\x03")
        shown = terminal.until(b"interrupted")
        assert terminal.wait() == 130
    assert shown.count(b"pfdoctor: interrupted") == 1
    assert b"Traceback" not in shown
    assert list(room.iterdir()) == []
    assert eventually(lambda: not running(SLEEP), 20)


def test_without_a_terminal_no_progress_is_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from pagefault_doctor.cli.stderr import Progress

    with Progress("kern.log") as progress:
        progress("searching", 1, 2, 0)
    assert capsys.readouterr().err == ""
