"""Whether the terminal is drawn on with more than ASCII."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pagefault_doctor.cli.main import main
from pagefault_doctor.cli.wizard import supports_unicode
from pagefault_doctor.model.event import SessionStarted
from pagefault_doctor.session.event_log import read_events
from pagefault_doctor.session.store import sessions_folder
from terminal import open_terminal
from tools.example_reports import BOOT, OOPS


@pytest.mark.parametrize(
    ("environ", "shown"),
    [
        ({"LANG": "C.UTF-8"}, True),
        ({"LANG": "de_DE.utf8", "TERM": "xterm"}, True),
        ({"LANG": "C.UTF-8", "LC_ALL": "C"}, False),
        ({"LANG": "C.UTF-8", "LC_CTYPE": "POSIX"}, False),
        ({"LC_ALL": "", "LANG": "en_US.UTF-8"}, True),
        ({"LANG": "de_DE@euro"}, False),
        ({}, False),
        ({"LANG": "C.UTF-8", "TERM": "vt100"}, False),
        ({"LANG": "C.UTF-8", "TERM": "linux"}, True),
    ],
)
def test_the_locale_and_the_terminal_decide(environ: dict[str, str], shown: bool) -> None:
    assert supports_unicode(environ) is shown


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("--log", "LOG"), 0, b"TERM=dumb cannot show it, so here is the plain diagnosis"),
        (("resume",), 3, b"resume needs a terminal: TERM=dumb cannot show it"),
        (("--lab", "null-deref-module"), 3, b"without one: pfdoctor lab run"),
    ],
    ids=["wizard", "resume", "lab"],
)
def test_a_dumb_terminal_gets_words_and_no_escape(
    words: tuple[str, ...], code: int, told: bytes, tmp_path: Path
) -> None:
    log = tmp_path / "kern.log"
    log.write_text(BOOT + OOPS)
    words = tuple(str(log) if word == "LOG" else word for word in words)
    argv = (sys.executable, "-m", "pagefault_doctor", *words)
    with open_terminal(argv, {"TERM": "dumb"}) as terminal:
        said = terminal.until_end()
    assert told in b" ".join(said.split())
    assert b"\x1b" not in said
    assert terminal.code == code
    assert code or b"wobble" in said


@pytest.mark.parametrize("words", [("diagnose",), ("run", "--log")], ids=["diagnose", "run"])
def test_a_terminal_gets_hostile_text_as_characters_and_none_is_lost(
    words: tuple[str, ...], tmp_path: Path
) -> None:
    hostile = "in\x1b[2J\x9b31m\x1b]0;x\x07\u202e[b]"
    log = tmp_path / f"{hostile}.log"
    log.write_text(BOOT + OOPS.replace("Comm: insmod", f"Comm: {hostile}"))
    with open_terminal((sys.executable, "-m", "pagefault_doctor", *words, str(log))) as terminal:
        said = terminal.until_end()
    assert terminal.code == 0
    shown = said.decode().replace("\r\n", "\n")
    assert [c for c in shown if (ord(c) < 32 and c != "\n") or 0x7F <= ord(c) < 0xA0] == []
    assert "\u202e" not in shown
    assert "in\\x1b[2J\\x9b31m\\x1b]0;x\\x07\\u202e[b].log" in shown


@pytest.mark.parametrize(
    "words",
    [
        ("playbook", "check", "NAME"),
        ("playbook", "check", "NAME-that-is-not-there"),
        ("playbook", "show", "NAME"),
        ("report", "NAME.jsonl"),
        ("resume", "NAME"),
        ("explain", "NAME"),
        ("train", "NAME"),
        ("diagnose", "--vmcore", "NAME"),
        ("diagnose", "--host", "NAME"),
        ("lab", "run", "NAME"),
        ("NAME",),
    ],
    ids=" ".join,
)
def test_a_hostile_name_in_any_command_is_told_in_a_harmless_line(
    words: tuple[str, ...], tmp_path: Path
) -> None:
    name = tmp_path / "p\x1b[2Jq"
    name.write_text('schema: 1\nid: "\\e[2J"\n')
    argv = [word.replace("NAME", str(name)) for word in words]
    done = subprocess.run(
        [sys.executable, "-m", "pagefault_doctor", *argv],
        capture_output=True, stdin=subprocess.DEVNULL, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode in (1, 2, 3)
    assert b"\x1b" not in done.stdout + done.stderr
    assert b"Traceback" not in done.stderr
    assert done.stderr or done.stdout


def test_without_a_terminal_whose_the_log_is_still_counts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "kern.log"
    log.write_text(BOOT + OOPS)
    assert main(["--log", str(log), "--log-of", "another"]) == 0
    assert "plain diagnosis instead" in capsys.readouterr().err
    (session,) = sessions_folder().glob("*.jsonl")
    first = read_events(session)[0]
    assert isinstance(first, SessionStarted)
    assert first.given == {"log_of": "another"}


def test_whose_a_log_is_cannot_be_said_of_no_log(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--log-of", "another"]) == 2
    assert "none is given; give it: --log FILE" in " ".join(capsys.readouterr().err.split())
