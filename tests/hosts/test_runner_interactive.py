"""Commands that get our own terminal."""

from __future__ import annotations

import os
import pty
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from pagefault_doctor.hosts import runner
from pagefault_doctor.model.command import Command, ResultStatus
from processes import default_signals


def command(*argv: str, env: dict[str, str] | None = None) -> Command:
    return Command(argv=argv, tool="test", interactive=True, env=env or {})


@pytest.mark.parametrize(
    ("script", "status", "code"),
    [
        ("exit 0", ResultStatus.OK, 0),
        ("exit 4", ResultStatus.FAILED, 4),
        ("kill -9 $$", ResultStatus.SIGNALED, 137),
    ],
)
def test_it_tells_how_the_command_ended(script: str, status: ResultStatus, code: int) -> None:
    result = runner.run_interactive(command("bash", "-c", script))
    assert (result.status, result.exit_code) == (status, code)


def test_a_missing_program_is_missing() -> None:
    assert runner.run_interactive(command("no-such-editor")).status is ResultStatus.MISSING


def test_what_the_kernel_cannot_execute_is_refused(tmp_path: Path) -> None:
    tool = tmp_path / "tool"
    tool.write_bytes(b"no format\n")
    tool.chmod(0o755)
    result = runner.run_interactive(command(str(tool)))
    assert result.status is ResultStatus.REFUSED
    assert result.errors.startswith(f"{tool}: Exec format error; ")


def test_it_keeps_our_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    script = 'test "$TERM $OWN" = "xterm-256color 1"'
    assert runner.run_interactive(command("bash", "-c", script, env={"OWN": "1"})).ok


def test_its_path_is_that_of_every_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f".:{os.environ['PATH']}")
    script = 'case ":$PATH:" in *:.:*) exit 1;; *:/usr/sbin:*) exit 0;; esac; exit 2'
    assert runner.run_interactive(command("sh", "-c", script)).ok


def test_it_works_in_another_thread_than_the_first() -> None:
    codes: list[int | None] = []
    thread = threading.Thread(
        target=lambda: codes.append(runner.run_interactive(command("true")).exit_code)
    )
    thread.start()
    thread.join()
    assert codes == [0]


@pytest.fixture(params=[signal.SIGINT, signal.SIGQUIT])
def number(request: pytest.FixtureRequest) -> Iterator[signal.Signals]:
    """A signal that the terminal's keys send; afterwards it is handled as before."""
    before = signal.getsignal(request.param)
    yield request.param
    signal.signal(request.param, before)


def test_handlers_are_ours_again_after_a_command(number: signal.Signals) -> None:
    def ours(*_: object) -> None:
        pass

    for handler in (ours, signal.SIG_DFL, signal.SIG_IGN):
        signal.signal(number, handler)
        assert runner.run_interactive(command("true")).ok
        assert signal.getsignal(number) == handler
        assert runner.run_interactive(command("no-such-editor")).status is ResultStatus.MISSING
        with pytest.raises(ZeroDivisionError), runner.keys_are_the_childs():
            raise ZeroDivisionError
        assert signal.getsignal(number) == handler


@pytest.mark.parametrize("ignored", [True, False])
def test_a_signal_that_we_were_started_to_ignore_is_ignored_by_the_command_too(
    number: signal.Signals, ignored: bool
) -> None:
    """As a shell ignores SIGINT and SIGQUIT for what it runs in the background."""
    signal.signal(number, signal.SIG_IGN if ignored else lambda *_: None)
    asks = f"import signal; raise SystemExit(signal.getsignal({int(number)}) is signal.SIG_IGN)"
    for run in (runner.run_interactive, runner.run):
        assert run(command(sys.executable, "-c", asks)).exit_code == int(ignored)


def test_a_signal_meanwhile_does_not_reach_us(number: signal.Signals) -> None:
    seen: list[int] = []
    signal.signal(number, lambda which, _: seen.append(which))
    with runner.keys_are_the_childs():
        os.kill(os.getpid(), number)
    assert seen == []
    os.kill(os.getpid(), number)
    assert seen == [number]


def test_ctrl_c_is_the_commands_and_not_ours() -> None:
    """Type Ctrl-C on a terminal where a command waits that counts it as an answer."""
    script = """
from pagefault_doctor.hosts import runner
from pagefault_doctor.model.command import Command
ask = "trap 'echo caught; exit 5' INT; echo ready; while :; do sleep 0.05; done"
result = runner.run_interactive(Command(argv=("bash", "-c", ask), tool="test"))
print("exit", result.exit_code)
"""
    child, terminal = pty.fork()
    if child == 0:
        default_signals()
        os.execv(sys.executable, [sys.executable, "-c", script])
    said = b""
    typed = False
    try:
        while chunk := os.read(terminal, 1000):
            said += chunk
            if b"ready" in said and not typed:
                typed = bool(os.write(terminal, b"\x03"))
    except OSError:
        os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert b"caught" in said
    assert b"exit 5" in said
