"""The lab's guest as a host: commands run in a machine that may crash."""

from __future__ import annotations

import base64
import binascii
import gzip
import re
import select
import shlex
import threading
import time
from collections.abc import Callable
from typing import Final, Self

import msgspec

from pagefault_doctor.hosts.host import Host, OnOutput
from pagefault_doctor.hosts.script import script
from pagefault_doctor.lab.vm import VirtualMachine
from pagefault_doctor.model import untrusted
from pagefault_doctor.model.command import Command, Result, ResultStatus
from pagefault_doctor.model.errors import PfDoctorError

LONGEST: Final = 48 << 10
"""Bytes in a request. The guest's tty layer holds 64 kB before it drops some."""

TAIL: Final = 40
"""Lines of the console that are told when the guest does not come up."""

LAST_WORDS: Final = 400
"""Lines of the console that are told when the guest died: all of the report that ended it."""

PIECE: Final = 32 << 10
"""Letters of a file that go in one request; a whole number of base64 groups."""

GRACE: Final = 5.0
"""Seconds that a guest has to answer once its command was killed."""

POLL: Final = 0.1

GOING: Final = 1.0
"""Seconds in which QEMU tells why it ends, once the guest is silent."""

GONE: Final = "The guest has gone, and QEMU did not say why."
HANGS: Final = "The guest hangs: it did not answer when its command was killed."
PAUSED: Final = "The guest is paused: QEMU or a debugger has stopped it."

_NAME: Final = re.compile(r"[A-Za-z_]\w*", re.ASCII)


class _Answer(msgspec.Struct, frozen=True):
    """What the agent said: an exit status or `missing`, and the two streams as far as asked for."""

    status: str
    output: bytes
    errors: bytes


class _Heard:
    """What was heard of a command's streams while it ran, told on as whole lines."""

    def __init__(self, on_output: OnOutput | None) -> None:
        self._on_output = on_output
        self._told = {"out": 0, "err": 0}
        self._line = {"out": b"", "err": b""}

    def hear(self, stream: str = "", text: str = "") -> None:
        """Take what the agent said of a stream."""
        try:
            data = base64.b64decode(text, validate=True)
        except binascii.Error:
            return  # The agent was ended in the middle of it; the answer has all.
        if stream in self._told:
            whole, newline, self._line[stream] = (self._line[stream] + data).rpartition(b"\n")
            self._tell(stream, whole + newline)

    def rest(self, answer: _Answer | None) -> None:
        """Take the answer, and tell what was not told yet."""
        streams = {"out": answer.output, "err": answer.errors} if answer else self._line
        for stream, data in streams.items():
            self._tell(stream, data[self._told[stream] :] if answer else data)

    def _tell(self, stream: str, data: bytes) -> None:
        self._told[stream] += len(data)
        if data and self._on_output:
            self._on_output(untrusted.decode(data))


class GuestHost(Host):
    """A running guest of the lab. `name` is its host name."""

    live = True
    name = "lab"

    def __init__(
        self,
        machine: VirtualMachine,
        boot_timeout: float = 60,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> None:
        """Start the machine and wait for its agent.

        Raises PfDoctorError where it does not come in time, or nobody waits for it any longer.
        """
        self.machine = machine
        self._rest = b""
        self._number = 0
        self._lost = ""
        self._heard = _Heard(None)
        machine.start()
        until = time.monotonic() + boot_timeout
        while self._line(time.monotonic() + POLL) != "ready":
            if self._lost or time.monotonic() > until or cancelled():
                raise PfDoctorError("the guest did not boot", self._last_words(TAIL))

    def run(
        self,
        command: Command,
        on_output: OnOutput | None = None,
        cancel: threading.Event | None = None,
    ) -> Result:
        """Run a command in the guest and return its result, also where the guest dies of it.

        A guest that panics or hangs gives `failed` or `timeout`, with the end of its console in
        the errors. `on_output` is called about once a second with what the command has said.
        """
        began = time.monotonic()
        if refusal := self._lost or _unfit(command):
            return Result(command=command, status=_refused(self._lost), errors=refusal)
        self._number += 1
        self._send(_request(self._number, command))
        self._heard = _Heard(on_output)
        answer, verdict = self._await(began + command.timeout, cancel)
        result = self._result(command, answer, verdict)
        self._heard.rest(answer)
        return msgspec.structs.replace(result, seconds=time.monotonic() - began)

    def put(self, path: str, data: bytes) -> None:
        """Write a file in the guest; raises PfDoctorError where that fails."""
        packed = base64.b64encode(gzip.compress(data)).decode()
        pieces = [packed[n : n + PIECE] for n in range(0, len(packed), PIECE)]
        text = script("lab/put_file.sh")
        for number, piece in enumerate(pieces, 1):
            argv = ("sh", "-c", text, "sh", path, "last" if number == len(pieces) else "")
            result = self.run(Command(argv=argv, tool="lab", stdin=piece))
            if not result.ok:
                raise PfDoctorError(f"{path} could not be written in the guest", result.errors)

    def close(self) -> None:
        """End the machine."""
        self.machine.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def _await(
        self, until: float, cancel: threading.Event | None
    ) -> tuple[_Answer | None, ResultStatus | None]:
        """Return the agent's answer if one comes, and why the command was ended if it was."""
        verdict: ResultStatus | None = None
        while not self._lost:
            if answer := self._answer(time.monotonic() + POLL):
                return answer, verdict
            late = time.monotonic() > until
            if verdict and late:
                self._lost = PAUSED if self.machine.paused() else HANGS
            elif late or (not verdict and cancel and cancel.is_set()):
                verdict = ResultStatus.TIMEOUT if late else ResultStatus.CANCELLED
                until = time.monotonic() + GRACE
                self._send(b"kill\n")
            elif why := self.machine.end():
                self._lost = why
        return None, verdict

    def _answer(self, until: float) -> _Answer | None:
        """Return the answer to the latest request, or None where none begins before `until`."""
        head = self._line(until).split(" ")
        if head[:2] == ["said", str(self._number)]:
            self._heard.hear(*head[2:4])
        if head[:2] != ["done", str(self._number)]:
            return None
        patience = time.monotonic() + 60
        return _Answer(" ".join(head[2:]), self._stream(patience), self._stream(patience))

    def _stream(self, until: float) -> bytes:
        lines = []
        while (line := self._line(until)) not in (".", ""):
            lines.append(line)
        try:
            return base64.b64decode("".join(lines))
        except binascii.Error:
            return b""

    def _line(self, until: float) -> str:
        """Return the agent's next line, or nothing where it does not come in time."""
        while b"\n" not in self._rest:
            wait = max(until - time.monotonic(), 0)
            if not select.select((self.machine.agent,), (), (), wait)[0]:
                return ""
            chunk = self.machine.agent.recv(65536)
            if not chunk:
                self._lost = self.machine.end(GOING) or GONE
                return ""
            self._rest += chunk
        line, _, self._rest = self._rest.partition(b"\n")
        return line.decode("ascii", "replace").strip()

    def _send(self, data: bytes) -> None:
        try:
            self.machine.agent.sendall(data)
        except OSError:
            self._lost = self.machine.end(GOING) or GONE

    def _result(
        self, command: Command, answer: _Answer | None, verdict: ResultStatus | None
    ) -> Result:
        if answer is None:
            status = verdict or ResultStatus.FAILED
            errors = f"{self._lost}\n{self._last_words(LAST_WORDS)}"
            return Result(command=command, status=status, errors=errors)
        limit = command.output_limit
        code = int(answer.status) if answer.status.isdecimal() else None
        status = _status(code)
        if max(len(answer.output), len(answer.errors)) > limit:
            status = ResultStatus.OVERFLOW
        return Result(
            command=command,
            status=verdict or status,
            exit_code=code,
            output=untrusted.decode(answer.output[:limit]),
            errors=untrusted.decode(answer.errors[:limit]),
        )

    def _last_words(self, lines: int) -> str:
        return "\n".join(self.machine.console().splitlines()[-lines:])


def _request(number: int, command: Command) -> bytes:
    """Return the line that asks for a command: base64 of a script, in which all words are quoted.

    One byte more than wanted is asked for, to know whether there was more.
    """
    script = "\n".join(
        (
            f"cd -- {shlex.quote(command.cwd)} || exit",
            *(f"export {name}={shlex.quote(value)}" for name, value in command.env.items()),
            f"command -v {shlex.quote(command.argv[0])} >/dev/null || "
            "{ : >/run/agent/missing; exit 127; }",
            f"exec {shlex.join(command.argv)}\n",
        )
    )
    parts = (_packed(script), _packed(command.stdin))
    return f"run {number} {command.output_limit + 1} {' '.join(parts)}\n".encode()


def _packed(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _unfit(command: Command) -> str:
    """Say why a command cannot be handed to the agent."""
    words = (*command.argv, command.cwd, *command.env.values(), command.stdin)
    if not command.argv or not command.argv[0] or any("\0" in word for word in words):
        return "A command needs a program and no NUL character."
    if not all(map(_NAME.fullmatch, command.env)):
        return "The name of an environment variable is not valid."
    try:
        size = len(_request(0, command))
    except UnicodeEncodeError:
        return "A command must be valid text."
    return "The command and its input are too long for the guest." if size > LONGEST else ""


def _refused(lost: str) -> ResultStatus:
    return ResultStatus.FAILED if lost else ResultStatus.REFUSED


def _status(code: int | None) -> ResultStatus:
    if code is None:
        return ResultStatus.MISSING
    if code == 0:
        return ResultStatus.OK
    return ResultStatus.SIGNALED if 128 < code <= 192 else ResultStatus.FAILED
