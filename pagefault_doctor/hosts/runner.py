"""Start commands on this machine; the only importer of sh.

sh forks, creates the session, executes and reaps. The pipes are ours, so no thread calls us back:
one loop (`watch.py`) decides about deadlines, output limits and cancelling.
"""

from __future__ import annotations

import contextlib
import errno
import gc
import os
import re
import signal
import subprocess
import threading
import time
import traceback
from collections.abc import Iterator, Mapping
from typing import IO, TYPE_CHECKING, Any, Final

from pagefault_doctor.hosts import marked, process_group
from pagefault_doctor.hosts.guard import Guard, guarded
from pagefault_doctor.hosts.host import OnOutput
from pagefault_doctor.hosts.process_group import end_all
from pagefault_doctor.hosts.program import StartProblem, environment, locate, not_started, refused
from pagefault_doctor.hosts.watch import Watch
from pagefault_doctor.model.command import Command, Result, ResultStatus

if TYPE_CHECKING:
    from sh import RunningCommand

__all__ = ["end_all", "keys_are_the_childs", "run", "run_interactive", "stdin_file"]

_ANY_CODE: Final = tuple(range(-64, 256))
"""Every signal and exit code, so that sh raises for none of them."""

_ERRNO: Final = re.compile(r"\[Errno (\d+)\]")

_STREAMS: Final = ("stdin", "stdout", "stderr")

_STUCK: Final = (
    "It did not end when it was killed: it is stuck in the kernel, or runs as another user.\n"
)


def run(
    command: Command,
    on_output: OnOutput | None = None,
    cancel: threading.Event | None = None,
    *,
    env: Mapping[str, str] | None = None,
    hold_stdin: bool = False,
    leaves: bool = False,
) -> Result:
    """Run a command to its end and return its result; never raises for what the command does.

    It runs in a session of its own, without a terminal, with the environment of
    `program.environment` plus `env` and its own. When this returns, its processes are gone, also
    those that left its group (`marked` explains the exceptions), unless the command `leaves` a
    process behind on purpose and ended by itself. A mark in `command.env` is used for it.
    With `hold_stdin`, its standard input stays open and empty until the command or pfdoctor ends.
    `on_output` is called from this thread at most four times a second, with whole lines of both
    streams; only the very last line may be unfinished.
    """
    began = time.monotonic()
    mark = command.env.get(marked.VARIABLE) or marked.new_mark()
    this = process_group.ProcessGroup(mark)
    # Registered before the fork, so that a signal handler never misses a command.
    process_group.running.add(this)
    try:
        its_env = environment(env or {}, command.env, {marked.VARIABLE: mark})
        program = locate(command, its_env)
        if isinstance(program, StartProblem):
            return not_started(command, program)
        own_stdin = _stdin(command, hold_stdin)
        if isinstance(own_stdin, StartProblem):
            return not_started(command, own_stdin)
        with own_stdin as stdin, guarded(mark) as guard:
            started = _start(program, command, its_env, stdin, guard)
            if isinstance(started, StartProblem):
                return not_started(command, started)
            process, output, errors = started
            this.group = process.pid
            with output, errors:
                pipes = (output.fileno(), errors.fileno())
                watch = Watch(process, this, command, pipes, on_output, cancel, leaves)
                verdict = watch.follow()
    finally:
        process_group.running.discard(this)
    code = None if process.is_alive() else _exit_code(process)
    return Result(
        command=command,
        status=verdict or _status(code),
        exit_code=128 - code if code is not None and code < 0 else code,
        output=watch.output.text(),
        errors=watch.errors.text() + (_STUCK if watch.stuck else ""),
        seconds=time.monotonic() - began,
    )


def run_interactive(command: Command) -> Result:
    """Run a command on our own terminal, which must be free, and wait for it.

    It has no deadline and gets our whole environment, because an editor needs TERM and its
    settings; its PATH is that of `run`. Nothing is captured. Ctrl-C reaches only the command.
    """
    env = dict(os.environ) | {"PATH": environment()["PATH"]} | command.env
    program = locate(command, env)
    if isinstance(program, StartProblem):
        return not_started(command, program)
    began = time.monotonic()
    try:
        with keys_are_the_childs():
            code = subprocess.run(
                command.words, executable=program, cwd=command.cwd, env=env, check=False
            ).returncode
    except OSError as error:
        return not_started(command, refused(program, error.errno))
    return Result(
        command=command,
        status=_status(code),
        exit_code=128 - code if code < 0 else code,
        seconds=time.monotonic() - began,
    )


def _start(
    program: str, command: Command, env: dict[str, str], stdin: IO[bytes], guard: Guard
) -> tuple[RunningCommand, IO[bytes], IO[bytes]] | StartProblem:
    """Start a command, and return it with the read ends of its output and errors."""
    import sh  # Here, because a replay and a plain diagnosis start nothing.

    with contextlib.ExitStack() as on_failure, contextlib.ExitStack() as childs:
        try:
            childs.enter_context(stdin)
            output, to_output = (on_failure.enter_context(f) for f in _pipe())
            errors, to_errors = (on_failure.enter_context(f) for f in _pipe())
            with _collecting_garbage():
                process = sh.Command(program)(
                    *command.words[1:],
                    _in=stdin,
                    _out=childs.enter_context(to_output),
                    _err=childs.enter_context(to_errors),
                    _env=env,
                    _cwd=command.cwd,
                    _close_fds=_can_list_descriptors(),
                    _bg=True,
                    _bg_exc=False,
                    _new_session=True,
                    _tty_out=False,
                    _return_cmd=True,
                    _ok_code=_ANY_CODE,
                    _preexec_fn=guard.watch_self,
                )
        except sh.ForkException as error:
            _bury(error)
            return _exec_failure(program, str(error))
        except OSError as error:
            _bury(error)
            return refused(program, error.errno)
        except sh.CommandNotFound:  # It has changed since it was located.
            return refused(program, errno.EACCES)
        except RuntimeError as error:  # sh watches each command in threads.
            _abandon(error)
            return refused(f"{program}: it was ended at once, without a thread", errno.EAGAIN)
        except BaseException as error:
            _abandon(error)
            raise
        on_failure.pop_all()
    return process, output, errors


def _can_list_descriptors() -> bool:
    """Return whether sh can list the descriptors to close. Without /proc it would start nothing.

    Python's own descriptors are not inherited anyway (PEP 446).
    """
    return os.path.isdir("/dev/fd") or os.path.isdir("/proc/self/fd")


def _pipe() -> tuple[IO[bytes], IO[bytes]]:
    reader, writer = os.pipe()
    return os.fdopen(reader, "rb", 0), os.fdopen(writer, "wb", 0)


def stdin_file(text: str) -> IO[bytes]:
    """Return a file to read from. A pipe needs a thread, which a child that never reads blocks."""
    if not text:
        return open(os.devnull, "rb", 0)
    memory = os.fdopen(os.memfd_create("stdin"), "w+b", 0)
    memory.write(text.encode("utf-8", "replace"))
    memory.seek(0)
    return memory


def _stdin(
    command: Command, hold: bool
) -> contextlib.AbstractContextManager[IO[bytes]] | StartProblem:
    if hold:
        return _held()
    try:
        return contextlib.nullcontext(stdin_file(command.stdin))
    except OSError as error:
        return refused("its standard input", error.errno)


@contextlib.contextmanager
def _held() -> Iterator[IO[bytes]]:
    """Yield a file that stays empty and ends with this context."""
    reader, writer = _pipe()
    with writer:
        yield reader


@contextlib.contextmanager
def _collecting_garbage() -> Iterator[None]:
    """Enable garbage collection again: sh disables it for the fork, also for good if that fails."""
    enabled = gc.isenabled()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _unfinished(error: BaseException) -> dict[str, Any]:
    """Return the local variables of the frame in sh that was starting a process.

    sh has no interface to clean up after a failed start, so its half-made process is found there.
    """
    frames = (frame for frame, _ in traceback.walk_tb(error.__traceback__))
    return next((f.f_locals for f in frames if "session_pipe_read" in f.f_locals), {})


def _bury(error: Exception) -> None:
    """Reap the child and close the pipes that sh leaves open when it cannot start a program.

    Where there is no child, fork(2) itself failed, as on a machine without free memory.
    """
    left = _unfinished(error)
    process = left.get("self")
    pipes = [left.get("session_pipe_read"), left.get("session_pipe_write")]
    if pid := getattr(process, "pid", None):
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, 0)
    else:
        pipes += [left.get("exc_pipe_read"), left.get("exc_pipe_write")]
        pipes += [getattr(process, f"_{name}_child_fd", None) for name in _STREAMS]
    for pipe in pipes:
        if pipe is not None:
            os.close(pipe)


def _abandon(error: BaseException) -> None:
    """End the child whose start was interrupted, as by a signal handler: nothing else knows it."""
    if pid := getattr(_unfinished(error).get("self"), "pid", None):
        process_group.send(pid, signal.SIGKILL)
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)  # It may not have created its group yet.
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, 0)


def _exec_failure(program: str, story: str) -> StartProblem:
    """Return the problem of execve(2) or chdir(2), from the traceback of the child."""
    match = _ERRNO.search(story)
    number = int(match[1]) if match else None
    if number == errno.ENOENT:
        reason = "its interpreter or its folder is missing"
        return StartProblem(ResultStatus.REFUSED, f"{program}: {reason}")
    return refused(program, number)


def _exit_code(process: RunningCommand) -> int | None:
    """Return the exit code, negative for a signal; None if other code reaped the child first."""
    try:
        return process.exit_code
    except OSError:
        return None


def _status(code: int | None) -> ResultStatus:
    if code == 0:
        return ResultStatus.OK
    return ResultStatus.SIGNALED if code is not None and code < 0 else ResultStatus.FAILED


@contextlib.contextmanager
def keys_are_the_childs() -> Iterator[None]:
    """Let Ctrl-C and Ctrl-\\ end only the child. A handler, unlike SIG_IGN, is not inherited.

    A signal that was ignored when we started, as in the background of a script, stays ignored.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGQUIT)}
    changed = {n: handler for n, handler in before.items() if handler not in (signal.SIG_IGN, None)}
    for number in changed:
        signal.signal(number, lambda *_: None)
    try:
        yield
    finally:
        for number, handler in changed.items():
            signal.signal(number, handler)
