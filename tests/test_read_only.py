"""`pfdoctor run --read-only` of an ordinary user: what it writes, as strace sees it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from requirements import require, require_program
from tools.example_reports import BOOT, OOPS

ROOT = Path(__file__).parent.parent
NOBODY = 65534
PYTHON = "/usr/bin/python3"
"""An interpreter that every user may run; that of the tests may be in somebody's home."""
PARTS = ("msgspec", "capstone", "elftools", "psutil", "sh", "yaml", "shtab")
WRITES = tuple(
    re.compile(pattern + r".*\) = (?!-1)")
    for pattern in (
        r'\bopenat\([^,]+, "(?P<path>[^"]+)", [A-Z_|]*(?:O_WRONLY|O_RDWR|O_CREAT)',
        r'\b(?:mkdir|unlink|rmdir|truncate|creat|chmod|chown|mknod)(?:at)?\((?:[^",]+, )?'
        r'"(?P<path>[^"]+)"',
        r'\b(?:rename|link|symlink)(?:at2?|at)?\([^"]*"(?P<path>[^"]+)"',
    )
)


def written_by(line: str) -> str | None:
    """Return the path that a traced call opened for writing, created, moved or removed."""
    match = next(filter(None, (pattern.search(line) for pattern in WRITES)), None)
    return match["path"] if match else None


def test_the_filter_sees_writing() -> None:
    opened = 'openat(AT_FDCWD, "/etc/x", O_WRONLY|O_CREAT|O_CLOEXEC, 0666) = 3'
    assert written_by(opened) == "/etc/x"
    assert written_by(opened.replace("= 3", "= -1 EACCES")) is None
    assert written_by('openat(AT_FDCWD, "/etc/x", O_RDONLY|O_CLOEXEC) = 3') is None
    assert written_by('mkdir("/tmp/x", 0700) = 0') == "/tmp/x"
    assert written_by('unlinkat(AT_FDCWD, "/tmp/x", 0) = 0') == "/tmp/x"


@pytest.fixture
def home() -> Iterator[Path]:
    """The home of an ordinary user, who has a copy of pfdoctor there."""
    require(os.geteuid() == 0, "root, to become an ordinary user")
    version = subprocess.run((PYTHON, "-V"), capture_output=True, text=True).stdout
    wanted = f"Python {sys.version_info[0]}.{sys.version_info[1]}."
    require(version.startswith(wanted), f"{PYTHON} of the version that the packages are for")
    folder = Path(tempfile.mkdtemp(prefix="pfdoctor-read-only-", dir="/var/tmp"))
    library = Path(sysconfig.get_paths()["purelib"])
    try:
        for part in (*map(library.joinpath, PARTS), ROOT / "pagefault_doctor", ROOT / "playbooks"):
            copy = shutil.copytree if part.is_dir() else shutil.copy
            copy(part, folder / "lib" / part.name if part.is_dir() else folder / "lib")
        shutil.chown(folder, NOBODY, NOBODY)
        yield folder
    finally:
        shutil.rmtree(folder)


@pytest.mark.parametrize(
    ("options", "code", "answer"),
    [
        ((), 0, "see pfdoctor at work"),
        (("--log", "LOG"), 0, "wobble"),
        (("--log", "LOG", "--exit-code"), 10, "wobble"),
    ],
    ids=["this box", "a log", "a log with --exit-code"],
)
def test_an_ordinary_user_gets_an_answer_and_nothing_is_written_elsewhere(
    home: Path, options: tuple[str, ...], code: int, answer: str
) -> None:
    trace, log = home / "trace", home / "kern.log"
    log.write_text(BOOT + OOPS)
    words = [str(log) if word == "LOG" else word for word in options]
    strace = (require_program("strace"), "-ff", "-qq", "-s", "400", "-e", "trace=file")
    pfdoctor = (PYTHON, "-m", "pagefault_doctor", "run", "--read-only", *words)
    done = subprocess.run(
        (*strace, "-o", str(trace), *pfdoctor),
        cwd="/",
        env={"HOME": str(home), "PATH": "/usr/bin:/bin", "PYTHONPATH": str(home / "lib"),
             "PYTHONDONTWRITEBYTECODE": "1"},
        user=NOBODY,
        group=NOBODY,
        extra_groups=(),
        capture_output=True,
        text=True,
        timeout=250,
        check=False,
    )  # fmt: skip
    assert done.returncode == code, done.stderr[-2000:]
    assert answer in done.stdout
    (kept,) = (home / ".local/state/pfdoctor/sessions").glob("*.jsonl")
    assert kept.stat().st_mode & 0o077 == 0
    assert kept.parent.stat().st_mode & 0o077 == 0
    lines = [line for file in home.glob("trace*") for line in file.read_text().splitlines()]
    paths = {path for line in lines if (path := written_by(line))}
    made = {str(folder) for folder in kept.parents if folder.is_relative_to(home / ".local")}
    keys = {path for path in paths if path.startswith(f"{kept.parent}/session-key")}
    # What a kept session was about, for `seen before`.
    keys.add(f"{kept.parent.parent}/sightings.jsonl")
    elsewhere = paths - {str(kept), "/dev/null", "/dev/tty"} - made - keys
    assert sorted(path for path in elsewhere if not path.startswith("/proc/self/")) == []
    assert str(kept) in paths
