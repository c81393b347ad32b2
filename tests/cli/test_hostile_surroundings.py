"""Every command where the machine refuses something: the exit code of the contract, one line."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cli.each_subcommand import FIRST_OF_EACH, LOG, named
from pagefault_doctor.playbook.shelf import recording_path
from tools.example_reports import BOOT, OOPS

CODES = (0, 1, 2, 3)
NOTES = ("here is the plain diagnosis", "will not be kept", "have no line, for want of")
"""Messages that go before the end of a run, and are no error."""

FULL, CLOSED, CLOSED_ERRORS = ">/dev/full", ">&-", "2>&-"
STREAMS = {
    "full": FULL,
    "closed": CLOSED,
    "errors closed": CLOSED_ERRORS,
    "errors full": "2>/dev/full",
    "input closed": "<&-",
    "all closed": "<&- >&- 2>&-",
}
LIMITS = {
    "ten files": "ulimit -n 10",
    "no file may grow": "ulimit -f 0",
    "40 MB of memory": "ulimit -v 40000",
    "80 MB of memory": "ulimit -v 80000",
    "the working folder is gone": 'mkdir "$HOME/gone"; cd "$HOME/gone"; rmdir "$HOME/gone"',
    "nothing in the environment": "unset HOME PATH TERM LANG",
    "a strange environment": "unset TERM; export COLUMNS=nonsense LINES=-1 TZ=:/etc/passwd "
    "LC_ALL=xx_YY.nonsense PYTHONIOENCODING=ascii TMPDIR=/nowhere",
    "one column": "export COLUMNS=1",
    "state and cache are no folders": "export XDG_STATE_HOME=/dev/null XDG_CACHE_HOME=/dev/null",
}
OF_A_SUBCOMMAND = [words for words in FIRST_OF_EACH if words[0] != "--log"]

NO_HOME = """
import pwd, sys
def unknown(uid):
    raise KeyError(uid)
pwd.getpwuid = unknown
from pagefault_doctor.cli.main import main
sys.exit(main())
"""
"""Runs pfdoctor for a user that passwd does not know."""


@pytest.fixture
def log(tmp_path: Path) -> Path:
    log = tmp_path / "kern.log"
    log.write_text(BOOT + OOPS)
    return log


def run(
    words: list[str], before: str = ":", streams: str = "", main: tuple[str, ...] = ()
) -> subprocess.CompletedProcess[str]:
    """Run pfdoctor from a shell, after some commands and with some redirections."""
    argv = [sys.executable, *(main or ("-m", "pagefault_doctor")), *words]
    root = str(Path(__file__).parents[2])
    environ = {k: v for k, v in os.environ.items() if k != "PYTHONUNBUFFERED"}
    return subprocess.run(
        ["sh", "-c", f'{before}\nexec "$@" {streams}', "sh", *argv],
        capture_output=True, text=True, errors="replace", stdin=subprocess.DEVNULL, timeout=120,
        env=environ | {"PYTHONPATH": root}, check=False,
    )  # fmt: skip


def check_ended_well(done: subprocess.CompletedProcess[str]) -> None:
    """Check the exit code, and that an error is one line and no trace."""
    assert done.returncode in CODES, done
    assert "Traceback" not in done.stderr + done.stdout, done.stderr
    assert "Exception ignored" not in done.stderr
    said = [line for line in done.stderr.splitlines() if line.startswith("pfdoctor: ")]
    assert len([line for line in said if not any(note in line for note in NOTES)]) <= 1, said


@pytest.fixture
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.mark.usefixtures("_home")
@pytest.mark.parametrize("words", FIRST_OF_EACH, ids=" ".join)
@pytest.mark.parametrize("stream", STREAMS)
def test_a_stream_that_is_full_or_closed_is_one_line(
    stream: str, words: tuple[str, ...], log: Path
) -> None:
    sessions = Path(os.environ["XDG_STATE_HOME"], "pfdoctor/sessions")
    sessions.mkdir(parents=True)
    shutil.copy(recording_path("err-ptr"), sessions / "s1.jsonl")
    redirection = STREAMS[stream]
    done = run(named(words, log), streams=redirection)
    check_ended_well(done)
    # `resume` needs a terminal, and prints nothing without one.
    if redirection in (FULL, CLOSED) and words[0] != "resume":
        assert done.returncode == 1
        assert "standard output cannot be written" in done.stderr
        assert done.stderr.rstrip().endswith("it is not complete")
    assert done.stdout == "" or "errors" in stream or "input" in stream


@pytest.mark.usefixtures("_home")
@pytest.mark.parametrize("words", OF_A_SUBCOMMAND, ids=" ".join)
@pytest.mark.parametrize("limit", LIMITS)
def test_what_the_machine_refuses_is_one_line(
    limit: str, words: tuple[str, ...], log: Path
) -> None:
    check_ended_well(run(named(words, log), LIMITS[limit]))


@pytest.mark.parametrize("words", OF_A_SUBCOMMAND, ids=" ".join)
def test_a_user_without_a_home_gets_an_answer_and_no_folder_is_made(
    words: tuple[str, ...], log: Path, tmp_path: Path
) -> None:
    before = f"cd {tmp_path}; unset HOME XDG_STATE_HOME XDG_CACHE_HOME"
    done = run(named(words, log), before, main=("-c", NO_HOME))
    check_ended_well(done)
    if words[0] in ("sessions", "report"):
        assert "set HOME or XDG_STATE_HOME" in done.stderr
        assert done.returncode == 1
    if words[0] in ("run", "train"):
        assert done.returncode == 0
        assert "will not be kept" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == [log.name]


def test_messages_do_not_become_data_where_standard_error_is_closed() -> None:
    done = run(["explain", "gremlins"], streams=CLOSED_ERRORS)
    assert done.returncode == 2
    assert done.stdout == ""


def test_no_file_of_a_session_gets_the_number_of_a_closed_stream(log: Path) -> None:
    run(["run", "--log", str(log)], streams="<&- >&- 2>&-")
    (session,) = Path(os.environ["XDG_STATE_HOME"]).glob("pfdoctor/sessions/*.jsonl")
    events = [json.loads(line)["event"] for line in session.read_text().splitlines()]
    assert events[0] == "session-started"
    assert events[-1] == "session-ended"


@pytest.mark.parametrize("shown", ["größe", "😀"])
def test_json_stays_json_where_the_encoding_has_too_few_characters(
    shown: str, tmp_path: Path
) -> None:
    log = tmp_path / f"{shown}.log"
    log.write_text(BOOT + OOPS)
    done = run(["diagnose", "--json", str(log)], "export PYTHONIOENCODING=ascii")
    assert done.stdout.isascii()
    assert json.loads(done.stdout)["source"] == str(log)


@pytest.mark.parametrize(
    "words",
    [("diagnose", LOG), ("report", LOG), ("playbook", "check", LOG), ("run", "--log", LOG),
     ("lab", "run", "--module", LOG), ("diagnose", "--module-dir", LOG, LOG)],
    ids=" ".join,
)  # fmt: skip
def test_a_file_that_fails_while_it_is_read_is_one_line(
    words: tuple[str, ...], tmp_path: Path
) -> None:
    # Its first page is not mapped, and reading it fails with EIO.
    name = tmp_path / "memory.jsonl"
    name.symlink_to("/proc/self/mem")
    done = run(named(words, name))
    check_ended_well(done)
    assert done.returncode in (1, 2, 3)
    assert done.stderr.startswith("pfdoctor: ")


@pytest.mark.parametrize(
    "words",
    [("run", "--log", LOG, "--module-dir"), ("run", "--log", LOG, "--vmcore"),
     ("--lab", "--source-dir"), ("--lab", "err-ptr", "--trigger")],
    ids=" ".join,
)  # fmt: skip
def test_a_name_that_no_session_can_hold_is_one_line(
    words: tuple[str, ...], log: Path, tmp_path: Path
) -> None:
    name = os.fsdecode(os.fsencode(tmp_path) + b"/m\xff")
    os.mkdir(name)
    done = run([*named(words, log), name])
    check_ended_well(done)
    assert done.returncode == 2
    assert r"m\udcff is not valid UTF-8; give it another name" in done.stderr
