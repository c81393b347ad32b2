"""Whether the terminal is drawn on with more than ASCII."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from pagefault_doctor.cli.face import shows_unicode
from terminal import open_terminal
from tools.told import BOOT, OOPS


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
    assert shows_unicode(environ) is shown


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
        said = b""
        while terminal.code is None:
            said += terminal.read(0.2)
            terminal.poll()
        said += terminal.read(0.2)
    assert told in b" ".join(said.split())
    assert b"\x1b" not in said
    assert terminal.code == code
    assert code or b"wobble" in said
