"""What QEMU's events report of a guest."""

from __future__ import annotations

import json
import socket
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from pagefault_doctor.lab.qmp import PANICKED, Event, Qmp, end_of, paused

RUNS: Event = ("RESUME", "")


@pytest.mark.parametrize(
    ("events", "told"),
    [
        ((RUNS,), ""),
        ((RUNS, ("STOP", "")), ""),
        ((RUNS, ("SHUTDOWN", "guest-reset")), "it rebooted"),
        ((RUNS, ("SHUTDOWN", "guest-shutdown")), "shut down from inside"),
        ((RUNS, ("SHUTDOWN", "host-qmp-quit")), "it was ended"),
        ((RUNS, PANICKED, ("STOP", ""), ("SHUTDOWN", "host-qmp-quit")), "panicked"),
        ((RUNS, ("NEWER_EVENT", "nobody knows")), ""),
    ],
)
def test_the_first_event_that_ends_a_guest_says_why(events: tuple[Event, ...], told: str) -> None:
    said = end_of(events)
    assert told in said
    assert bool(told) is bool(said)


def test_a_guest_is_paused_from_a_stop_to_the_next_resume() -> None:
    assert not paused(())
    assert paused((RUNS, ("STOP", "")))
    assert not paused((RUNS, ("STOP", ""), RUNS))


def test_a_socket_that_comes_late_is_waited_for(tmp_path: Path) -> None:
    """QEMU makes its sockets one after another, slowly on a busy machine."""
    path = tmp_path / "qmp"
    threading.Thread(target=_late_qemu, args=(path,), daemon=True).start()
    qmp = Qmp(path)
    assert qmp.execute("query-status") == {"status": "running"}
    qmp.close()


def _late_qemu(path: Path) -> None:
    """Answer as QEMU does (`docs/interop/qmp-spec.rst`), after a while without a socket."""
    time.sleep(0.5)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        connection, _ = server.accept()
    with connection:
        version = {"qemu": {"major": 7, "minor": 2, "micro": 0}, "package": ""}
        _send(connection, {"QMP": {"version": version, "capabilities": []}})
        while data := connection.recv(4096):
            request = json.loads(data)
            status = {"status": "running"} if request["execute"] == "query-status" else {}
            named = {"id": request["id"]} if "id" in request else {}
            _send(connection, {"return": status, **named})


def _send(connection: socket.socket, message: dict[str, Any]) -> None:
    connection.sendall(json.dumps(message).encode() + b"\n")
