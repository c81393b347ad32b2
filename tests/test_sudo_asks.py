"""A sudo that asks for a password: on its own terminal, here and on another machine."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pagefault_doctor.hosts import password_prompt
from pagefault_doctor.hosts.local import LocalHost
from pagefault_doctor.hosts.ssh import SshHost
from pagefault_doctor.model.command import Command, ResultStatus
from pagefault_doctor.session.event_log import read_events
from sshd import Sshd
from terminal import Terminal, eventually, open_terminal
from tools.example_reports import BOOT, OOPS

PFDOCTOR = (sys.executable, "-m", "pagefault_doctor")
PASSWORD = "open-sesame-42"

SUDO = f"""\
if [ "$1" = -n ]; then echo "sudo: a password is required" >&2; exit 1; fi
[ "$1" = -- ] && shift
printf '[sudo] password for op: ' >/dev/tty || exit 1
stty -echo </dev/tty; read -r word </dev/tty; stty echo </dev/tty; echo >/dev/tty
[ "$word" = {PASSWORD} ] || {{ echo "sudo: 1 incorrect password attempt" >&2; exit 1; }}
AS_ROOT=1 exec "$@"
"""
"""Asks as sudo(8) does: on /dev/tty, without echo, whatever the streams are."""

DMESG = """\
[ "$AS_ROOT" ] && exec cat {folder}/dmesg.txt
echo 'dmesg: read kernel buffer failed: Operation not permitted' >&2; exit 1
"""


def put_programs(folder: Path) -> Path:
    """Write a sudo that asks into a folder, and an id that reports an ordinary user."""
    folder.mkdir(exist_ok=True)
    (folder / "dmesg.txt").write_text(BOOT + OOPS)
    for name, script in {
        "sudo": SUDO,
        "dmesg": DMESG.format(folder=folder),
        "id": "echo 1000",
        "journalctl": "echo No journal files were found. >&2",
        "find": "exit 1",
        "perf": "exit 1",
    }.items():
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)
    return folder


@pytest.fixture
def here(tmp_path: Path) -> tuple[tuple[str, ...], dict[str, str]]:
    """How the wizard is started on this machine, where sudo asks."""
    folder = put_programs(tmp_path / "bin")
    return PFDOCTOR, {"PATH": f"{folder}:{os.environ['PATH']}"}


@pytest.fixture
def there(server: Sshd) -> tuple[tuple[str, ...], dict[str, str]]:
    """How it is started for another machine, where sudo asks."""
    folder = put_programs(server.folder / "bin")
    with server.settings.open("a") as settings:
        settings.write(f"SetEnv PATH={folder}:/usr/bin:/bin\n")
    server.stop()
    server.start()
    return (*PFDOCTOR, "--host", "box", "--ssh-config", str(server.config)), {}


def commands() -> str:
    path = max(
        Path(os.environ["XDG_STATE_HOME"]).glob("pfdoctor/sessions/*.jsonl"),
        key=lambda path: path.stat().st_mtime,
    )
    assert read_events(path)
    return path.read_text()


def come_to_the_question(terminal: Terminal) -> bytes:
    said = terminal.until(b"1 of 7")
    terminal.type("\r")
    said += terminal.until(b"sudo -- dmesg")
    assert b"[sudo] password" not in said, "it asks only once the person wants it"
    terminal.type("\r")
    return said + terminal.until(b"[sudo] password for op: ")


def leave(terminal: Terminal) -> None:
    """Press q once no command runs any more: an idle wizard sends nothing."""
    until = time.monotonic() + 30
    while terminal.read(1.2):
        assert time.monotonic() < until
    terminal.type("q")


@pytest.mark.parametrize("where", ["here", "there"])
def test_sudo_asks_on_the_terminal_which_is_handed_over_and_taken_back(
    where: str, request: pytest.FixtureRequest
) -> None:
    argv, environ = request.getfixturevalue(where)
    with open_terminal(argv, environ) as terminal:
        before = terminal.state()
        said = come_to_the_question(terminal)
        assert b"sudo asks for your password itself" in said
        terminal.type(f"{PASSWORD}\r")
        said += terminal.read(0.5)
        assert eventually(lambda: "wobble_init" in commands(), 30)
        leave(terminal)
        assert terminal.wait() == 0
        assert terminal.state() == before
    assert PASSWORD.encode() not in said
    kept = commands()
    assert PASSWORD not in kept
    assert "[sudo] password" not in kept
    assert "wobble_init" in kept


@pytest.mark.parametrize("where", ["here", "there"])
@pytest.mark.parametrize("answer", ["wrong\r", "\x03"], ids=["a wrong password", "Ctrl-C"])
def test_without_the_password_the_walk_goes_on(
    where: str, answer: str, request: pytest.FixtureRequest
) -> None:
    argv, environ = request.getfixturevalue(where)
    with open_terminal(argv, environ) as terminal:
        before = terminal.state()
        come_to_the_question(terminal)
        terminal.type(answer)
        assert eventually(lambda: '"tool":"journal"' in commands(), 20)
        leave(terminal)
        assert terminal.wait() == 0
        assert terminal.state() == before
    assert "wobble_init" not in commands()


def test_a_run_in_a_terminal_lets_sudo_ask_and_one_without_says_why_not(
    here: tuple[tuple[str, ...], dict[str, str]],
) -> None:
    argv, environ = here
    with open_terminal((*argv, "run"), environ) as terminal:
        prompt, answered = b"[sudo] password for op: ", 0
        said = terminal.until(prompt)
        while terminal.code is None:
            if said.count(prompt) > answered:
                terminal.type(f"{PASSWORD}\r")
                answered += 1
            said += terminal.read(0.3)
            terminal.poll()
        said += terminal.until_end()
    assert terminal.code == 0
    assert b"null pointer" in said.lower()
    assert "wobble_init" in commands()
    assert PASSWORD not in commands()
    done = subprocess.run(
        (*argv, "run"), env=os.environ | environ, capture_output=True, text=True,
        stdin=subprocess.DEVNULL, check=False,
    )  # fmt: skip
    assert done.returncode == 0
    assert "run sudo pfdoctor" in commands()


ANSWERS = """
import sys
from pagefault_doctor.hosts.{module} import {host}
from pagefault_doctor.model.command import Command
host = {host}({words})
{connect}
script = "echo one; echo two >&2; printf three; exit 3"
result = host.run_asking(Command(argv=("sh", "-c", script), tool="x", as_root=True, asks=True))
print(repr((result.status.value, result.exit_code, result.output, result.errors)))
"""


@pytest.mark.parametrize("where", ["here", "there"])
def test_output_errors_and_exit_code_are_told_apart(
    where: str, server: Sshd, request: pytest.FixtureRequest
) -> None:
    _, environ = request.getfixturevalue(where)
    remote = {"module": "ssh", "host": "SshHost", "connect": "host.connect(ask=False)",
              "words": f"'box', {str(server.config)!r}"}  # fmt: skip
    local = {"module": "local", "host": "LocalHost", "connect": "", "words": ""}
    script = ANSWERS.format(**(local if where == "here" else remote))
    with open_terminal((sys.executable, "-c", script), environ) as terminal:
        terminal.until(b"password for op: ")
        terminal.type(f"{PASSWORD}\r")
        said = terminal.until(b"('failed'")
    told = "('failed', 3, 'one\\nthree', 'two\\n')"
    assert told in said.decode().replace("three\\n'", "three'")


def test_what_is_no_marked_line_is_shown_harmless_and_never_taken_for_output() -> None:
    shown, output, errors = bytearray(), bytearray(), bytearray()
    sorter = password_prompt._Sorter("MARK", output.extend, errors.extend, shown.extend)
    stream = b"pass: \r\nMARK-oone\r\nMARK-etwo\r\nnoise MARK-othree\r\nMARK-x7\r\nMA"
    for byte in stream:
        sorter.feed(bytes((byte,)))
    sorter.end()
    assert (bytes(output), bytes(errors), sorter.code) == (b"one\nthree\n", b"two\n", 7)
    assert bytes(shown) == b"pass: \r\nnoise MA"


def test_a_line_without_an_end_is_not_held_in_memory() -> None:
    taken: list[int] = []
    sorter = password_prompt._Sorter("MARK", lambda d: taken.append(len(d)), len, len)  # type: ignore[arg-type]
    sorter.feed(b"MARK-o")
    for _ in range(100):
        sorter.feed(b"x" * 65536)
    assert sum(taken) > 95 * 65536
    assert len(sorter._held) < 4 * 65536


def test_a_host_that_is_gone_is_told_as_lost(server: Sshd) -> None:
    with SshHost("box", str(server.config)) as host:
        host.connect(ask=False)
        server.stop()
        result = host.run_asking(Command(argv=("true",), tool="x", as_root=True, asks=True))
    assert result.status is ResultStatus.LOST


def test_a_missing_sudo_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("pagefault_doctor.hosts.program.ADMIN_PATH", ())
    monkeypatch.setenv("PATH", str(tmp_path))
    command = Command(argv=("true",), tool="x", as_root=True, asks=True)
    assert LocalHost().run_asking(command).status is ResultStatus.MISSING
