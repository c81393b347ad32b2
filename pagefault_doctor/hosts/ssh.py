"""Another machine, over the system's OpenSSH client. It needs only a POSIX shell there.

One connection serves all commands (ControlMaster, ssh_config(5)), so that ssh asks for a password
once, on the terminal. The person's own configuration, keys, agent and jump hosts apply. The
connection ends with us, however we end.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import threading
import time
from functools import partial
from pathlib import Path
from typing import Final

import msgspec

from pagefault_doctor.hosts import marked, password_prompt, runner
from pagefault_doctor.hosts.guard import Guard, folder_guard
from pagefault_doctor.hosts.host import Closing, OnOutput
from pagefault_doctor.hosts.program import FIXED
from pagefault_doctor.hosts.remote_shell import remote_text, terminal_text, was_not_found
from pagefault_doctor.model import untrusted
from pagefault_doctor.model.command import Command, Result, ResultStatus, Risk
from pagefault_doctor.model.errors import MissingError, UsageError

NO_ANSWER: Final = 255
"""The exit code of ssh itself when it fails (ssh(1)); a command may have the same."""

ATTEMPTS: Final = 4
"""How often to reconnect; the pause grows by a second each time."""

_PROBLEMS: Final = (
    ("host key verification failed", "its host key is not known here, or has changed",
     "compare the key with the machine's administrator, then connect once with: ssh {}"),
    ("permission denied", "no key and no password was accepted",
     "try ssh {} by hand; ssh-add loads a key, ssh-copy-id installs one"),
    ("could not resolve", "there is no machine of that name", "check the name"),
    ("connection refused", "nothing listens for ssh there", "check the port, and that sshd runs"),
    ("timed out", "it does not answer", "check the network, and that the machine is up"),
    ("no route to host", "there is no way to it", "check the network"),
    ("bad configuration", "the configuration of ssh is not valid", "try ssh {} by hand"),
)  # fmt: skip
"""Messages of ssh in lower case, their meaning, and the remedy."""

_END_LINK: Final = ("hosts/end_marked.sh", "hosts/end_link.sh")

_PATIENCE: Final = 10.0
"""Seconds that the guard may take to end a connection."""

_MASTER: Final = re.compile(r"pid=(\d+)")

_AGENT: Final = ("SSH_AUTH_SOCK", "SSH_AGENT_PID", "KRB5CCNAME")
"""Variables that ssh needs to find the person's keys."""


class SshHost(Closing):
    """A machine that commands run on over ssh. Use as a context manager, or `close` it.

    `alive` is the interval in seconds at which the link is tested; three missed replies mean that
    it is lost.
    """

    live = True

    def __init__(self, destination: str, config: str | None = None, alive: int = 5) -> None:
        """Does not connect yet.

        Raises UsageError for what cannot be a destination, PfDoctorError without a folder.
        """
        # A destination that begins with `-` would be an option of ssh.
        if not re.fullmatch(r"[^-\s\0][^\s\0]*", destination):
            raise UsageError(f"not a host: {destination}", "give HOST or USER@HOST")
        self.name = untrusted.clean_line(destination)
        self.destination = destination
        self.config = config
        self._alive = alive
        self._mark = marked.new_mark()
        self._folder = _unused_path()
        self._socket = self._folder / "link"
        self._guard = folder_guard(self._folder, *_END_LINK, words=(self._mark,))

    def connect(self, *, ask: bool) -> None:
        """Connect. With `ask`, ssh may ask the person on the terminal, which must be free.

        Raises MissingError, with the remedy, where that fails.
        """
        link = ("-o", "ControlMaster=yes", "-o", "ControlPersist=yes", "-f", "-N")
        batch = () if ask else ("-o", "BatchMode=yes")
        command = self._ssh(*link, *batch, "--", self.destination, timeout=60)
        # Until the guard knows the group, it finds the connection by its mark.
        command = msgspec.structs.replace(command, env={marked.VARIABLE: self._mark})
        # The connection to a jump host is a process of the first ssh's group, and must stay.
        start = runner.run_interactive if ask else partial(runner.run, env=_agent(), leaves=True)
        result = start(command)
        if not result.ok:
            raise self._why(result)
        master = _MASTER.search(self._control("check").errors)
        if master is None:
            raise MissingError(f"no connection to {self.name}: it ended at once", "try it again")
        assert self._guard.stdin
        Guard(self._guard.stdin.fileno()).watch(int(master[1]))

    @property
    def connected(self) -> bool:
        """Whether the connection exists, as far as ssh on this side knows."""
        return self._socket.exists() and self._control("check").ok

    def run(
        self,
        command: Command,
        on_output: OnOutput | None = None,
        cancel: threading.Event | None = None,
    ) -> Result:
        """Run a command there and return its result, `lost` where the connection ended before it.

        A lost command that only observes runs once more if reconnecting needs no question to the
        person. One that changes something never does: it may have taken effect.
        """
        try:
            text = remote_text(command, FIXED)
        except ValueError as error:
            return Result(command=command, status=ResultStatus.REFUSED, errors=str(error))
        # At most twice: a command that takes the link down would do it again.
        for again in (False, True):
            if again and on_output:
                on_output(f"The connection to {self.name} was lost; connecting again\n")
            if not self._reconnected(cancel):
                break
            result = self._once(command, text, on_output, cancel)
            if result.status is not ResultStatus.LOST or command.risk is not Risk.READ:
                return result
        status = ResultStatus.CANCELLED if cancel and cancel.is_set() else ResultStatus.LOST
        return Result(command=command, status=status, errors=_lost(self.name))

    def knows(self, tool: str) -> bool:
        """Return True: every command really runs."""
        return True

    def on_terminal(self, command: Command) -> Command:
        """Return the local command that runs this one there, on our own terminal."""
        argv = self._ssh("-tt", "--", self.destination, terminal_text(command, {})).argv
        return msgspec.structs.replace(
            command, argv=argv, cwd="/", env={}, stdin="", as_root=False, asks=False
        )

    def run_asking(self, command: Command) -> Result:
        """Run a command there that asks on our terminal; return its other output.

        sudo remembers a password for a terminal, and each command gets a new one there, so it may
        ask each time.
        """
        mark = password_prompt.new_mark()
        try:
            started = self.on_terminal(password_prompt.as_marked(command, mark, FIXED))
        except ValueError as error:
            return Result(command=command, status=ResultStatus.REFUSED, errors=str(error))
        result = password_prompt.run_asking(command, started, mark)
        if result.exit_code == NO_ANSWER and not self.connected:
            errors = f"{result.errors}{_lost(self.name)}"
            return msgspec.structs.replace(result, status=ResultStatus.LOST, errors=errors)
        return result

    def close(self) -> None:
        """End the connection and remove its folder."""
        if self._socket.exists():
            self._control("exit")
        assert self._guard.stdin
        self._guard.stdin.close()
        try:
            self._guard.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self._guard.kill()
            self._guard.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _once(
        self,
        command: Command,
        text: str,
        on_output: OnOutput | None,
        cancel: threading.Event | None,
    ) -> Result:
        batch = ("-T", "-o", "BatchMode=yes", "-o", "ControlMaster=no")
        ours = self._ssh(*batch, "--", self.destination, text)
        ours = msgspec.structs.replace(
            ours, timeout=command.timeout, output_limit=command.output_limit
        )
        result = runner.run(ours, on_output, cancel, env=_agent(), hold_stdin=True)
        status, errors = result.status, result.errors
        if result.exit_code == NO_ANSWER and not self.connected:
            status, errors = ResultStatus.LOST, f"{errors}{_lost(self.name)}"
        elif was_not_found(command, result.exit_code, errors):
            status = ResultStatus.MISSING
        elif status is ResultStatus.FAILED and 128 < (result.exit_code or 0) <= 192:
            status = ResultStatus.SIGNALED
        return msgspec.structs.replace(result, command=command, status=status, errors=errors)

    def _reconnected(self, cancel: threading.Event | None) -> bool:
        """Return whether there is a connection; reconnect a few times if it was lost."""
        for attempt in range(ATTEMPTS):
            if self._socket.exists() and (attempt == 0 or self.connected):
                return True
            if cancel and cancel.wait(attempt):
                return False
            if not cancel:
                time.sleep(attempt)
            try:
                self.connect(ask=False)
                return True
            except MissingError:
                continue
        return False

    def _control(self, order: str) -> Result:
        return self._run(self._ssh("-O", order, "--", self.destination, timeout=10))

    def _run(self, command: Command) -> Result:
        return runner.run(command, env=_agent())

    def _ssh(self, *words: str, timeout: float = 30) -> Command:
        """Return an ssh command. Its options override settings that would do harm here."""
        options = {
            "ControlPath": str(self._socket),
            "ConnectTimeout": "15",
            "ServerAliveInterval": str(self._alive),
            "ServerAliveCountMax": "3",
            # A typed `~.`, for example in a password, must not end the connection.
            "EscapeChar": "none",
            "ClearAllForwardings": "yes",
            "PermitLocalCommand": "no",
            "RemoteCommand": "none",
            "LogLevel": "ERROR",
            "Compression": "yes",
        }
        chosen = ("-F", self.config) if self.config else ()
        settings = (word for name, value in options.items() for word in ("-o", f"{name}={value}"))
        return Command(argv=("ssh", *chosen, *settings, *words), tool="ssh", timeout=timeout)

    def _why(self, result: Result) -> MissingError:
        """Return why there is no connection, and the remedy."""
        if result.status is ResultStatus.MISSING:
            return MissingError("there is no ssh here", "install the OpenSSH client")
        said = result.errors.strip()
        for words, meaning, remedy in _PROBLEMS:
            if words in said.lower():
                return MissingError(
                    f"no connection to {self.name}: {meaning}", remedy.format(self.name)
                )
        last = f": {said.splitlines()[-1]}" if said else ""
        by_hand = f"try it by hand: ssh {self.name}"
        return MissingError(f"no connection to {self.name}{last}", by_hand)


def _lost(name: str) -> str:
    return f"The connection to {name} was lost before this ended.\n"


def _agent() -> dict[str, str]:
    return {name: os.environ[name] for name in _AGENT if name in os.environ}


def _unused_path() -> Path:
    """Return the path of a folder for a socket, which does not exist yet."""
    return Path(_short_folder() or tempfile.gettempdir(), f"pfdoctor-ssh-{os.urandom(4).hex()}")


def _short_folder() -> str | None:
    """Return a folder for sockets: a path may have 108 bytes (unix(7)), of which ssh needs some."""
    home = os.environ.get("XDG_RUNTIME_DIR", "")
    folders = (home, tempfile.gettempdir(), "/tmp", "/dev/shm")
    usable = (f for f in folders if f and len(f) < 60 and os.access(f, os.W_OK))
    return next(usable, None)
