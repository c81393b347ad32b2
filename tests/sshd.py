"""An ssh server of our own, on loopback, for as long as a test needs it."""

from __future__ import annotations

import getpass
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_PRIVILEGE_SEPARATION: Final = Path("/run/sshd")
"""The empty folder that sshd asks for when root starts it (sshd(8))."""


class Sshd:
    """A running server. `config` is for `ssh -F`; with it the host `box` is this machine."""

    def __init__(self, folder: Path, program: str) -> None:
        self.folder = folder
        self.config = folder / "ssh_config"
        self.settings = folder / "sshd_config"
        self.known_hosts = folder / "known_hosts"
        self._program = program
        self._process: subprocess.Popen[bytes] | None = None
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        for name in ("host_key", "user_key"):
            self.new_key(name)
        (folder / "authorized").write_text((folder / "user_key.pub").read_text())
        self._configure()

    def new_key(self, name: str) -> None:
        """Create a key; an older one of that name is replaced."""
        key = self.folder / name
        key.unlink(missing_ok=True)
        argv = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)]
        subprocess.run(argv, check=True, stdin=subprocess.DEVNULL)

    def know(self) -> None:
        """Write the server's present key to the clients' known_hosts."""
        key = " ".join((self.folder / "host_key.pub").read_text().split()[:2])
        self.known_hosts.write_text(f"[127.0.0.1]:{self.port} {key}\n")

    def _configure(self) -> None:
        self.know()
        self.settings.write_text(
            f"ListenAddress 127.0.0.1\nPort {self.port}\nHostKey {self.folder}/host_key\n"
            f"AuthorizedKeysFile {self.folder}/authorized\nPidFile none\nStrictModes no\n"
            "UsePAM no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n"
            "PermitRootLogin yes\nMaxSessions 20\n"
        )
        self.config.write_text(
            f"Host box\n  HostName 127.0.0.1\n  Port {self.port}\n  User {getpass.getuser()}\n"
            f"  IdentityFile {self.folder}/user_key\n  IdentitiesOnly yes\n"
            f"  UserKnownHostsFile {self.known_hosts}\n  GlobalKnownHostsFile /dev/null\n"
            "  StrictHostKeyChecking yes\n  BatchMode yes\n"
        )

    def through(self, port: int) -> None:
        """Send clients through another port, where they know the server's key too."""
        self.config.write_text(self.config.read_text().replace(f"Port {self.port}", f"Port {port}"))
        self.known_hosts.write_text(self.known_hosts.read_text().replace(str(self.port), str(port)))

    def start(self) -> None:
        """Listen."""
        log = self.folder / "log"
        argv = [self._program, "-D", "-f", str(self.settings), "-E", str(log)]
        self._process = subprocess.Popen(argv, start_new_session=True)
        until = time.monotonic() + 10
        while time.monotonic() < until:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.02)
        raise AssertionError(log.read_text())

    def connections(self) -> list[int]:
        """Return the processes that serve a connection."""
        assert self._process is not None
        return _children(self._process.pid)

    def cut(self) -> None:
        """Cut every connection, whatever it does."""
        for pid in self.connections():
            for child in (*_children(pid), pid):
                _send(child, signal.SIGKILL)

    def silence(self, number: signal.Signals = signal.SIGSTOP) -> None:
        """Stop every connection from answering, as a dead link does; SIGCONT undoes it."""
        for pid in self.connections():
            for child in (*_children(pid), pid):
                _send(child, number)

    def stop(self) -> None:
        """Stop listening and end all connections."""
        if self._process is None:
            return
        self.silence(signal.SIGCONT)
        self.cut()
        self._process.kill()
        self._process.wait()
        self._process = None


class Relay:
    """Forwards between clients and a server, and counts the bytes that the server sends."""

    def __init__(self, port: int) -> None:
        self.received = 0
        self._server = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self._server))
            for pair in ((client, server, False), (server, client, True)):
                threading.Thread(target=self._copy, args=pair, daemon=True).start()

    def _copy(self, source: socket.socket, sink: socket.socket, counted: bool) -> None:
        try:
            while data := source.recv(1 << 16):
                self.received += len(data) * counted
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            return

    def close(self) -> None:
        """Accept no more clients."""
        self._listener.close()


def _send(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def _children(pid: int) -> list[int]:
    """Return the children that are sshd themselves, not the commands that they run."""
    listed = Path(f"/proc/{pid}/task/{pid}/children")
    try:
        children = [int(child) for child in listed.read_text().split()]
        return [c for c in children if Path(f"/proc/{c}/comm").read_text().startswith("sshd")]
    except OSError:
        return []


@contextmanager
def serving(folder: Path, program: str) -> Iterator[Sshd]:
    """Run a server in a folder."""
    if os.geteuid() == 0:
        # It stays: another server, of tests that run beside these, may need it.
        _PRIVILEGE_SEPARATION.mkdir(mode=0o755, exist_ok=True)
    server = Sshd(folder, program)
    server.start()
    try:
        yield server
    finally:
        server.stop()
