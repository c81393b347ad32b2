"""The fuzzing itself: it reads what once did harm, tries every reader, and notices harm."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOUND = sorted((ROOT / "tests/found").glob("*/*.input"))

FAKE = """
import sys, os, time
sys.path.insert(0, "bench")
import fuzz, fuzz_readers
def read(data, folder, draw):
    yield "read"
    {what}
fuzz.READERS.clear()
fuzz.READERS["kernel logs"] = fuzz_readers.Reader(lambda make: b"x", read)
fuzz.LONGEST = 3
sys.argv = ["fuzz.py", "1", "1"]
sys.exit(fuzz.main())
"""


def fuzz(*argv: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run something of the fuzzing; what it keeps lies in the folder afterwards."""
    return subprocess.run(
        [sys.executable, *argv], capture_output=True, text=True, cwd=ROOT, check=False,
        env={"TMPDIR": str(folder), "PATH": "/usr/bin:/bin"},
    )  # fmt: skip


@pytest.mark.parametrize("file", FOUND, ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_an_input_that_once_did_harm_does_none(file: Path, tmp_path: Path) -> None:
    done = fuzz("bench/fuzz.py", "--again", str(file), folder=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 inputs, no harm" in done.stdout


def test_every_reader_gets_inputs(tmp_path: Path) -> None:
    done = fuzz("bench/fuzz.py", "4", "1", folder=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    counts = [line.split() for line in done.stdout.splitlines() if line.endswith(" inputs")]
    assert len(counts) > 10
    assert all(int(words[-2]) > 0 for words in counts), done.stdout


@pytest.mark.parametrize(
    ("what", "told"),
    [
        ("raise KeyError('lost')", "KeyError"),
        ("yield 'bad \\x1b[2J'", "shown: "),
        ("yield 'bad \\u061c'", "shown: "),
        ("os.abort()", "ended the process with -6"),
        ("time.sleep(99)", "took longer than"),
    ],
)
def test_harm_is_noticed_and_its_input_kept(what: str, told: str, tmp_path: Path) -> None:
    done = fuzz("-c", FAKE.format(what=what), folder=tmp_path)
    assert done.returncode == 1, done.stdout + done.stderr
    assert told in done.stdout
    (kept,) = tmp_path.glob("*/kernel-logs/*.input")
    assert kept.read_bytes() == b"x"
    assert told in kept.with_suffix(".problem").read_text()
