"""Commands on another machine: a real sshd on loopback, started here."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hosts.deadline import FAR, Deadline
from pagefault_doctor.hosts import ssh
from pagefault_doctor.hosts.ssh import SshHost
from pagefault_doctor.model.command import Command, Result, ResultStatus, Risk
from pagefault_doctor.model.errors import MissingError, PfDoctorError, UsageError
from processes import command_lines, running
from sshd import Sshd
from terminal import eventually

OURS = os.getpid()
"""Ends the time that commands sleep, by which they are told from those of others."""


@pytest.fixture
def box(server: Sshd) -> Iterator[SshHost]:
    with SshHost("box", str(server.config), alive=1) as host:
        host.connect(ask=False)
        yield host


def sh(host: SshHost, script: str, cancel: threading.Event | None = None, **more: object) -> Result:
    command = Command(argv=("sh", "-c", script), tool="test", **more)  # type: ignore[arg-type]
    return host.run(command, cancel=cancel)


def when(path: Path, deed: Callable[[], None]) -> None:
    """Do something as soon as a file is there."""

    def wait() -> None:
        until = time.monotonic() + 20
        while not path.exists() and time.monotonic() < until:
            time.sleep(0.02)
        deed()

    threading.Thread(target=wait, daemon=True).start()


def when_running(line: str, deed: Callable[[], None]) -> None:
    """Do something as soon as a process with this command line runs; ssh has it as an argument."""

    def wait() -> None:
        eventually(lambda: line in command_lines().values(), 20)
        deed()

    threading.Thread(target=wait, daemon=True).start()


def gone(word: str, within: float = 15.0) -> bool:
    return eventually(lambda: not running(word), within)


def test_a_command_gives_output_errors_and_exit_code(box: SshHost) -> None:
    result = sh(box, "echo out; echo err >&2; exit 3")
    assert (result.status, result.exit_code) == (ResultStatus.FAILED, 3)
    assert (result.output, result.errors) == ("out\n", "err\n")
    assert result.command.argv[0] == "sh"


@pytest.mark.parametrize(
    "word",
    [
        "",
        "it's",
        "$HOME `id` $(id)",
        "a\nb\n",
        "back\\slash\\n",
        "!!",
        "*",
        "-n",
        "é €",
        "\x1b[31m",
    ],
)
def test_words_arrive_as_they_are(box: SshHost, word: str) -> None:
    result = box.run(Command(argv=("od", "-An", "-tx1", "-v"), tool="test", stdin=word))
    assert bytes.fromhex("".join(result.output.split())) == word.encode()
    script = 'printf %s "$1" | od -An -tx1 -v'
    result = box.run(Command(argv=("sh", "-c", script, "sh", word), tool="test"))
    assert bytes.fromhex("".join(result.output.split())) == word.encode()


def test_folder_and_environment_are_the_commands(box: SshHost, tmp_path: Path) -> None:
    result = sh(box, "pwd; echo $LC_ALL $MORE", cwd=str(tmp_path), env={"MORE": "a b"})
    assert result.output == f"{tmp_path}\nC a b\n"


def test_a_missing_program_is_missing(box: SshHost) -> None:
    result = box.run(Command(argv=("no-such-program",), tool="test"))
    assert result.status is ResultStatus.MISSING
    assert result.errors == "no-such-program: not found\n"


def test_a_file_there_that_is_not_executable_is_not_missing(box: SshHost, tmp_path: Path) -> None:
    (tmp_path / "tool").write_text("")
    result = box.run(Command(argv=(f"{tmp_path}/tool",), tool="test"))
    assert (result.status, result.exit_code) == (ResultStatus.FAILED, 126)
    assert f"{tmp_path}/tool: " in result.errors


def test_a_signal_is_told_as_one(box: SshHost) -> None:
    result = sh(box, "kill -SEGV $$")
    assert (result.status, result.exit_code) == (ResultStatus.SIGNALED, 139)


def test_an_exit_code_of_255_is_the_commands_own(box: SshHost) -> None:
    assert sh(box, "exit 255").status is ResultStatus.FAILED


def test_cancel_ends_the_command_and_its_children_there(box: SshHost) -> None:
    cancel = threading.Event()
    when_running(f"sleep 71.25{OURS}", cancel.set)
    result = sh(box, f"sleep 71.25{OURS} & sleep 71.25{OURS}", cancel)
    assert result.status is ResultStatus.CANCELLED
    assert gone(f"sleep 71.25{OURS}")


def test_a_hanging_command_ends_at_its_deadline(
    box: SshHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = f"trap '' TERM; echo begun; sleep 71.5{OURS}"
    command = Command(argv=("sh", "-c", script), tool="test", timeout=FAR)
    result = box.run(command, Deadline(monkeypatch).comes)
    assert (result.status, result.output) == (ResultStatus.TIMEOUT, "begun\n")
    assert gone(f"sleep 71.5{OURS}")


def test_a_flood_is_cut_at_its_limit(box: SshHost) -> None:
    result = sh(box, "exec cat /dev/zero | tr '\\0' a", output_limit=100_000)
    assert result.status is ResultStatus.OVERFLOW
    assert len(result.output) == 100_000
    assert gone("cat /dev/zero")


def test_a_command_that_observes_is_run_again_after_a_cut(
    box: SshHost, server: Sshd, tmp_path: Path
) -> None:
    when(tmp_path / "begun", server.cut)
    said: list[str] = []
    script = f"echo half; [ -e {tmp_path}/begun ] || {{ touch {tmp_path}/begun; sleep 20; }}; "
    argv = ("sh", "-c", f"{script} echo whole")
    result = box.run(Command(argv=argv, tool="test"), said.append)
    assert result.ok
    assert result.output == "half\nwhole\n"
    assert any("connecting again" in text for text in said)


def test_a_command_that_changes_something_is_never_run_twice(
    box: SshHost, server: Sshd, tmp_path: Path
) -> None:
    when(tmp_path / "count", server.cut)
    result = sh(box, f"echo once >>{tmp_path}/count; sleep 20", risk=Risk.CHANGE)
    assert result.status is ResultStatus.LOST
    assert "connection to box was lost" in result.errors
    assert (tmp_path / "count").read_text() == "once\n"
    assert sh(box, "echo again").output == "again\n"


def test_a_link_that_falls_silent_is_noticed(box: SshHost, server: Sshd) -> None:
    when_running(f"sleep 71.75{OURS}", server.silence)
    began = time.monotonic()
    result = sh(box, f"sleep 71.75{OURS}", risk=Risk.LOAD, timeout=70)
    assert result.status is ResultStatus.LOST
    assert time.monotonic() - began < 60
    server.silence(signal.SIGCONT)


def test_a_machine_that_stays_away_is_lost(box: SshHost, server: Sshd) -> None:
    server.stop()
    cancel = threading.Event()
    assert sh(box, "echo", cancel).status is ResultStatus.LOST
    cancel.set()
    assert sh(box, "echo", cancel).status is ResultStatus.CANCELLED


def test_a_wrong_host_key_is_refused_with_the_remedy(server: Sshd) -> None:
    server.stop()
    server.new_key("host_key")
    server.start()
    with SshHost("box", str(server.config)) as host, pytest.raises(MissingError) as told:
        host.connect(ask=False)
    assert "its host key is not known here, or has changed" in str(told.value)
    assert "ssh box" in str(told.value)


def test_without_a_key_that_fits_there_is_no_connection(server: Sshd) -> None:
    server.new_key("user_key")
    with SshHost("box", str(server.config)) as host, pytest.raises(MissingError) as told:
        host.connect(ask=False)
    assert "no key and no password was accepted" in str(told.value)


def test_a_machine_that_does_not_listen_is_told(server: Sshd) -> None:
    server.stop()
    with SshHost("box", str(server.config)) as host, pytest.raises(MissingError) as told:
        host.connect(ask=False)
    assert "nothing listens for ssh there" in str(told.value)


@pytest.mark.parametrize("name", ["-oProxyCommand=touch /tmp/x", "", "a b", "a\nb"])
def test_what_is_no_host_name_is_refused(name: str) -> None:
    with pytest.raises(UsageError):
        SshHost(name)


def test_closing_leaves_nothing_behind(server: Sshd) -> None:
    host = SshHost("box", str(server.config))
    host.connect(ask=False)
    link = host.on_terminal(Command(argv=("true",), tool="test")).argv
    folder = next(word for word in link if word.startswith("ControlPath=")).partition("=")[2]
    assert Path(folder).exists()
    host.close()
    assert host._guard.returncode == 0, "it is no zombie"
    assert not Path(folder).parent.exists()
    assert gone(folder)


CHILD = """
import sys
from pagefault_doctor.hosts.ssh import SshHost
from pagefault_doctor.model.command import Command
host = SshHost("box", sys.argv[1])
host.connect(ask=False)
print(host.on_terminal(Command(argv=("true",), tool="test")).text, flush=True)
host.run(Command(argv=("sleep", sys.argv[2]), tool="test"))
"""


def test_kill_9_leaves_no_command_there_and_no_connection(server: Sshd) -> None:
    argv = [sys.executable, "-c", CHILD, str(server.config), f"72.25{OURS}"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        folder = child.stdout.readline().partition("ControlPath=")[2].partition("/link")[0]
        assert eventually(lambda: bool(running(f"sleep 72.25{OURS}")), 20)
        os.kill(child.pid, signal.SIGKILL)
    assert gone(f"sleep 72.25{OURS}")
    assert eventually(lambda: server.connections() == [], 20)
    assert gone(folder)
    assert eventually(lambda: not Path(folder).exists(), 20)


CONNECTING = """
import os, signal, sys
from pagefault_doctor.hosts import ssh
if sys.argv[3] == "connected":
    ssh.SshHost._control = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
host = ssh.SshHost("box", sys.argv[1])
host.connect(ask=sys.argv[2] == "asking")
"""


@pytest.mark.parametrize("way", ["asking", "silent"])
@pytest.mark.parametrize("moment", ["waiting", "connected"])
def test_kill_9_while_connecting_leaves_no_folder_and_no_connection(
    way: str, moment: str, server: Sshd
) -> None:
    """The server is deaf, or the connection is there and nothing has been done with it yet."""
    with (
        tempfile.TemporaryDirectory(prefix="s") as folder,
        socket.create_server(("127.0.0.1", 0)) as deaf,
    ):
        if moment == "waiting":
            server.through(deaf.getsockname()[1])
        env = os.environ | {"XDG_RUNTIME_DIR": folder}
        argv = (sys.executable, "-c", CONNECTING, str(server.config), way, moment)
        with subprocess.Popen(argv, env=env) as child:
            assert eventually(lambda: bool(os.listdir(folder)), 20)
            if moment == "waiting":
                deaf.accept()
                child.kill()
        assert child.returncode == -signal.SIGKILL
        assert eventually(lambda: os.listdir(folder) == [], 20)
        assert eventually(lambda: not running(folder), 20)
        assert eventually(lambda: server.connections() == [], 20)


def test_without_a_folder_for_the_connection_the_remedy_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ssh, "_short_folder", lambda: "/proc")
    with pytest.raises(PfDoctorError) as told:
        SshHost("box")
    assert "no folder to work in: " in str(told.value)
    assert "set TMPDIR" in str(told.value)


def test_a_connection_whose_guard_is_gone_is_closed_all_the_same(server: Sshd) -> None:
    host = SshHost("box", str(server.config))
    guard = host._guard
    guard.kill()
    guard.wait()
    host.connect(ask=False)
    assert sh(host, "echo up").output == "up\n"
    host.close()
    assert not host._folder.exists()
    assert eventually(lambda: server.connections() == [], 20)
