"""Giving up on a process that even SIGKILL does not end, as one stuck inside the kernel."""

from __future__ import annotations

import os
import subprocess
import threading

import pytest

from pagefault_doctor.hosts import process_group, watch
from pagefault_doctor.model.command import Command, ResultStatus


class Stuck:
    """A process that never admits its end."""

    def __init__(self, pid: int) -> None:
        self.pid = pid

    def is_alive(self) -> bool:
        return True


def test_a_process_stuck_in_the_kernel_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_group, "GRACE", 0.1)
    monkeypatch.setattr(watch, "STUCK", 0.1)
    reader, writer = os.pipe()
    errors, to_errors = os.pipe()
    child = subprocess.Popen(["sleep", "99"], start_new_session=True)
    command = Command(argv=("sleep", "99"), tool="test", timeout=0.1)
    os.write(writer, b"last words")
    group = process_group.ProcessGroup("none has it")
    group.group = child.pid
    watching = watch.Watch(Stuck(child.pid), group, command, (reader, errors), None, None)
    assert watching.follow() is ResultStatus.TIMEOUT
    assert watching.stuck
    assert watching.output.text() == "last words"
    assert child.wait() < 0
    for pipe in (reader, writer, errors, to_errors):
        os.close(pipe)


@pytest.mark.parametrize("by_end_all", [True, False])
def test_what_was_said_before_the_end_is_read_although_it_was_cancelled(by_end_all: bool) -> None:
    """By a signal to us, which ended the command before it was looked at again; or just late."""

    class Ended:
        pid = 0

        def is_alive(self) -> bool:
            return False

    (reader, writer), (errors, to_errors) = os.pipe(), os.pipe()
    os.write(writer, b"said\n")
    cancel = threading.Event()
    cancel.set()
    group = process_group.ProcessGroup("none has it")
    group.ended = by_end_all
    watching = watch.Watch(
        Ended(), group, Command(argv=("x",), tool="test"), (reader, errors), None, cancel
    )
    assert watching.follow() is (ResultStatus.CANCELLED if by_end_all else None)
    assert watching.output.text() == "said\n"
    for pipe in (reader, writer, errors, to_errors):
        os.close(pipe)
