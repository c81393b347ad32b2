"""--host: a real sshd on loopback, with programs of our own where a test needs a fault."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from pagefault_doctor.model.event import (
    CommandFinished,
    CommandStarted,
    Event,
    SessionStarted,
    StepEntered,
)
from pagefault_doctor.session.event_log import read_events
from processes import running
from sshd import Relay, Sshd
from terminal import eventually, open_terminal
from tools.example_reports import BOOT, OOPS

PFDOCTOR = (sys.executable, "-m", "pagefault_doctor")
QUIET = "[  100.000000] usb 1-1: new high-speed USB device number 4 using xhci_hcd\n"


@pytest.fixture
def programs(server: Sshd) -> Path:
    """A folder that is first on the other machine's PATH; its dmesg prints a fault."""
    folder = server.folder / "bin"
    folder.mkdir()
    (server.folder / "dmesg.txt").write_text(BOOT + OOPS)
    program(folder, "dmesg", f"exec cat {server.folder}/dmesg.txt")
    program(folder, "journalctl", "echo No journal files were found. >&2")
    for name in ("find", "perf"):
        program(folder, name, "exit 1")
    with server.settings.open("a") as settings:
        settings.write(f"SetEnv PATH={folder}:/usr/bin:/bin\n")
    server.stop()
    server.start()
    return folder


def program(folder: Path, name: str, script: str) -> None:
    """Write a program and rename it into place: a file that is being written cannot run."""
    new = folder / f".{name}"
    new.write_text(f"#!/bin/sh\n{script}\n")
    new.chmod(0o755)
    new.rename(folder / name)


def there(server: Sshd) -> tuple[str, ...]:
    return ("--host", "box", "--ssh-config", str(server.config))


def pfdoctor(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        (*PFDOCTOR, *words),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def session() -> list[Event]:
    (path,) = Path(os.environ["XDG_STATE_HOME"]).glob("pfdoctor/sessions/*.jsonl")
    return list(read_events(path))


@pytest.fixture(autouse=True)
def _own_sockets(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Give the connections of a test a folder of their own, to find them by."""
    with tempfile.TemporaryDirectory(prefix="pf", dir="/tmp") as folder:
        monkeypatch.setenv("XDG_RUNTIME_DIR", folder)
        yield


def nothing_left() -> bool:
    return not running(f"{os.environ['XDG_RUNTIME_DIR']}/pfdoctor-ssh-")


def test_the_playbook_is_walked_there(server: Sshd, programs: Path) -> None:
    done = pfdoctor("run", *there(server))
    assert done.returncode == 0, done.stderr
    assert "wobble_init" in done.stdout
    events = session()
    started = events[0]
    assert isinstance(started, SessionStarted)
    assert (started.host, started.destination) == ("box", "box")
    steps = [event.step for event in events if isinstance(event, StepEntered)]
    assert steps == [
        *("check-logs", "identify-module", "reproduce", "analyse-crash-dump"),
        *("debug-module", "fix-code", "validate"),
    ]
    assert eventually(nothing_left, 20)


def test_a_diagnosis_and_the_preflight_are_of_that_machine(server: Sshd, programs: Path) -> None:
    program(programs, "id", "echo 4321")
    verdict = json.loads(pfdoctor("diagnose", "--json", *there(server)).stdout)["verdict"]
    assert (verdict["root_cause"], verdict["module"]) == ("null-deref", "wobble")
    assert "user id 4321" in pfdoctor("preflight", *there(server)).stdout


def test_of_a_large_log_little_crosses_the_link(server: Sshd, tmp_path: Path) -> None:
    log = tmp_path / "kern.log"
    with log.open("w") as file:
        for part in (BOOT, OOPS, ""):
            file.write(part)
            for _ in range(67):
                file.write(QUIET * (1_000_000 // len(QUIET)))
    assert log.stat().st_size > 200_000_000
    relay = Relay(server.port)
    server.through(relay.port)
    done = pfdoctor("diagnose", "--json", *there(server), str(log))
    relay.close()
    assert relay.received < 2_000_000
    (report,) = json.loads(done.stdout)["reports"]
    assert report["module"] == "wobble"
    line = report["span"]["first_line"]
    with log.open() as file:
        assert "NULL pointer dereference" in next(x for n, x in enumerate(file, 1) if n == line)


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/nowhere/kern.log", "No such file"),
        ("kern.log", "needs its whole path"),
        ("/tmp", "directory"),
    ],
)
def test_a_log_that_cannot_be_read_there_is_told(server: Sshd, path: str, told: str) -> None:
    done = pfdoctor("diagnose", *there(server), path)
    assert done.returncode in (2, 3)
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_a_machine_out_of_reach_is_told_with_the_remedy(server: Sshd) -> None:
    server.stop()
    done = pfdoctor("diagnose", *there(server))
    assert done.returncode == 3
    assert "nothing listens for ssh there" in done.stderr
    assert "check the port" in done.stderr


def test_a_run_whose_link_is_lost_says_how_to_go_on(server: Sshd, programs: Path) -> None:
    program(programs, "journalctl", "touch $0.runs; sleep 20")
    with subprocess.Popen(
        (*PFDOCTOR, "run", *there(server)), stderr=subprocess.PIPE, text=True
    ) as run:
        assert eventually((programs / "journalctl.runs").exists, 30)
        server.stop()
        assert run.stderr is not None
        said = run.stderr.read()
    assert run.returncode == 1
    assert "the connection to box was lost" in said
    assert "pfdoctor resume" in said


def test_the_wizard_goes_on_after_the_link_was_cut(server: Sshd, programs: Path) -> None:
    program(programs, "journalctl", "touch $0.runs; sleep 20")
    with open_terminal((*PFDOCTOR, *there(server))) as terminal:
        terminal.until(b"1 of 7")
        terminal.type("\r")
        assert eventually((programs / "journalctl.runs").exists, 30)
        server.stop()
        terminal.until(b"Connect again?")
        program(programs, "journalctl", "echo No journal files were found. >&2")
        server.start()
        terminal.type("y")
        terminal.until(b"wobble")
        assert eventually(lambda: _finished(session(), "journal"), 30)
        terminal.until(b"Next: ")
        terminal.type("q")
        assert terminal.wait() == 0
    assert eventually(nothing_left, 20)


def test_after_kill_9_resume_connects_again_and_goes_on(server: Sshd, programs: Path) -> None:
    sleep = f"sleep 4712.{os.getpid()}"
    program(programs, "journalctl", f"touch $0.runs; exec {sleep}")
    with open_terminal((*PFDOCTOR, *there(server))) as terminal:
        terminal.until(b"1 of 7")
        terminal.type("\r")
        assert eventually((programs / "journalctl.runs").exists, 30)
        os.kill(terminal.pid, signal.SIGKILL)
    assert eventually(nothing_left, 20)
    assert eventually(lambda: not running(sleep), 20)
    program(programs, "journalctl", "echo No journal files were found. >&2")
    with open_terminal((*PFDOCTOR, "resume")) as terminal:
        assert b"cut short" in terminal.until(b"1 of 7")
        terminal.type("\r")
        assert eventually(lambda: _finished(session(), "journal"), 30)
        terminal.until(b"Next: ")
        terminal.type("q")
        assert terminal.wait() == 0


def _finished(events: list[Event], tool: str) -> bool:
    """Whether a command of the tool ended by itself, well or badly."""
    started = {e.number for e in events if isinstance(e, CommandStarted) and e.tool == tool}
    ended = [e for e in events if isinstance(e, CommandFinished) and e.number in started]
    return any(e.status != "lost" for e in ended)


def test_a_question_about_the_host_key_is_the_persons_to_answer(
    server: Sshd, programs: Path
) -> None:
    server.known_hosts.write_text("")
    asking = server.config.read_text().replace("Checking yes", "Checking ask")
    server.config.write_text(asking.replace("  BatchMode yes\n", ""))
    with open_terminal((*PFDOCTOR, *there(server))) as terminal:
        terminal.until(b"Are you sure you want to continue connecting")
        terminal.type("yes\r")
        terminal.until(b"1 of 7")
        terminal.type("q")
        assert terminal.wait() == 0
    assert server.known_hosts.read_text() != ""


def test_a_link_cut_in_the_middle_of_a_transfer_costs_only_time(
    server: Sshd, programs: Path, tmp_path: Path
) -> None:
    program(
        programs, "awk", '[ -e $0.runs ] || { touch $0.runs; sleep 20; }; exec /usr/bin/awk "$@"'
    )
    log = tmp_path / "kern.log"
    log.write_text(BOOT + OOPS)
    argv = (*PFDOCTOR, "diagnose", "--json", *there(server), str(log))
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as diagnose:
        assert eventually((programs / "awk.runs").exists, 30)
        server.cut()
        assert diagnose.stdout is not None
        (report,) = json.loads(diagnose.stdout.read())["reports"]
    assert report["module"] == "wobble"
