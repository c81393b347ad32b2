"""A guest as a host: commands run in a virtual machine that may crash."""

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
from typing import Final

import msgspec

from pagefault_doctor.hosts.capture import Capture
from pagefault_doctor.hosts.host import Closing, Host, OnOutput
from pagefault_doctor.hosts.program import shell_status
from pagefault_doctor.hosts.script import script
from pagefault_doctor.lab.vm import VirtualMachine
from pagefault_doctor.model import untrusted
from pagefault_doctor.model.command import Command, Result, ResultStatus
from pagefault_doctor.model.errors import PfDoctorError

MAX_REQUEST_BYTES: Final = 48 << 10
"""Size limit of a request: the guest's tty layer drops input beyond 64 kB."""

MOST_BOOTS: Final = 4
"""Boots at most: a processor of QEMU can lose its timer on a busy machine, and idles for ever."""

BOOT_CONSOLE_LINES: Final = 40
"""Console lines in the error message when the guest does not boot."""

CRASH_CONSOLE_LINES: Final = 400
"""Console lines in the error output when the guest dies: enough for a whole report."""

CHUNK_CHARS: Final = 32 << 10
"""Base64 characters of a file in one request; a multiple of 4, so that each decodes alone."""

KILL_TIMEOUT: Final = 5.0
"""Seconds for a guest to answer after its command was killed."""

POLL_INTERVAL: Final = 0.1
"""Seconds between checks for an answer, a cancellation and the guest's end."""

END_TIMEOUT: Final = 1.0
"""Seconds to wait for QEMU's reason when the connection to the guest ends."""

GONE: Final = "The guest has gone, and QEMU did not say why."
HANGS: Final = "The guest hangs: it did not answer when its command was killed."
PAUSED: Final = "The guest is paused: QEMU or a debugger has stopped it."

_NAME: Final = re.compile(r"[A-Za-z_]\w*", re.ASCII)


class _Answer(msgspec.Struct, frozen=True):
    """The agent's answer: exit status or `missing`, and both streams up to the limit."""

    status: str
    output: bytes
    errors: bytes


class _OutputStream:
    """The output of a running command; passed on to `on_output` in whole lines."""

    def __init__(self, on_output: OnOutput | None) -> None:
        self._on_output = on_output
        self._emitted = {"out": 0, "err": 0}
        self._partial = {"out": b"", "err": b""}

    def add(self, stream: str = "", text: str = "") -> None:
        """Take a message of the agent with new output of a stream."""
        try:
            data = base64.b64decode(text, validate=True)
        except binascii.Error:
            return  # The agent was killed while writing; the answer has all output.
        if stream in self._emitted:
            whole, newline, self._partial[stream] = (self._partial[stream] + data).rpartition(b"\n")
            self._emit(stream, whole + newline)

    def finish(self, answer: _Answer | None) -> None:
        """Emit the output that was not emitted yet: the answer has all of it."""
        streams = {"out": answer.output, "err": answer.errors} if answer else self._partial
        for stream, data in streams.items():
            self._emit(stream, data[self._emitted[stream] :] if answer else data)

    def _emit(self, stream: str, data: bytes) -> None:
        self._emitted[stream] += len(data)
        if data and self._on_output:
            self._on_output(untrusted.decode(data))


class GuestHost(Closing, Host):
    """A running guest of the lab. `name` is its host name."""

    live = True
    name = "lab"

    def __init__(
        self,
        machine: VirtualMachine,
        boot_timeout: float = 60,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> None:
        """Start the machine and wait for its agent, which a machine with a saved state has already.

        A boot that is not done within `boot_timeout` seconds, or that QEMU does not live to see, is
        begun again, up to `MOST_BOOTS` in all. Raises PfDoctorError if the agent does not answer
        then either, if the guest's kernel panics, or if `cancelled` returns True.
        """
        self.machine = machine
        self._buffer = b""
        self._number = 0
        self._end_reason = ""
        self._stream_output = _OutputStream(None)
        machine.start()
        if machine.has_state or self._boots(boot_timeout, cancelled):
            return
        why = self._why_not(cancelled)
        raise PfDoctorError(
            f"the guest did not boot. {why or f'It was not ready in {boot_timeout:.0f} s.'}",
            self._console_tail(BOOT_CONSOLE_LINES),
        )

    def run(
        self,
        command: Command,
        on_output: OnOutput | None = None,
        cancel: threading.Event | None = None,
    ) -> Result:
        """Run a command in the guest and return its result, even if the guest dies.

        A guest that panics or hangs gives `failed` or `timeout`, with the end of its console as the
        errors. `on_output` gets the new output about once a second.
        """
        began = time.monotonic()
        if refusal := self._end_reason or _invalid(command):
            status = ResultStatus.FAILED if self._end_reason else ResultStatus.REFUSED
            return Result(command=command, status=status, errors=refusal)
        self._number += 1
        self._send(_request(self._number, command))
        self._stream_output = _OutputStream(on_output)
        answer, verdict = self._wait_for_answer(began + command.timeout, cancel)
        result = self._result(command, answer, verdict)
        self._stream_output.finish(answer)
        return msgspec.structs.replace(result, seconds=time.monotonic() - began)

    def put(self, path: str, data: bytes) -> None:
        """Write a file in the guest. Raises PfDoctorError if that fails."""
        packed = base64.b64encode(gzip.compress(data)).decode()
        pieces = [packed[n : n + CHUNK_CHARS] for n in range(0, len(packed), CHUNK_CHARS)]
        text = script("lab/put_file.sh")
        for number, piece in enumerate(pieces, 1):
            argv = ("sh", "-c", text, "sh", path, "last" if number == len(pieces) else "")
            result = self.run(Command(argv=argv, tool="lab", stdin=piece))
            if not result.ok:
                raise PfDoctorError(f"{path} could not be written in the guest", result.errors)

    def close(self) -> None:
        """Shut down the machine."""
        self.machine.close()

    def _wait_for_answer(
        self, until: float, cancel: threading.Event | None
    ) -> tuple[_Answer | None, ResultStatus | None]:
        """Return the agent's answer, if any, and why the command was killed, if it was."""
        verdict: ResultStatus | None = None
        while not self._end_reason:
            if answer := self._answer(time.monotonic() + POLL_INTERVAL):
                return answer, verdict
            timed_out = time.monotonic() > until
            if verdict and timed_out:
                self._end_reason = PAUSED if self.machine.paused() else HANGS
            elif timed_out or (not verdict and cancel and cancel.is_set()):
                verdict = ResultStatus.TIMEOUT if timed_out else ResultStatus.CANCELLED
                until = time.monotonic() + KILL_TIMEOUT
                self._send(b"kill\n")
            elif why := self.machine.end():
                self._end_reason = why
        return None, verdict

    def _answer(self, until: float) -> _Answer | None:
        """Return the answer to the latest request, or None if none begins before `until`."""
        head = self._line(until).split(" ")
        if head[:2] == ["said", str(self._number)]:
            self._stream_output.add(*head[2:4])
        if head[:2] != ["done", str(self._number)]:
            return None
        deadline = time.monotonic() + 60
        return _Answer(" ".join(head[2:]), self._stream(deadline), self._stream(deadline))

    def _stream(self, until: float) -> bytes:
        lines = []
        while (line := self._line_or_end(until)) not in (".", ""):
            lines.append(line)
        try:
            return base64.b64decode("".join(lines))
        except binascii.Error:
            return b""

    def _line_or_end(self, until: float) -> str:
        """Return the agent's next line, or an empty string: the guest may die while it answers."""
        while time.monotonic() < until:
            line = self._line(time.monotonic() + POLL_INTERVAL)
            if line or self._end_reason or self.machine.end():
                return line
        return ""

    def _line(self, until: float) -> str:
        """Return the agent's next line, or an empty string if none comes in time."""
        while b"\n" not in self._buffer:
            wait = max(until - time.monotonic(), 0)
            if not select.select((self.machine.agent,), (), (), wait)[0]:
                return ""
            chunk = self.machine.agent.recv(65536)
            if not chunk:
                self._end_reason = self.machine.end(END_TIMEOUT) or GONE
                return ""
            self._buffer += chunk
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line.decode("ascii", "replace").strip()

    def _send(self, data: bytes) -> None:
        try:
            self.machine.agent.sendall(data)
        except OSError:
            self._end_reason = self.machine.end(END_TIMEOUT) or GONE

    def _boots(self, timeout: float, cancelled: Callable[[], bool]) -> bool:
        """Return whether one of `MOST_BOOTS` boots comes to its end."""
        for more in reversed(range(MOST_BOOTS)):
            if self._is_ready(timeout, cancelled):
                return True
            if not more or cancelled() or self.machine.panicked():
                return False
            self._buffer, self._end_reason = b"", ""
            self.machine.restart()
        return False

    def _is_ready(self, timeout: float, cancelled: Callable[[], bool]) -> bool:
        """Return whether the agent says within `timeout` seconds that it is ready."""
        until = time.monotonic() + timeout
        while self._line(time.monotonic() + POLL_INTERVAL) != "ready":
            if time.monotonic() > until or self._why_not(cancelled):
                return False
        return True

    def _why_not(self, cancelled: Callable[[], bool]) -> str:
        """Return why the guest will never be ready; empty if it may yet be."""
        if cancelled():
            return "It was cancelled."
        return self._end_reason or self.machine.end()

    def _result(
        self, command: Command, answer: _Answer | None, verdict: ResultStatus | None
    ) -> Result:
        if answer is None:
            status = verdict or ResultStatus.FAILED
            errors = f"{self._end_reason}\n{self._console_tail(CRASH_CONSOLE_LINES)}"
            return Result(command=command, status=status, errors=errors)
        kept = Capture(command.output_limit), Capture(command.output_limit)
        texts = kept[0].whole(answer.output), kept[1].whole(answer.errors)
        code = int(answer.status) if answer.status.isdecimal() else None
        status = ResultStatus.MISSING if code is None else shell_status(code)
        if any(stream.overflowed for stream in kept):
            status = ResultStatus.OVERFLOW
        return Result(
            command=command,
            status=verdict or status,
            exit_code=code,
            output=texts[0],
            errors=texts[1],
        )

    def _console_tail(self, lines: int) -> str:
        return "\n".join(self.machine.console().splitlines()[-lines:])


def _request(number: int, command: Command) -> bytes:
    """Return the request line for a command: base64 of a shell script with all words quoted.

    It asks for one byte more than the limit, which shows whether there was more output.
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
    parts = (_base64(script), _base64(command.stdin))
    return f"run {number} {command.output_limit + 1} {' '.join(parts)}\n".encode()


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _invalid(command: Command) -> str:
    """Return why a command cannot be sent to the agent; empty if it can."""
    words = (*command.argv, command.cwd, *command.env.values(), command.stdin)
    if not command.argv or not command.argv[0] or any("\0" in word for word in words):
        return "A command needs a program and no NUL character."
    if not all(map(_NAME.fullmatch, command.env)):
        return "The name of an environment variable is not valid."
    try:
        size = len(_request(0, command))
    except UnicodeEncodeError:
        return "A command must be valid text."
    return (
        "The command and its input are too long for the guest." if size > MAX_REQUEST_BYTES else ""
    )
