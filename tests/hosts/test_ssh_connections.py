"""The ways to another machine that a person's own ssh knows: jump hosts, an agent, a long path."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from pagefault_doctor.cli.main import main
from pagefault_doctor.hosts.ssh import SshHost
from pagefault_doctor.model.command import Command, ResultStatus
from pagefault_doctor.model.errors import MissingError
from processes import running
from requirements import require_program
from sshd import Sshd, serving
from terminal import eventually, open_terminal


@pytest.fixture
def gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    """A second server, through which the first is reached."""
    with serving(tmp_path_factory.mktemp("gate"), require_program("sshd")) as gate:
        yield gate


@pytest.fixture
def behind(server: Sshd, gate: Sshd) -> Sshd:
    """The server, reached through the gate alone: its own port is not in the configuration."""
    jump = gate.config.read_text().replace("Host box", "Host gate")
    inner = server.config.read_text().replace("Host box\n", "Host box\n  ProxyJump gate\n")
    server.config.write_text(f"{jump}\n{inner}")
    return server


def said(host: SshHost, *argv: str) -> str:
    return host.run(Command(argv=argv, tool="test")).output


def test_a_machine_behind_a_jump_host_is_reached_through_it(behind: Sshd, gate: Sshd) -> None:
    with SshHost("box", str(behind.config)) as host:
        host.connect(ask=False)
        assert len(gate.connections()) == 1
        assert said(host, "sh", "-c", "echo $SSH_CONNECTION").split()[-1] == str(behind.port)
        assert len(behind.connections()) == 1, "all commands share one connection"
    assert eventually(lambda: not any(map(_is_alive, gate.connections())), 10)


def test_the_whole_playbook_is_walked_behind_a_jump_host(
    behind: Sshd, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["preflight", "--host", "box", "--ssh-config", str(behind.config)])
    assert code == 0
    assert f"kernel {os.uname().release}" in capsys.readouterr().out


def test_the_wizard_behind_a_jump_host_works_and_leaves_nothing(behind: Sshd) -> None:
    argv = (sys.executable, "-m", "pagefault_doctor", "--host", "box")
    with open_terminal((*argv, "--ssh-config", str(behind.config))) as terminal:
        terminal.until(b"1 of 7")
        terminal.type("\r")
        terminal.until(b"dmesg")
        while terminal.read(1.2):
            pass
        terminal.type("q")
        assert terminal.wait() == 0
    assert eventually(lambda: not running(str(behind.config)), 5)


def test_a_link_cut_at_the_jump_host_is_taken_up_again(behind: Sshd, gate: Sshd) -> None:
    with SshHost("box", str(behind.config), alive=1) as host:
        host.connect(ask=False)
        gate.cut()
        assert said(host, "echo", "again") == "again\n"


def test_a_jump_host_that_is_gone_is_told(behind: Sshd, gate: Sshd) -> None:
    gate.stop()
    with SshHost("box", str(behind.config)) as host, pytest.raises(MissingError) as told:
        host.connect(ask=False)
    assert "no connection to box" in str(told.value)


def test_a_key_that_only_an_agent_holds_is_used(
    server: Sshd, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        socket = f"{folder}/agent"
        agent = subprocess.Popen(["ssh-agent", "-D", "-a", socket], stdout=subprocess.DEVNULL)
        try:
            monkeypatch.setenv("SSH_AUTH_SOCK", socket)
            _wait_for(Path(socket))
            key = server.folder / "user_key"
            subprocess.run(["ssh-add", "-q", str(key)], check=True)
            key.unlink()
            lines = server.config.read_text().splitlines(keepends=True)
            server.config.write_text("".join(x for x in lines if "Identit" not in x))
            with SshHost("box", str(server.config)) as host:
                host.connect(ask=False)
                assert said(host, "echo", "in") == "in\n"
        finally:
            agent.terminate()
            agent.wait()


@pytest.mark.parametrize("name", ["TMPDIR", "XDG_RUNTIME_DIR"])
def test_a_long_path_to_temporary_files_does_not_break_the_shared_connection(
    name: str, server: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The path of a socket may have 108 bytes (unix(7)); ssh adds some of its own."""
    long = tmp_path / ("a" * 60) / ("b" * 60)
    long.mkdir(parents=True)
    monkeypatch.setenv(name, str(long))
    monkeypatch.setattr(tempfile, "tempdir", None)
    with SshHost("box", str(server.config)) as host:
        host.connect(ask=False)
        assert said(host, "echo", "in") == "in\n"
        assert not list(long.iterdir())


def test_settings_of_the_person_that_would_harm_us_do_not_count(server: Sshd) -> None:
    """A configuration may run a command, forward ports or ask for a terminal in every session."""
    more = (
        "  RemoteCommand echo harm\n  RequestTTY force\n  LocalForward 127.0.0.1:9 127.0.0.1:9\n"
        "  PermitLocalCommand yes\n  LocalCommand echo harm\n  ControlPath none\n  LogLevel DEBUG\n"
    )
    server.config.write_text(server.config.read_text().replace("Host box\n", f"Host box\n{more}"))
    with SshHost("box", str(server.config)) as host:
        host.connect(ask=False)
        result = host.run(Command(argv=("printf", "a\\n"), tool="test"))
    assert (result.status, result.output, result.errors) == (ResultStatus.OK, "a\n", "")


def _is_alive(pid: int) -> bool:
    try:
        return " (sshd) Z" not in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False


def _wait_for(path: Path) -> None:
    import time

    until = time.monotonic() + 10
    while not path.exists():
        assert time.monotonic() < until
        time.sleep(0.02)
