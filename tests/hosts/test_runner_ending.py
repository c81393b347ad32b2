"""How commands are ended: by cancel, deadline, quit; always with all their children."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from hosts.deadline import FAR, Deadline
from pagefault_doctor.hosts import process_group, runner, watch
from pagefault_doctor.hosts.host import OnOutput
from pagefault_doctor.model.command import Command, Result, ResultStatus
from processes import default_signals


def family(folder: Path, script: str) -> str:
    """Return a script that first writes its id to the file `pids` of that folder."""
    return f"cd {folder}; echo $$ >> pids; {script}"


PROMPT = 20.0
"""Far less than the commands here sleep, and enough for a busy machine."""


def pids(folder: Path) -> list[int]:
    return [int(word) for word in (folder / "pids").read_text().split()]


def wait_for(file: Path, lines: int) -> None:
    until = time.monotonic() + PROMPT
    while time.monotonic() < until:
        if file.exists() and len(file.read_text().splitlines()) >= lines:
            return
        time.sleep(0.01)
    raise AssertionError("the command did not get going")


def is_running(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rsplit(")", 1)[1].split()[0] not in ("Z", "X")


def bash(
    script: str, cancel: threading.Event | None = None, on_output: OnOutput | None = None
) -> Result:
    command = Command(argv=("bash", "-c", script), tool="test", timeout=FAR)
    return runner.run(command, on_output, cancel)


@pytest.fixture
def deadline(monkeypatch: pytest.MonkeyPatch) -> Deadline:
    return Deadline(monkeypatch)


def cancelled_when_up(folder: Path, script: str, lines: int) -> tuple[Result, float]:
    """Run a script, cancel it once so many pids are written, and return how long the end took."""
    cancel = threading.Event()
    results: list[Result] = []
    thread = threading.Thread(
        target=lambda: results.append(bash(family(folder, script), cancel=cancel))
    )
    thread.start()
    wait_for(folder / "pids", lines)
    began = time.monotonic()
    cancel.set()
    thread.join(20)
    return results[0], time.monotonic() - began


def test_cancel_ends_the_command_and_its_children(tmp_path: Path) -> None:
    result, took = cancelled_when_up(tmp_path, "sleep 99 & echo $! >> pids; sleep 99", 2)
    assert result.status is ResultStatus.CANCELLED
    assert result.exit_code == 128 + signal.SIGTERM
    assert took < PROMPT
    assert not any(map(is_running, pids(tmp_path)))


def test_what_was_said_before_the_cancel_is_kept(tmp_path: Path) -> None:
    result, _ = cancelled_when_up(tmp_path, "echo half; echo 0 >> pids; sleep 99", 2)
    assert result.output == "half\n"


def test_last_words_of_a_command_that_is_ended_are_kept(tmp_path: Path) -> None:
    script = "trap 'echo summary; exit 0' TERM; echo 0 >> pids; sleep 99 & wait"
    result, _ = cancelled_when_up(tmp_path, script, 2)
    assert result.status is ResultStatus.CANCELLED
    assert result.exit_code == 0
    assert result.output == "summary\n"


def test_a_cancel_that_came_first_ends_it_at_once() -> None:
    cancel = threading.Event()
    cancel.set()
    result = bash("sleep 99", cancel=cancel)
    assert result.status is ResultStatus.CANCELLED
    assert result.seconds < PROMPT


def test_a_timeout_ends_the_grandchildren_too(tmp_path: Path, deadline: Deadline) -> None:
    script = (
        "(sleep 99 & echo $! >> pids; sleep 99) & echo $! >> pids; "
        "until [ $(wc -l < pids) = 3 ]; do sleep 0.02; done; echo up; wait"
    )
    result = bash(family(tmp_path, script), on_output=deadline.comes)
    assert result.status is ResultStatus.TIMEOUT
    assert len(pids(tmp_path)) == 3
    assert not any(map(is_running, pids(tmp_path)))


def test_who_ignores_sigterm_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, deadline: Deadline
) -> None:
    monkeypatch.setattr(process_group, "GRACE", 0.3)
    script = "trap 'echo asked' TERM; sleep 99 & echo $! >> pids; echo up; while :; do wait; done"
    result = bash(family(tmp_path, script), on_output=deadline.comes)
    assert result.status is ResultStatus.TIMEOUT
    assert result.exit_code == 128 + signal.SIGKILL
    assert result.output.startswith("up\nasked\n")
    assert not any(map(is_running, pids(tmp_path)))


def test_a_member_of_the_group_that_ignores_sigterm_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its leader has ended by itself."""
    monkeypatch.setattr(process_group, "GRACE", 0.3)
    script = "(trap '' TERM; echo $BASHPID >> pids; exec sleep 99 >/dev/null 2>&1) & "
    result = bash(family(tmp_path, script + "until [ $(wc -l < pids) = 2 ]; do sleep 0.02; done"))
    assert result.ok
    assert not any(map(is_running, pids(tmp_path)))


def test_a_member_of_the_group_that_cleared_its_environment_is_ended(tmp_path: Path) -> None:
    script = "env -i sleep 99 >/dev/null 2>&1 & echo $! >> pids"
    assert bash(family(tmp_path, script)).ok
    assert not any(map(is_running, pids(tmp_path)))


def test_what_a_grandchild_says_soon_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "DRAIN", PROMPT)
    assert bash("(sleep 0.2; echo late) & echo said").output == "said\nlate\n"


def test_a_command_may_leave_a_process_behind_only_where_it_ends_by_itself(
    tmp_path: Path, deadline: Deadline
) -> None:
    """As ssh leaves the connection to a jump host, but not when it was cut short."""
    script = family(tmp_path, "sleep 99 >/dev/null 2>&1 & echo $! >> pids; echo up")
    command = Command(argv=("bash", "-c", script), tool="test", timeout=FAR)
    assert runner.run(command, leaves=True).ok
    left = pids(tmp_path)[1]
    assert is_running(left)
    os.kill(left, signal.SIGKILL)
    command = Command(argv=("bash", "-c", f"{script}; wait"), tool="test", timeout=FAR)
    result = runner.run(command, deadline.comes, leaves=True)
    assert result.status is ResultStatus.TIMEOUT
    assert not any(map(is_running, pids(tmp_path)))


def test_a_stopped_command_is_ended(monkeypatch: pytest.MonkeyPatch, deadline: Deadline) -> None:
    monkeypatch.setattr(process_group, "GRACE", 0.3)
    # Not before it is stopped: until then, the first signal would end it.
    seen = "until grep -q '^State:.T' /proc/$$/status; do sleep 0.02; done; echo up"
    result = bash(f"({seen}) & kill -STOP $$", on_output=deadline.comes)
    assert result.status is ResultStatus.TIMEOUT
    assert result.exit_code == 128 + signal.SIGKILL


def test_a_grandchild_that_holds_the_output_delays_us_only_a_moment(tmp_path: Path) -> None:
    result = bash(family(tmp_path, "echo said; sleep 99 & echo $! >> pids"))
    assert result.ok
    assert result.output == "said\n"
    assert result.seconds < PROMPT
    assert not any(map(is_running, pids(tmp_path)))


def test_a_silent_grandchild_is_not_left_behind(tmp_path: Path) -> None:
    result = bash(family(tmp_path, "sleep 99 >/dev/null 2>&1 & echo $! >> pids"))
    assert result.ok
    assert not any(map(is_running, pids(tmp_path)))


def test_a_command_that_closed_its_output_can_be_cancelled(tmp_path: Path) -> None:
    script = "exec >&- 2>&-; echo 0 >> pids; sleep 99"
    result, took = cancelled_when_up(tmp_path, script, 2)
    assert result.status is ResultStatus.CANCELLED
    assert took < PROMPT


def test_a_listener_that_fails_leaves_no_process(tmp_path: Path) -> None:
    def listener(text: str) -> None:
        raise RuntimeError(text)

    script = family(
        tmp_path,
        "trap 'echo said again; sleep 0.4; echo said more' TERM; echo said; sleep 99 & wait; wait",
    )
    with pytest.raises(RuntimeError, match="said"):
        runner.run(Command(argv=("bash", "-c", script), tool="test"), listener)
    assert not any(map(is_running, pids(tmp_path)))
    assert process_group.running == set()


def test_end_all_ends_what_runs_in_other_threads(tmp_path: Path) -> None:
    results: list[Result] = []
    script = family(tmp_path, "sleep 99 & echo $! >> pids; wait")
    threads = [threading.Thread(target=lambda: results.append(bash(script))) for _ in range(2)]
    for thread in threads:
        thread.start()
    wait_for(tmp_path / "pids", 4)
    runner.end_all()
    assert not any(map(is_running, pids(tmp_path)))
    for thread in threads:
        thread.join(10)
    assert [result.status for result in results] == [ResultStatus.CANCELLED] * 2
    assert process_group.running == set()


def test_end_all_kills_who_ignores_sigterm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_group, "GRACE", 60.0)
    script = family(tmp_path, "trap '' TERM; echo 0 >> pids; sleep 99")
    thread = threading.Thread(target=lambda: bash(script))
    thread.start()
    wait_for(tmp_path / "pids", 2)
    runner.end_all(grace=0.2)
    # By end_all alone: the thread that runs the command waits longer before it kills.
    assert not is_running(pids(tmp_path)[0])
    thread.join(20)


def test_end_all_with_nothing_running_does_nothing() -> None:
    began = time.monotonic()
    runner.end_all()
    assert time.monotonic() - began < process_group.GRACE


RUN_AND_REPORT = """runner.run(Command(argv=("bash", "-c", {!r}), tool="test"),
    lambda text: print(text, flush=True))"""
"""Repeats what the command prints: by then the fork hooks are over, which drop what is raised."""


def ended_when_up(script: str, number: signal.Signals) -> int:
    """Run a Python script, send it a signal once it repeats its command, and return its code."""
    argv = [sys.executable, "-c", script]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, preexec_fn=default_signals) as ours:
        assert ours.stdout is not None
        assert ours.stdout.readline() == b"up\n"
        ours.send_signal(number)
        return ours.wait(PROMPT)


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM])
def test_a_signal_handler_may_end_all_while_the_same_thread_runs_a_command(
    tmp_path: Path, number: signal.Signals
) -> None:
    script = f"""
import signal, sys
from pagefault_doctor.hosts import runner
from pagefault_doctor.model.command import Command
def leave(*_):
    runner.end_all()
    sys.exit(7)
signal.signal({int(number)}, leave)
{RUN_AND_REPORT.format(family(tmp_path, "sleep 99 & echo $! >> pids; echo up; wait"))}
"""
    assert ended_when_up(script, number) == 7
    assert not any(map(is_running, pids(tmp_path)))


def test_end_all_during_the_fork_ends_the_command_that_is_being_started() -> None:
    """Python runs signal handlers within its fork hooks too, and drops what they raise."""
    script = """
import os
from pagefault_doctor.hosts import runner
from pagefault_doctor.model.command import Command
os.register_at_fork(after_in_parent=lambda: runner.end_all(grace=0.1))
print(runner.run(Command(argv=("sleep", "99"), tool="test")).status)
"""
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, timeout=20)
    assert said.stdout == b"cancelled\n"


def test_ctrl_c_ends_the_command_and_reaches_the_caller(tmp_path: Path) -> None:
    script = f"""
from pagefault_doctor.hosts import runner
from pagefault_doctor.model.command import Command
try:
    {RUN_AND_REPORT.format(family(tmp_path, "echo up; sleep 99"))}
except KeyboardInterrupt:
    raise SystemExit(130)
"""
    assert ended_when_up(script, signal.SIGINT) == 130
    assert not any(map(is_running, pids(tmp_path)))


def test_a_group_of_zombies_is_not_alive() -> None:
    child = subprocess.Popen(["true"], start_new_session=True)
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert not process_group.alive(child.pid)
    child.wait()
    assert not process_group.alive(child.pid)


def test_a_group_that_runs_is_alive() -> None:
    child = subprocess.Popen(["sleep", "99"], start_new_session=True)
    assert process_group.alive(child.pid)
    process_group.send(child.pid, signal.SIGKILL)
    child.wait()
    process_group.send(child.pid, signal.SIGKILL)
