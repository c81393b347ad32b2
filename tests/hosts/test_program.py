"""What keeps a command from being started, and the environment it gets."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from pagefault_doctor.hosts.program import StartProblem, environment, locate
from pagefault_doctor.model.command import Command, ResultStatus


def found(*argv: str, cwd: str = "/", path: str = "/usr/bin:/bin") -> str | StartProblem:
    return locate(Command(argv=argv, tool="test", cwd=cwd), {"PATH": path})


def script(folder: Path, mode: int) -> Path:
    file = folder / "tool"
    file.write_text("#!/bin/sh\n")
    file.chmod(mode)
    return file


def test_a_program_is_looked_up_on_the_path() -> None:
    assert str(found("sh")).endswith("/bin/sh")


def test_a_relative_program_is_one_of_the_commands_folder(tmp_path: Path) -> None:
    file = script(tmp_path, 0o755)
    assert found("./tool", cwd=str(tmp_path)) == str(file)


def test_a_program_nobody_has_is_missing() -> None:
    assert found("no-such-tool") == StartProblem(ResultStatus.MISSING, "no-such-tool: not found")
    assert found("/nowhere/tool") == StartProblem(ResultStatus.MISSING, "/nowhere/tool: not found")


def test_a_file_that_is_not_executable_is_refused(tmp_path: Path) -> None:
    file = script(tmp_path, 0o644)
    for obstacle in (found(str(file)), found("tool", path=str(tmp_path))):
        assert isinstance(obstacle, StartProblem)
        assert obstacle.status is ResultStatus.REFUSED
        assert obstacle.reason == f"{file}: permission denied, it is not executable"


@pytest.mark.parametrize(
    ("argv", "reason"),
    [
        ((), "there is no program to run"),
        (("",), "there is no program to run"),
        (("echo", "a\0b"), "a NUL character cannot be part of a command"),
        (("echo", "\udc80"), "a command must be valid text"),
        (("/usr",), "/usr: is a directory"),
    ],
)
def test_odd_words_are_refused_in_words(argv: tuple[str, ...], reason: str) -> None:
    assert found(*argv) == StartProblem(ResultStatus.REFUSED, reason)


@pytest.mark.parametrize("cwd", ["/nowhere", "/etc/passwd", ""])
def test_a_folder_that_is_none_is_refused(cwd: str) -> None:
    assert found("sh", cwd=cwd) == StartProblem(
        ResultStatus.REFUSED, f"{cwd}: no such folder to run in"
    )


@pytest.mark.parametrize("name", ["", "A=B"])
def test_a_variable_that_cannot_be_set_is_refused(name: str) -> None:
    obstacle = locate(Command(argv=("sh",), tool="test"), {"PATH": "/bin", name: "x"})
    assert isinstance(obstacle, StartProblem)
    assert obstacle.status is ResultStatus.REFUSED


def test_a_hostile_name_is_shown_and_not_obeyed() -> None:
    obstacle = found("\x1b]52;c;eA==\x07")
    assert isinstance(obstacle, StartProblem)
    assert obstacle.reason == "\\x1b]52;c;eA==\\x07: not found"


def test_the_environment_holds_no_secret_and_speaks_plain_english(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("API_TOKEN", "secret")
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    monkeypatch.setenv("LD_PRELOAD", "/nowhere.so")
    env = environment()
    assert "API_TOKEN" not in env
    assert "LD_PRELOAD" not in env
    assert env["LC_ALL"] == "C"
    assert env["TERM"] == "dumb"
    assert env["PAGER"] == "cat"


def test_the_path_reaches_the_tools_of_the_administrator(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/usr/bin:/sbin")
    ours = os.path.dirname(sys.executable)
    assert environment()["PATH"] == f"/usr/bin:/sbin:/usr/local/sbin:/usr/sbin:{ours}"


def test_later_additions_win() -> None:
    assert (
        environment({"LC_ALL": "x", "A": "1"}, {"A": "2"}).items()
        >= {"LC_ALL": "x", "A": "2"}.items()
    )
