"""The programs that run elsewhere: that each is there and used, and that every shell takes them."""

from __future__ import annotations

import ast
import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from hosts.script_files import PACKAGE, PYTHON, SHELL
from pagefault_doctor.hosts import remote_shell
from pagefault_doctor.hosts.password_prompt import as_marked
from pagefault_doctor.hosts.script import script
from pagefault_doctor.model.command import Command
from requirements import require_program

BY_PATH = {
    *("lab/build_in_root.sh", "lab/capture.sh", "lab/fetch_kernel.sh"),
    *("lab/init.sh", "lab/private_apt.sh"),
}
"""Run or packed as files, not handed over as text."""


def test_every_script_is_named_in_the_code_and_every_name_is_a_script() -> None:
    named = {
        node.value
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and node.value.endswith((".sh", ".py"))
        and (PACKAGE / node.value).parent.is_dir()
        and "/" in node.value
    }
    assert named == {*SHELL, *PYTHON} - BY_PATH


def test_scripts_are_joined_in_the_order_they_are_named() -> None:
    first, second = "hosts/make_folder.sh", "lab/remove_folder.sh"
    assert script(first, second) == script(first) + script(second)


@pytest.mark.parametrize("path", SHELL)
def test_dash_takes_every_script(path: str) -> None:
    done = subprocess.run((require_program("dash"), "-n", PACKAGE / path), capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")


def test_the_text_for_another_machine_is_one_line_within_single_quotes() -> None:
    command = Command(argv=("printf", "%s", "it's"), tool="t", stdin="in\n")
    for text in (remote_shell.remote_text(command, {}), remote_shell.terminal_text(command, {})):
        program = text.removeprefix("exec /bin/sh -c '").partition("' pfdoctor ")[0]
        assert "\n" not in text
        assert not {*"'\\#"} & {*program.replace("$#", "").replace("##", "")}


@pytest.mark.parametrize("make", [remote_shell.remote_text, remote_shell.terminal_text])
def test_the_text_for_another_machine_runs_there(
    make: Callable[[Command, dict[str, str]], str], tmp_path: Path
) -> None:
    shown = 'pwd; printf "%s\\n" "$A" "$1"; cat'
    command = Command(
        argv=("sh", "-c", shown, "sh", "it's\n!"), tool="t", stdin="in", cwd=str(tmp_path)
    )
    argv = (require_program("dash"), "-c", make(command, {"A": "b c"}))
    read, write = os.pipe()
    if make is remote_shell.terminal_text:  # There, what is written on the terminal is read.
        os.write(write, b"in")
        os.close(write)
    done = subprocess.run(argv, stdin=read, capture_output=True, text=True, timeout=20)
    assert done.stdout == f"{tmp_path}\nb c\nit's\n!\nin"


def test_marked_output_is_told_apart() -> None:
    command = Command(argv=("sh", "-c", "cat; echo no >&2; exit 3"), tool="t", stdin="yes\n")
    _, option, text, *words = as_marked(command, "mark", {}).argv
    argv = (require_program("dash"), option, text, *words)
    done = subprocess.run(argv, capture_output=True, text=True)
    assert sorted(done.stdout.splitlines()) == ["mark-eno", "mark-oyes", "mark-x3"]


def test_the_guard_of_a_link_ends_its_group_and_removes_its_folder(tmp_path: Path) -> None:
    """The group has no mark, and ignores SIGTERM."""
    folder = tmp_path / "own"
    text = script("hosts/make_folder.sh", "hosts/end_marked.sh", "hosts/end_link.sh")
    argv = (require_program("dash"), "-c", text, "sh", str(folder), "no-such-mark")
    stubborn = ("sh", "-c", "trap '' TERM; echo up; exec sleep 99")
    with (
        subprocess.Popen(stubborn, stdout=subprocess.PIPE, start_new_session=True) as link,
        subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as guard,
    ):
        assert link.stdout
        assert link.stdout.readline() == b"up\n"
        assert guard.stdin
        assert guard.stdout
        assert guard.stdout.readline() == b"made\n"
        assert folder.stat().st_mode & 0o777 == 0o700
        guard.stdin.write(f"{link.pid}\n".encode())
        guard.stdin.close()
        guard.wait(20)
        assert link.wait(20) == -signal.SIGKILL
    assert not folder.exists()
