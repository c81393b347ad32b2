"""Nothing that pfdoctor started outlives it, even after kill -9."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from pagefault_doctor.hosts import runner
from pagefault_doctor.model.command import Command, ResultStatus
from processes import running
from terminal import eventually

PARENT = """
from pagefault_doctor.hosts import runner
from pagefault_doctor.model.command import Command
script = 'echo $$ > "$0"; sleep 99 & sleep 99'
runner.run(Command(argv=("sh", "-c", script, {path!r}), tool="test", timeout=99))
"""


def group_is_alive(group: int) -> bool:
    """Return whether a process of the group runs that is no zombie."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[2]) == group and fields[0] not in "ZX":
            return True
    return False


def wait_for(path: Path) -> int:
    until = time.monotonic() + 20
    while time.monotonic() < until:
        if path.exists() and (text := path.read_text().strip()):
            return int(text)
        time.sleep(0.02)
    raise AssertionError("the command did not start")


def test_kill_9_leaves_no_child_behind(tmp_path: Path) -> None:
    path = tmp_path / "pid"
    parent = subprocess.Popen([sys.executable, "-c", PARENT.format(path=str(path))])
    try:
        group = wait_for(path)
        assert group_is_alive(group)
    finally:
        parent.send_signal(signal.SIGKILL)
        parent.wait()
    assert eventually(lambda: not group_is_alive(group), 20)


def test_kill_9_ends_a_member_of_the_group_that_cleared_its_environment(tmp_path: Path) -> None:
    """It has no mark, so the guard has to know the group."""
    path = tmp_path / "pid"
    clears = PARENT.replace("sleep 99 & sleep 99", "exec env -i sleep 99")
    parent = subprocess.Popen([sys.executable, "-c", clears.format(path=str(path))])
    try:
        group = wait_for(path)
        assert eventually(lambda: b"sleep" in Path(f"/proc/{group}/cmdline").read_bytes()[:6], 20)
    finally:
        parent.send_signal(signal.SIGKILL)
        parent.wait()
    assert eventually(lambda: not group_is_alive(group), 20)


def test_the_guard_itself_is_gone_when_the_command_is() -> None:
    before = guards()  # Of commands that other tests left to a thread.
    done = runner.run(Command(argv=("true",), tool="test"))
    assert done.status is ResultStatus.OK
    assert eventually(lambda: guards() <= before, 20)


def guards() -> set[int]:
    """Return the processes of this process's guards."""
    found = set[int]()
    for pid in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split():
        with suppress(OSError):  # It may end at any moment.
            if b"signal_all" in Path(f"/proc/{pid}/cmdline").read_bytes():
                found.add(int(pid))
    return found


def test_kill_9_in_the_moment_of_starting_leaves_no_child_behind(tmp_path: Path) -> None:
    """The parent dies as soon as there is a child, before it could do anything about it."""
    path = tmp_path / "pid"
    dying = "import os, signal; fork = os.fork\n" + DIES_AT_FORK + PARENT.format(path=str(path))
    parent = subprocess.Popen([sys.executable, "-c", dying])
    assert parent.wait(20) == -signal.SIGKILL
    # The child's command line has the path in it before it becomes the command, and afterwards.
    assert eventually(lambda: not running(str(path)) and not running(str(path)), 20)
    # It may have ended before it wrote its group.
    if path.exists() and (group := path.read_text().strip()):
        assert eventually(lambda: not group_is_alive(int(group)), 20)


DIES_AT_FORK = """
def fork_and_die():
    if pid := fork():
        os.kill(os.getpid(), signal.SIGKILL)
    return pid
os.fork = fork_and_die
"""
