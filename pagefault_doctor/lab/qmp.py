"""QEMU's machine protocol: one JSON object a line over a Unix socket."""

from __future__ import annotations

import socket
import time
from pathlib import Path
from typing import Any

import msgspec

from pagefault_doctor.model.errors import PfDoctorError


class Qmp:
    """A connection to a QEMU process, ready for commands."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._rest = b""
        self._receive(10)
        self.execute("qmp_capabilities")

    def execute(self, command: str, timeout: float = 10, **arguments: Any) -> Any:
        """Run a QMP command and return its answer; raises PfDoctorError where QEMU says no."""
        request = {"execute": command, "arguments": arguments}
        self._socket.sendall(msgspec.json.encode(request) + b"\n")
        until = time.monotonic() + timeout
        while True:
            message = self._receive(until - time.monotonic())
            if "error" in message:
                raise PfDoctorError(f"QEMU refused {command}: {message['error'].get('desc')}")
            if "return" in message:
                return message["return"]

    def close(self) -> None:
        """Close the connection; QEMU goes on."""
        self._socket.close()

    def _receive(self, timeout: float) -> dict[str, Any]:
        until = time.monotonic() + timeout
        while b"\n" not in self._rest:
            self._socket.settimeout(max(until - time.monotonic(), 0.01))
            try:
                chunk = self._socket.recv(65536)
            except OSError as error:
                raise PfDoctorError(f"QEMU does not answer: {error}") from error
            if not chunk:
                raise PfDoctorError("QEMU has ended")
            self._rest += chunk
        line, _, self._rest = self._rest.partition(b"\n")
        return msgspec.json.decode(line, type=dict[str, Any])


def connect(path: Path, timeout: float) -> socket.socket:
    """Return a connection to a Unix socket that is about to appear; raises PfDoctorError."""
    until = time.monotonic() + timeout
    while True:
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.connect(str(path))
        except OSError as error:
            connection.close()
            if time.monotonic() > until:
                raise PfDoctorError(f"QEMU did not start: {error}") from error
            time.sleep(0.02)
        else:
            return connection
