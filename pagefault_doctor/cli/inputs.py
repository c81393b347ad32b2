"""The files named on the command line."""

from __future__ import annotations

import argparse
import errno
import sys
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from pagefault_doctor import klog
from pagefault_doctor.cli.options import GIVEN
from pagefault_doctor.hosts.host import Host
from pagefault_doctor.model.errors import MissingError, PfDoctorError, UsageError
from pagefault_doctor.model.log import KernelLog

STDIN = "-"
_PATIENCE = 2.0
"""Seconds after which a search shows how far it is."""


_TELL = {
    errno.ENOENT: (MissingError, "there is no file {}", "check the name"),
    errno.EACCES: (MissingError, "{} may not be read by you", "try it with sudo"),
    errno.EPERM: (MissingError, "{} may not be read by you", "try it with sudo"),
    errno.EISDIR: (UsageError, "{} is a directory", "name the log files in it"),
}


def read_log(path: str, module_dir: str | None = None) -> KernelLog:
    """Return the log in the file, or on standard input for `-`.

    With a folder of modules, the reports name the source line where debug information tells it.
    Raises MissingError where it is not there or not permitted, UsageError where it is no log.
    """
    try:
        if path == STDIN:
            log = klog.read_stream(sys.stdin.buffer, "standard input", _progress())
        else:
            log = klog.read_file(Path(path), _progress())
    except OSError as error:
        raise _told(path, error) from error
    if log.note and log.size and not log.lines:
        raise UsageError(f"{path}: {log.note}", "for a crash dump use --vmcore FILE")
    return _located(log, Path(module_dir)) if module_dir else log


def _located(log: KernelLog, module_dir: Path) -> KernelLog:
    from pagefault_doctor.symbols import locate

    reports = tuple(locate(report, module_dir) for report in log.reports)
    return msgspec.structs.replace(log, reports=reports)


def _progress() -> Callable[[int, int], None] | None:
    """Return what shows on a terminal how far a long search is, or None without a terminal."""
    if not sys.stderr.isatty():
        return None
    begin = shown = time.monotonic()

    def show(done: int, of: int) -> None:
        nonlocal shown
        now = time.monotonic()
        if now - begin > _PATIENCE and (now - shown > 0.5 or done == of):
            shown = now
            end = "\r\x1b[K" if done == of else ""
            sys.stderr.write(f"\rpfdoctor: {100 * done // max(of, 1)} % read, Ctrl-C stops{end}")
            sys.stderr.flush()

    return show


def _told(path: str, error: OSError) -> PfDoctorError:
    kind, problem, remedy = _TELL.get(
        error.errno or 0, (PfDoctorError, f"{{}}: {error.strerror or error}", "")
    )
    return kind(problem.format(path), remedy)


def chosen_log(args: argparse.Namespace, host: Host) -> KernelLog | None:
    """Return the log of `--log`, on the host where it is another machine, None where none is named.

    Raises what `read_log` and `read_log_there` raise.
    """
    if args.log is None:
        return None
    if args.host and args.log != STDIN:
        return read_log_there(args.log, host)
    return read_log(args.log, args.module_dir)


def read_log_there(path: str, host: Host) -> KernelLog:
    """Return the log in a file of another machine. Only what matters of it is brought over.

    Raises MissingError where it is not there or not permitted, UsageError for a relative path.
    """
    from pagefault_doctor.tools.log_search import log_of, search

    command = search(_absolute(path, "a log"), "given-log", "search the log you named")
    result = host.run(command)
    if not result.said_anything:
        said = result.errors.strip().rpartition("\n")[2] or result.status.value
        raise MissingError(f"{host.name}: {said}", "check the name, and who may read it")
    log = log_of(result)
    return msgspec.structs.replace(log, source=f"{host.name}:{path}")


def _absolute(path: str, what: str) -> str:
    if not path.startswith("/"):
        raise UsageError(f"{what} on another machine needs its whole path: {path}")
    return path


def given_files(args: argparse.Namespace) -> dict[str, str]:
    """Return what the person named, by the names the facts `given.*` have, as absolute paths.

    Raises MissingError for a path that is not there. Of another machine nothing is checked.
    """
    given = {}
    for option, _, _ in GIVEN:
        name = option.lstrip("-").replace("-", "_")
        path = getattr(args, name, None)
        if path is None:
            continue
        if args.host:
            given[name] = _absolute(path, option)
            continue
        if not Path(path).exists():
            raise MissingError(f"{option}: there is no {path}", "check the name")
        given[name] = str(Path(path).absolute())
    return given
