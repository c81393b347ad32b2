"""Whoever leaves the group of a command is found by its mark and ended: here, there, after kill -9.

What leaves sleeps for a time by which it is told from the processes of others.
"""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from hosts.deadline import FAR, Deadline
from pagefault_doctor.hosts import marked, process_group, runner
from pagefault_doctor.hosts.guard import guarded
from pagefault_doctor.hosts.script import script
from pagefault_doctor.hosts.ssh import SshHost
from pagefault_doctor.model.command import Command, ResultStatus
from processes import running
from requirements import require_program
from sshd import Sshd
from terminal import eventually

SLEEP = f"sleep 91.{os.getpid()}"

LEAVES = {
    "setsid": "setsid sh stay >/dev/null 2>&1 &",
    "twice forked": "(setsid sh -c '(sh stay >/dev/null 2>&1 &)') &",
    "ignores SIGTERM": "(trap '' TERM; setsid sh stay >/dev/null 2>&1) &",
    "holds the output": "setsid sh stay &",
}
"""Ways to leave the group of a command, for sh."""


@pytest.fixture(autouse=True)
def _stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Write the program that leaves, and end what a failed test left."""
    require_program("setsid")
    monkeypatch.setattr(process_group, "GRACE", 0.5)
    (tmp_path / "stay").write_text(f"touch up; exec {SLEEP}\n")
    yield
    for pid in running(SLEEP):
        os.kill(pid, signal.SIGKILL)


def leaving(folder: Path, way: str, then: str = "", timeout: float = 60.0) -> Command:
    """Return a command of which a process leaves the group; `then` is what sh does afterwards."""
    script = f"{LEAVES[way]} until [ -e up ]; do sleep 0.05; done; {then}"
    return Command(argv=("sh", "-c", script), tool="test", cwd=str(folder), timeout=timeout)


def nothing_runs() -> bool:
    return not running(SLEEP)


@pytest.mark.parametrize("way", LEAVES)
def test_who_left_the_group_is_ended_with_the_command(way: str, tmp_path: Path) -> None:
    result = runner.run(leaving(tmp_path, way, "echo done"))
    assert (result.status, result.output, result.errors) == (ResultStatus.OK, "done\n", "")
    assert nothing_runs()


@pytest.mark.parametrize("way", LEAVES)
def test_who_left_the_group_is_ended_at_the_deadline(
    way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = leaving(tmp_path, way, "echo up; sleep 99", FAR)
    result = runner.run(command, Deadline(monkeypatch).comes)
    assert result.status is ResultStatus.TIMEOUT
    assert nothing_runs()


@pytest.mark.parametrize("way", LEAVES)
def test_who_left_the_group_is_ended_by_a_cancel(way: str, tmp_path: Path) -> None:
    cancel = threading.Event()
    command = leaving(tmp_path, way, "echo up; sleep 99")
    result = runner.run(command, lambda _: cancel.set(), cancel)
    assert result.status is ResultStatus.CANCELLED
    assert nothing_runs()


@pytest.mark.parametrize("way", LEAVES)
def test_who_left_the_group_is_ended_with_all_commands(way: str, tmp_path: Path) -> None:
    command = leaving(tmp_path, way, "echo up; sleep 99")
    result = runner.run(command, lambda _: runner.end_all(grace=0.5))
    assert result.status is ResultStatus.CANCELLED
    assert nothing_runs()


KILLED = """
import os, signal, sys
from pathlib import Path
from pagefault_doctor.hosts import runner
from pagefault_doctor.model.command import Command
command = Command(argv=("sh", "-c", sys.argv[1]), tool="test", cwd=sys.argv[2])
runner.run(command, lambda _: os.kill(os.getpid(), signal.SIGKILL))
"""


@pytest.mark.parametrize("way", LEAVES)
def test_who_left_the_group_is_ended_after_kill_9(way: str, tmp_path: Path) -> None:
    script = leaving(tmp_path, way, "echo up; sleep 99").argv[-1]
    argv = (sys.executable, "-c", KILLED, script, str(tmp_path))
    assert subprocess.run(argv, check=False).returncode == -signal.SIGKILL
    assert eventually(nothing_runs, 30)


@pytest.mark.parametrize("way", LEAVES)
@pytest.mark.parametrize(
    ("then", "status"),
    [("echo up", ResultStatus.OK), ("echo up; sleep 99", ResultStatus.TIMEOUT)],
)
def test_who_left_the_group_on_another_machine_is_ended_there(
    way: str,
    then: str,
    status: ResultStatus,
    tmp_path: Path,
    server: Sshd,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with SshHost("box", str(server.config)) as host:
        host.connect(ask=False)
        hangs = status is ResultStatus.TIMEOUT
        listener = Deadline(monkeypatch).comes if hangs else None
        result = host.run(leaving(tmp_path, way, then, FAR), listener)
        assert result.status is status, result.errors
        assert result.output == "up\n"
        assert eventually(nothing_runs, 30)


def test_a_mark_behind_a_large_environment_is_found(tmp_path: Path) -> None:
    large = {f"V{n}": "x" * 60_000 for n in range(9)}
    command = leaving(tmp_path, "setsid", "echo done")
    assert runner.run(command, env=large).output == "done\n"
    assert nothing_runs()


def test_a_process_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    """It has left its group too, and even the mark of another command."""
    for env in ({}, {marked.VARIABLE: marked.new_mark()}):
        with subprocess.Popen(SLEEP.split(), env=os.environ | env, start_new_session=True) as other:
            assert runner.run(leaving(tmp_path, "setsid", "touch seen")).ok
            assert other.poll() is None
            assert running(SLEEP) == [other.pid]
            other.kill()
        (tmp_path / "up").unlink()


def test_a_process_whose_number_is_used_again_is_left_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The one that had the mark ends between being found and being signalled."""
    answers = iter([True, False])
    with subprocess.Popen(SLEEP.split(), start_new_session=True) as other:
        found = [f"/proc/{other.pid}"]
        monkeypatch.setattr(marked, "processes", lambda: iter(found))
        monkeypatch.setattr(marked, "_has", lambda *_: next(answers))
        marked.send("mark", signal.SIGKILL)
        monkeypatch.undo()
        assert list(answers) == []
        other.terminate()
        assert other.wait() == -signal.SIGTERM


def test_without_pidfd_it_is_ended_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def too_old(_pid: int) -> int:
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(os, "pidfd_open", too_old)
    assert runner.run(leaving(tmp_path, "ignores SIGTERM")).ok
    assert nothing_runs()


def test_a_process_of_another_user_is_given_up_and_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As root may signal all, the refusal is simulated."""

    def refused(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    with monkeypatch.context() as patch:
        patch.setattr(signal, "pidfd_send_signal", refused)
        patch.setattr(os, "kill", refused)
        result = runner.run(leaving(tmp_path, "setsid", "echo done"))
    assert (result.status, result.output) == (ResultStatus.OK, "done\n")
    assert "did not end when it was killed" in result.errors
    assert not nothing_runs()


def test_a_guard_of_a_command_is_no_part_of_the_command_that_we_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """pfdoctor within pfdoctor: the outer one must not end the guards of the inner one."""
    monkeypatch.setenv(marked.VARIABLE, "outer")
    with guarded("inner"):
        assert eventually(lambda: bool(running("signal_all")), FAR)
        assert not marked.any_marked("outer")
    seen = runner.run(Command(argv=("env",), tool="test")).output
    assert f"{marked.VARIABLE}=" in seen
    assert "outer" not in seen


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.ENOMEM])
def test_what_cannot_be_looked_at_counts_as_running(
    number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Too few descriptors or too little memory must not look like the end of a command."""

    def fails(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    with subprocess.Popen(SLEEP.split(), start_new_session=True) as child:
        assert not marked.any_marked("mark")
        for owner, name in ((os, "scandir"), (os, "open"), (Path, "read_bytes")):
            with monkeypatch.context() as patch:
                patch.setattr(owner, name, fails)
                marked.send("mark", signal.SIGTERM)
                assert process_group.alive(child.pid)
                assert name == "read_bytes" or marked.any_marked("mark")
        child.kill()


def test_a_group_of_another_user_counts_as_running(monkeypatch: pytest.MonkeyPatch) -> None:
    """As root may signal all, the refusal is simulated."""

    def refused(*_: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "killpg", refused)
    assert process_group.alive(1)
    process_group.send(1, signal.SIGTERM)


def test_without_proc_nothing_is_marked(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*_: object) -> None:
        raise FileNotFoundError(errno.ENOENT, "No such file or directory")

    with monkeypatch.context() as patch:
        patch.setattr(os, "scandir", none)
        assert not marked.any_marked("mark")
        marked.send("mark", signal.SIGTERM)


@pytest.fixture
def pair() -> Iterator[tuple[subprocess.Popen[bytes], subprocess.Popen[bytes]]]:
    """Two processes with the mark "twice", each in a group of its own; exec(2) sets it late."""
    env = os.environ | {marked.VARIABLE: "twice"}
    with contextlib.ExitStack() as stack:
        both = tuple(
            stack.enter_context(subprocess.Popen(SLEEP.split(), env=env, start_new_session=True))
            for _ in range(2)
        )
        seen = [Path(f"/proc/{process.pid}/environ") for process in both]
        assert eventually(lambda: all(b"=twice" in path.read_bytes() for path in seen), FAR)
        yield both[0], both[1]
        for process in both:
            process.kill()


def test_a_process_of_the_group_that_got_the_signal_gets_it_once(
    pair: tuple[subprocess.Popen[bytes], subprocess.Popen[bytes]],
) -> None:
    """Its handler must not run twice: a shell would say its last words twice."""
    inside, outside = pair
    marked.send("twice", signal.SIGTERM, group=inside.pid)
    assert outside.wait() == -signal.SIGTERM
    assert inside.poll() is None


@pytest.mark.parametrize("shell", ["sh", "busybox sh"])
@pytest.mark.parametrize("target", ["-{}", "{}", ""])
def test_the_shell_too_signals_a_process_once(
    pair: tuple[subprocess.Popen[bytes], subprocess.Popen[bytes]], shell: str, target: str
) -> None:
    """What kill gets first is a whole group, its leader alone, or nothing."""
    inside, outside = pair
    words = shell.split()
    require_program(words[0])
    target = target.format(inside.pid)
    program = 'kill() { echo "$*"; }; mark=twice group=$1; signal_all TERM'
    output = subprocess.run(
        (*words, "-c", script("hosts/end_marked.sh") + program, "sh", target),
        capture_output=True,
        text=True,
    ).stdout
    signalled = [f"-TERM {target or inside.pid}", f"-TERM {outside.pid}"]
    assert sorted(output.splitlines()) == sorted(signalled)
