"""Run a command that asks the person something, such as sudo for a password, and keep its output.

It asks on its terminal, /dev/tty, which is ours and which the wizard must have released. The
command's output comes through pipes. On another machine there is only the terminal, so each line of
output starts with a random mark; everything else is for the person.
"""

from __future__ import annotations

import contextlib
import os
import re
import selectors
import signal
import subprocess
import termios
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Final

import msgspec

from pagefault_doctor.hosts.capture import Capture
from pagefault_doctor.hosts.program import (
    StartProblem,
    environment,
    locate,
    not_started,
    refused,
    shell_status,
)
from pagefault_doctor.hosts.runner import keys_are_the_childs, stdin_file
from pagefault_doctor.hosts.script import script
from pagefault_doctor.model import untrusted
from pagefault_doctor.model.command import Command, Result, ResultStatus

PATIENCE: Final = 300.0
"""Seconds a question may wait for its answer, as in sudo itself (passwd_timeout, sudoers(5))."""

_PIECE: Final = 1 << 16


def new_mark() -> str:
    """Return a word that no output can contain, by accident or on purpose: 128 random bits."""
    # As secrets.token_hex does, which would import OpenSSL and delay the first screen by 2 %.
    return f"pfdoctor{os.urandom(16).hex()}"


def run_asking(command: Command, started: Command | None = None, mark: str = "") -> Result:
    """Run a command on our terminal, which must be free, and return its output.

    `started` is the command that is started in its place, if any; `mark` separates its output from
    questions. Ctrl-C reaches only the command while it runs.
    """
    actual = started or command
    env = environment(actual.env, {name: os.environ[name] for name in _KEPT if name in os.environ})
    program = locate(actual, env)
    if isinstance(program, StartProblem):
        return not_started(command, program)
    began = time.monotonic()
    output, errors = Capture(command.output_limit), Capture(command.output_limit)
    sorter = _Sorter(mark, output.feed, errors.feed, _show) if mark else None
    with _terminal_as_it_was(), keys_are_the_childs():
        try:
            process = subprocess.Popen(
                actual.words,
                executable=program,
                cwd=actual.cwd,
                env=env,
                # With a mark the input is an argument of the script; stdin is the terminal's.
                stdin=None if mark or not command.stdin else stdin_file(command.stdin),
                stdout=subprocess.PIPE,
                stderr=None if mark else subprocess.PIPE,
            )
        except OSError as error:
            return not_started(command, refused(program, error.errno))
        feed = sorter.feed if sorter else output.feed
        status = _follow(process, feed, errors, (output, errors), command.timeout + PATIENCE)
    if sorter:
        sorter.end()
    code = sorter.code if sorter and sorter.code is not None else process.returncode
    return Result(
        command=command,
        status=status or shell_status(code),
        exit_code=128 - code if code < 0 else code,
        output=output.text(),
        errors=errors.text(),
        seconds=time.monotonic() - began,
    )


_KEPT: Final = ("TERM", "SSH_AUTH_SOCK", "SSH_AGENT_PID", "KRB5CCNAME")


class _Sorter:
    """Splits the bytes of one terminal: marked lines are the command's, the rest for the person."""

    def __init__(
        self,
        mark: str,
        output: Callable[[bytes], None],
        errors: Callable[[bytes], None],
        show: Callable[[bytes], None],
    ) -> None:
        self.code: int | None = None
        self._mark = mark.encode()
        self._sinks = {b"o": output, b"e": errors}
        self._show = show
        self._held = b""

    def feed(self, data: bytes) -> None:
        """Take the next piece; a marked line is used once it is whole, or the next mark begins."""
        self._held += data
        while (place := self._held.find(self._mark)) >= 0:
            self._pass_on(self._held[:place])
            self._held = self._held[place:]
            behind = len(self._mark)
            ends = [self._held.find(b"\n", behind) + 1, self._held.find(self._mark, behind)]
            end = min((end for end in ends if end > 0), default=0)
            if not end:
                self._pass_on_long_line()
                return
            self._sort(self._held[behind:end])
            self._held = self._held[end:]
        # A mark may be split between two reads.
        keep = _tail_of(self._held, self._mark)
        self._pass_on(self._held[: len(self._held) - keep])
        self._held = self._held[len(self._held) - keep :]

    def end(self) -> None:
        """Use what is left, although it has no newline."""
        if self._held.startswith(self._mark):
            self._sort(self._held[len(self._mark) :])
        else:
            self._pass_on(self._held)
        self._held = b""

    def _pass_on_long_line(self) -> None:
        """Pass on the beginning of an unfinished line, so that only a piece is kept in memory."""
        behind = len(self._mark) + 2
        safe = len(self._held) - len(self._mark) - 1
        if safe - behind > _PIECE:
            self._sort(self._held[len(self._mark) : safe])
            self._held = self._held[:behind] + self._held[safe:]

    def _sort(self, line: bytes) -> None:
        kind, text = line[1:2], line[2:].replace(b"\r\n", b"\n")
        if sink := self._sinks.get(kind):
            sink(text)
        elif kind == b"x" and (number := re.match(rb"\d{1,3}", text)):
            self.code = int(number[0])

    def _pass_on(self, data: bytes) -> None:
        if data:
            self._show(data)


def _tail_of(data: bytes, mark: bytes) -> int:
    """Return how many bytes at the end may be the beginning of a mark."""
    longest = min(len(mark) - 1, len(data))
    return next((n for n in range(longest, 0, -1) if data.endswith(mark[:n])), 0)


def _show(data: bytes) -> None:
    """Print a question of another machine for the person, made harmless."""
    text = untrusted.decode(data.replace(b"\r", b""))
    with contextlib.suppress(OSError):
        os.write(2, text.replace("\n", "\r\n").encode("utf-8", "replace"))


def _follow(
    process: subprocess.Popen[bytes],
    feed: Callable[[bytes], None],
    errors: Capture,
    kept: tuple[Capture, ...],
    patience: float,
) -> ResultStatus | None:
    """Read until both streams end; return the reason if the command had to be ended."""
    until = time.monotonic() + patience
    with selectors.PollSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ, feed)  # type: ignore[arg-type]
        if process.stderr:
            selector.register(process.stderr, selectors.EVENT_READ, errors.feed)
        while selector.get_map():
            ready = selector.select(max(until - time.monotonic(), 0))
            for key, _ in ready:
                data = os.read(key.fd, _PIECE)
                if data:
                    key.data(data)
                else:
                    selector.unregister(key.fileobj)
            if not ready or any(capture.overflowed for capture in kept):
                _end(process)
                return ResultStatus.OVERFLOW if ready else ResultStatus.TIMEOUT
    process.wait()
    return None


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the process. We may not signal one of another user (root): closed pipes end it."""
    for stream in (process.stdout, process.stderr):
        if stream:
            stream.close()
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(OSError):
            process.send_signal(number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(2)
            return


@contextlib.contextmanager
def _terminal_as_it_was() -> Iterator[None]:
    """Restore the terminal's settings: a killed sudo leaves echo off."""
    try:
        before = termios.tcgetattr(0)
    except termios.error:
        yield
        return
    try:
        yield
    finally:
        with contextlib.suppress(termios.error):
            termios.tcsetattr(0, termios.TCSADRAIN, before)


def as_marked(command: Command, mark: str, env: Mapping[str, str]) -> Command:
    """Return the command within the script that marks its output, with this added environment."""
    text = script("hosts/mark_output.sh")
    argv = ("sh", "-c", text, "pfdoctor", mark, command.stdin, *command.words)
    added = dict(env) | command.env
    return msgspec.structs.replace(
        command, argv=argv, as_root=False, asks=False, stdin="", env=added
    )
