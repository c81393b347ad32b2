"""What keeps a command from starting is told with its remedy, however the command is started."""

from __future__ import annotations

import errno
import os
import resource
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pagefault_doctor.hosts import guard, runner
from pagefault_doctor.hosts.password_prompt import run_asking
from pagefault_doctor.model.command import Command, Result, ResultStatus
from processes import children

Run = Callable[[Command], Result]
Popen = subprocess.Popen[bytes]

EVERY_WAY = pytest.mark.parametrize("run", [runner.run, runner.run_interactive, run_asking])


@pytest.fixture(autouse=True)
def _no_descriptor_and_no_child_is_left() -> Iterator[None]:
    runner.run(Command(argv=("true",), tool="test"))
    descriptors, processes = set(os.listdir("/proc/self/fd")), children()
    yield
    assert set(os.listdir("/proc/self/fd")) == descriptors
    assert children() == processes


def executable(folder: Path, content: bytes) -> Path:
    file = folder / "tool"
    file.write_bytes(content)
    file.chmod(0o755)
    return file


def errors_of(run: Run, *argv: str) -> str:
    result = run(Command(argv=argv, tool="test"))
    assert result.status is ResultStatus.REFUSED
    assert result.exit_code is None
    assert result.errors.count("\n") == 0
    return result.errors


@EVERY_WAY
def test_too_long_arguments_are_told(run: Run) -> None:
    said = errors_of(run, "echo", *["x" * 100_000] * 40)
    assert said.endswith("/echo: Argument list too long; shorten the command")


@EVERY_WAY
def test_a_file_of_no_format_is_told(run: Run, tmp_path: Path) -> None:
    said = errors_of(run, str(executable(tmp_path, b"no format\n")))
    assert said.endswith("/tool: Exec format error; " + NO_PROGRAM)


NO_PROGRAM = "it is not a program for this machine: install it again"


@EVERY_WAY
def test_a_program_that_is_being_written_is_told(run: Run, tmp_path: Path) -> None:
    tool = executable(tmp_path, Path("/bin/true").resolve().read_bytes())
    with tool.open("r+b"):
        said = errors_of(run, str(tool))
    assert "Text file busy; it is being written: try again" in said


@EVERY_WAY
def test_an_interpreter_that_cannot_be_executed_is_told(run: Run, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo", 0o755)
    said = errors_of(run, str(executable(tmp_path, f"#!{tmp_path}/fifo\n".encode())))
    assert "Permission denied; check its permissions" in said


@EVERY_WAY
def test_a_loop_of_links_is_told(run: Run, tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    for path in ("loop", "loop/tool"):
        assert "a symbolic link leads back to itself" in errors_of(run, f"{tmp_path}/{path}")


@EVERY_WAY
def test_what_changed_after_it_was_found_is_told(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(tmp_path / "tool", 0o755)
    monkeypatch.setattr("pagefault_doctor.hosts.program._unusable", lambda _: None)
    assert "Permission denied; check" in errors_of(run, str(tmp_path / "tool"))


@EVERY_WAY
@pytest.mark.parametrize(
    ("number", "remedy"),
    [(errno.EAGAIN, "raise ulimit -u"), (errno.ENOMEM, "free some memory")],
)
def test_a_fork_that_fails_is_told(
    run: Run, number: int, remedy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RLIMIT_NPROC does not bind root, so it is simulated."""

    def no_fork(*_: object) -> int:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fork", no_fork)
        patch.setattr(subprocess, "_fork_exec", no_fork)
        said = errors_of(run, "true")
    assert os.strerror(number) in said
    assert said.endswith(remedy)


def test_no_thread_to_watch_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_thread(_: object) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", no_thread)
        said = errors_of(runner.run, "sleep", "99")
    assert "it was ended at once, without a thread" in said
    assert "raise ulimit -u" in said


@EVERY_WAY
def test_too_few_descriptors_are_told_or_enough(run: Run) -> None:
    """Whatever the limit: the command runs, or the limit is named. No limit is a way in between."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    highest = max(map(int, os.listdir("/proc/self/fd")))
    seen = set()
    try:
        for number in range(5, highest + 45, 3):
            resource.setrlimit(resource.RLIMIT_NOFILE, (number, limits[1]))
            result = run(Command(argv=("true",), tool="test", stdin="in"))
            seen.add(result.status)
            if result.status is not ResultStatus.OK:
                assert result.errors == "pfdoctor: Too many open files; raise ulimit -n"
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    assert seen == {ResultStatus.OK, ResultStatus.REFUSED}


@pytest.mark.parametrize("stdin", ["", "in"])
def test_no_standard_input_is_told(stdin: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """No memory for it, or no /dev/null."""
    monkeypatch.setattr(os, "devnull", "/nowhere/null")

    def no_memory(_: str) -> int:
        raise OSError(errno.ENOMEM, "Cannot allocate memory")

    monkeypatch.setattr(os, "memfd_create", no_memory)
    result = runner.run(Command(argv=("true",), tool="test", stdin=stdin))
    assert result.status is ResultStatus.REFUSED
    assert result.errors.startswith("its standard input: ")


def test_a_command_runs_without_a_guard_where_none_can_start(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def no_guard(*_: object, **__: object) -> None:
        raise OSError(errno.ENOENT, "No such file or directory")

    with monkeypatch.context() as patch:
        patch.setattr(subprocess, "Popen", no_guard)
        assert runner.run(Command(argv=("echo", "up"), tool="test")).output == "up\n"


def test_a_command_runs_on_when_somebody_ends_its_guard() -> None:
    # Only guards of our own: their parent is this process.
    script = (
        "for f in $(grep -ls signal[_]all /proc/[0-9]*/cmdline); do p=${f%/cmdline}; "
        f'grep -q "^PPid:.{os.getpid()}$" $p/status && kill -KILL ${{p#/proc/}}; done; echo up'
    )
    result = runner.run(Command(argv=("sh", "-c", script), tool="test"))
    assert (result.status, result.output) == (ResultStatus.OK, "up\n")


def test_a_guard_that_ended_before_its_command_started_does_no_harm(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Writing to it must not end the command, nor leave SIGPIPE ignored in it."""
    start = guard._start

    def ended(scripts: tuple[str, ...], words: tuple[str, ...], output: int) -> Popen:
        process = start(scripts, words, output)
        process.kill()
        process.wait()
        return process

    monkeypatch.setattr(guard, "_start", ended)
    script = "echo up; kill -s PIPE $$; echo ignored"
    result = runner.run(Command(argv=("sh", "-c", script), tool="test"))
    assert (result.status, result.output) == (ResultStatus.SIGNALED, "up\n")
