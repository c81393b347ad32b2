"""The text for another machine's shell: any word arrives as it is, in whichever shell that is."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pagefault_doctor.hosts.marked import VARIABLE
from pagefault_doctor.hosts.remote_shell import (
    LONGEST,
    remote_text,
    terminal_text,
    was_not_found,
)
from pagefault_doctor.hosts.script import script
from pagefault_doctor.model.command import Command
from requirements import require_program

LOGIN_SHELLS = ("sh", "dash", "bash", "zsh", "fish", "csh", "tcsh", "busybox")
"""Shells that sshd may pass the text to."""

SHOW = 'import os, sys; print(ascii([os.getcwd(), sys.stdin.read(), sys.argv[1:], os.getenv("V")]))'

words = st.text(
    st.one_of(
        st.sampled_from("'\"\\!$`*?[]{}()<>|&;#~=%^- \t\n\r\x1b\x7f\x01é€\U0001f600"),
        st.characters(exclude_characters="\0", exclude_categories=["Cs"]),
    ),
    max_size=40,
)


@pytest.fixture(params=LOGIN_SHELLS)
def shell(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """How a login shell is given a text; only those that are installed are tried."""
    path = shutil.which(request.param)
    if path is None:
        pytest.skip(f"no {request.param} here")
    return (path, "sh", "-c") if request.param == "busybox" else (path, "-c")


def there(shell: tuple[str, ...], text: str) -> subprocess.CompletedProcess[str]:
    with subprocess.Popen(
        (*shell, text), stdin=subprocess.PIPE, stdout=-1, stderr=-1, text=True, errors="replace"
    ) as process:
        assert process.stdout
        assert process.stderr
        # Its input stays open, as the link does while the command runs.
        output, errors = process.stdout.read(), process.stderr.read()
        return subprocess.CompletedProcess((), process.wait(30), output, errors)


@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(argument=words, variable=words, stdin=words)
def test_every_word_arrives_as_it_is(
    shell: tuple[str, ...], argument: str, variable: str, stdin: str
) -> None:
    python = require_program("python3")
    command = Command(
        argv=(python, "-X", "utf8", "-c", SHOW, argument, "", argument),
        tool="test",
        cwd="/usr",
        stdin=stdin,
    )
    done = there(shell, remote_text(command, {"V": variable}))
    assert done.stdout == ascii(["/usr", stdin, [argument, "", argument], variable]) + "\n"
    assert done.returncode == 0


def test_an_exit_code_and_errors_come_back(shell: tuple[str, ...]) -> None:
    command = Command(argv=("sh", "-c", "echo no >&2; exit 7"), tool="test")
    done = there(shell, remote_text(command, {}))
    assert (done.returncode, done.stdout, done.stderr) == (7, "", "no\n")


def test_a_missing_program_is_told_from_one_that_is_not_executable(
    shell: tuple[str, ...], tmp_path: Path
) -> None:
    tool = tmp_path / "to ol"
    tool.write_text("")
    for name, missing in (("no-such-program", True), (f"{tool}2", True), (str(tool), False)):
        command = Command(argv=(name,), tool="test")
        done = there(shell, remote_text(command, {}))
        assert was_not_found(command, done.returncode, done.stderr) is missing
        assert done.returncode == (127 if missing else 126)


def test_a_program_that_says_not_found_itself_is_not_missing() -> None:
    command = Command(argv=("find",), tool="test")
    assert was_not_found(command, 127, "find: not found\n")
    assert not was_not_found(command, 1, "find: not found\n")
    assert not was_not_found(command, 127, "find: x: not found\n")


def test_a_folder_that_is_not_there_starts_nothing(shell: tuple[str, ...], tmp_path: Path) -> None:
    command = Command(argv=("touch", str(tmp_path / "made")), tool="test", cwd=f"{tmp_path}/none")
    assert there(shell, remote_text(command, {})).returncode == 126
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize(
    ("command", "env", "reason"),
    [
        (Command(argv=(), tool="t"), {}, "no program"),
        (Command(argv=("",), tool="t"), {}, "no program"),
        (Command(argv=("a", "b\0"), tool="t"), {}, "NUL"),
        (Command(argv=("a",), tool="t", stdin="\0"), {}, "NUL"),
        (Command(argv=("a",), tool="t", cwd="\0"), {}, "NUL"),
        (Command(argv=("a",), tool="t"), {"A": "\0"}, "NUL"),
        (Command(argv=("a", "\udc80"), tool="t"), {}, "valid text"),
        (Command(argv=("a",), tool="t", stdin="\ud800"), {}, "valid text"),
        *(
            (Command(argv=("a",), tool="t"), {name: "x"}, "name of an environment variable")
            for name in ("", "1A", "A-B", "A B", "A\n", "\nA", "A=B", "$(id)", "é", "A\u0661")
        ),
        (Command(argv=("a",), tool="t", env={"A;id": "x"}), {}, "name of an environment variable"),
        (Command(argv=("a", "x" * LONGEST), tool="t"), {}, "too long"),
        (Command(argv=("a",), tool="t", stdin="\n" * (LONGEST // 5)), {}, "too long"),
    ],
)  # fmt: skip
def test_what_cannot_be_sent_is_refused(
    command: Command, env: Mapping[str, str], reason: str
) -> None:
    for make in (remote_text, terminal_text):
        with pytest.raises(ValueError, match=reason):
            make(command, env)


def test_the_longest_text_is_one_argument_that_linux_takes() -> None:
    """At the limit it runs; sshd passes the text as one argument of at most 128 KiB."""
    command = Command(argv=("printf", "%s", ""), tool="t")
    room = LONGEST - len(remote_text(command, {}))
    command = Command(argv=("printf", "%s", "x" * room), tool="t")
    text = remote_text(command, {})
    assert len(text) == LONGEST
    assert there(("/bin/sh", "-c"), text).stdout == "x" * room
    with pytest.raises(ValueError, match="too long"):
        remote_text(Command(argv=("printf", "%s", "x" * (room + 1)), tool="t"), {})


WORD = r"'(?:\\0[0-7]{3}|[^'\\])*'"


@given(argument=words, variable=words)
def test_only_harmless_characters_are_in_the_text(argument: str, variable: str) -> None:
    """No shell ends single quotes at them, or expands them there; csh expands `!`."""
    command = Command(argv=("echo", argument), tool="t", stdin=variable, cwd=argument or "/")
    for make in (remote_text, terminal_text):
        text = make(command, {"A": variable})
        assert text.isascii()
        assert text.isprintable()
        count = r"\d"
        arguments = text.partition(" pfdoctor ")[2]
        assert "!" not in arguments
        assert re.fullmatch(rf"{WORD} {WORD} {count}(?: {WORD})+", arguments)


def test_each_command_there_has_a_mark_of_its_own() -> None:
    command = Command(argv=("true",), tool="t")
    found = {re.search(rf"{VARIABLE}=(\w+)", remote_text(command, {}))[1] for _ in range(9)}  # type: ignore[index]
    assert len(found) == 9
    assert all(len(mark) == 32 for mark in found)
    assert f"'{VARIABLE}=" not in terminal_text(command, {})


@pytest.mark.parametrize("kind", ["dash", "bash", "busybox"])
def test_the_script_works_in_this_shell_there(kind: str, tmp_path: Path) -> None:
    """/bin/sh of another machine may be any of these; what a command leaves is ended by each."""
    path = require_program(kind) if kind == "dash" else shutil.which(kind)
    if path is None:
        pytest.skip(f"no {kind} here")
    program = script("hosts/remote_words.sh", "hosts/end_marked.sh", "hosts/remote_run.sh")
    shell = (path, "sh") if kind == "busybox" else (path,)
    (tmp_path / "stay").write_text("echo $$ >> pids; trap '' TERM; exec sleep 99 >&- 2>&-\n")
    leaves = "sh stay & setsid sh stay & until [ $(wc -l < pids) = 2 ]; do sleep 0.1; done; exit 3"
    text = (
        "/",
        "",
        "1",
        f"{VARIABLE}={tmp_path.name}",
        "sh",
        "-c",
        f"cd {tmp_path}; : > pids; {leaves}",
    )
    words = [word.replace("\\", "\\0134") for word in text]
    with subprocess.Popen((*shell, "-c", program, "x", *words), stdin=-1, stderr=-1) as process:
        assert process.stderr
        assert (process.stderr.read(), process.wait(60)) == (b"", 3)
    for pid in (tmp_path / "pids").read_text().split():
        assert not Path("/proc", pid, "exe").exists()
