"""What keeps a command from being started, and the environment it gets."""

from __future__ import annotations

import os
import pwd
import socket
import sys
import tempfile
from pathlib import Path

import pytest

from pagefault_doctor.files import home_folder as home_folder_module
from pagefault_doctor.hosts import program, runner
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


@pytest.mark.parametrize("entry", ["", ".", "bin", "./bin", "../bin"])
def test_a_relative_folder_of_the_path_is_never_searched(
    entry: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Anybody may have put a program called dmesg into the folder that root happens to be in."""
    for folder in (tmp_path, tmp_path / "bin"):
        folder.mkdir(exist_ok=True)
        script(folder, 0o755).rename(folder / "ls")
    (tmp_path / "in").mkdir()
    monkeypatch.chdir(tmp_path if entry != "../bin" else tmp_path / "in")
    for path in (f"{entry}:/usr/bin:/bin", f"/usr/bin:/bin:{entry}", entry):
        for cwd in (str(tmp_path), "/"):
            assert found("ls", cwd=cwd, path=path) in ("/usr/bin/ls", "/bin/ls")
        monkeypatch.setenv("PATH", path)
        assert all(folder.startswith("/") for folder in environment()["PATH"].split(":"))
        assert runner.run(Command(argv=("sh", "-c", "ls /"), tool="test")).output


@pytest.mark.parametrize("kind", ["fifo", "socket", "folder", "loop", "dangling", "in no folder"])
def test_what_is_no_program_does_not_hide_the_one_behind_it(kind: str, tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory() as short:
        first = Path(short, "first")
        first.mkdir()
        place = first / "tool"
        if kind == "fifo":
            os.mkfifo(place, 0o777)
        elif kind == "socket":
            socket.socket(socket.AF_UNIX).bind(str(place))
        elif kind == "folder":
            place.mkdir()
        elif kind == "loop":
            place.symlink_to("tool")
        elif kind == "dangling":
            place.symlink_to("nowhere")
        else:
            first.rmdir()
            first.write_text("a file")
        file = script(tmp_path, 0o755)
        assert found("tool", path=f"{first}:{tmp_path}") == str(file)
        alone = found("tool", path=str(first))
        assert isinstance(alone, StartProblem)
        assert alone.status is ResultStatus.MISSING
        assert alone.reason.startswith("tool: not found")
        assert (str(place) in alone.reason) is (kind in ("fifo", "socket", "folder", "loop"))


def test_a_file_that_is_not_executable_does_not_hide_the_one_behind_it(tmp_path: Path) -> None:
    (tmp_path / "first").mkdir()
    script(tmp_path / "first", 0o644)
    script(tmp_path, 0o755)
    assert found("tool", path=f"{tmp_path}/first:{tmp_path}") == str(tmp_path / "tool")


def test_a_folder_that_cannot_be_searched_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """As root may search all, the refusal is simulated."""

    def refused(path: str) -> os.stat_result:
        if path.startswith("/closed"):
            raise PermissionError(13, "Permission denied")
        return stat(path)

    stat = os.stat
    monkeypatch.setattr(os, "stat", refused)
    assert str(found("sh", path="/closed:/bin")) == "/bin/sh"
    nowhere = found("no-such-tool", path="/closed:/bin")
    assert isinstance(nowhere, StartProblem)
    assert nowhere.status is ResultStatus.MISSING
    assert nowhere.reason.startswith(
        "no-such-tool: not found; /closed/no-such-tool: Permission denied"
    )
    closed = found("/closed/tool")
    assert isinstance(closed, StartProblem)
    assert closed.status is ResultStatus.REFUSED


def test_of_a_path_without_end_the_beginning_is_searched(monkeypatch: pytest.MonkeyPatch) -> None:
    """A million folders; the command would not even start with such a variable."""
    path = ":".join(["/usr/bin", "/bin", *(f"/nowhere/{n}" for n in range(1_000_000))])
    assert str(found("sh", path=path)).endswith("/sh")
    assert isinstance(found("no-such-tool", path=path), StartProblem)
    monkeypatch.setitem(os.environ, "PATH", path[:100_000])
    assert len(environment()["PATH"].split(":")) <= program.MOST_FOLDERS + 4
    repeated = ":".join(["/usr/bin"] * 1_000_000)
    assert str(found("sh", path=f"{repeated}:/bin")).endswith("/sh")


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


def test_no_command_obeys_the_files_of_another_persons_home(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert environment()["HOME"] == str(tmp_path)
    monkeypatch.setattr(home_folder_module, "_is_of_another_person", lambda folder: True)
    assert environment()["HOME"] == pwd.getpwuid(os.getuid()).pw_dir
    monkeypatch.delenv("HOME")
    assert "HOME" not in environment()
