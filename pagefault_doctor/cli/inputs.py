"""Read the files named on the command line."""

from __future__ import annotations

import argparse
import errno
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from pagefault_doctor import klog
from pagefault_doctor.cli.options import FILE_OPTIONS
from pagefault_doctor.cli.stderr import Progress, print_message
from pagefault_doctor.cli.unpack_programs import UnpackPrograms
from pagefault_doctor.klog.input.unpack import EMPTY, NO_TEXT
from pagefault_doctor.model.errors import MissingError, PfDoctorError, UsageError
from pagefault_doctor.model.log import KernelLog
from pagefault_doctor.model.report import Report
from pagefault_doctor.model.untrusted import clean_line

if TYPE_CHECKING:
    from pagefault_doctor.hosts.host import Host

STDIN = "-"
"""The path that means standard input."""
_DUMP_REMEDY = "for a crash dump use --vmcore FILE"

_FILE_ERRORS = {
    errno.ENOENT: (MissingError, "there is no file {}", "check the name"),
    errno.EACCES: (MissingError, "{} may not be read by you", "try it with sudo"),
    errno.EPERM: (MissingError, "{} may not be read by you", "try it with sudo"),
    errno.EISDIR: (UsageError, "{} is a directory", "name the log files in it"),
}


def read_logs(path: str, module_dir: str | None = None) -> tuple[KernelLog, ...]:
    """Return the logs in the file, or on standard input for `-`; an archive may have several.

    What was wrong with each is printed. A log without a report of its own is left out; if no log
    has one, the longest is returned. With a folder of modules, the reports get their source line
    from debug information. Raises MissingError if the file is missing or not readable, UsageError
    if it is no log.
    """
    name = "standard input" if path == STDIN else path
    with Progress(name) as progress:
        programs = UnpackPrograms(progress)
        try:
            if path == STDIN:
                logs = list(klog.logs_in_stream(sys.stdin.buffer, path, progress, programs))
            else:
                logs = list(klog.logs_in_file(Path(path), progress, programs))
        except OSError as error:
            raise file_error(path, error) from error
    if not any(log.lines for log in logs):
        _reject(name, logs, programs)
    _reject_unread(name, logs)
    if len(logs) == 1:
        print_note(logs[0])
    distinct = tuple(_without_repeats(logs)) if len(logs) > 1 else tuple(logs)
    return (
        tuple(_with_source(log, Path(module_dir)) for log in distinct) if module_dir else distinct
    )


def print_note(log: KernelLog) -> None:
    """Print what was wrong with a log that has lines."""
    if log.note and log.lines:
        print_message(f"{log.source}: {log.note}")


def _reject(name: str, logs: list[KernelLog], programs: UnpackPrograms) -> None:
    """Raise the error for an input that is no log, unless it is empty."""
    note = "; ".join(dict.fromkeys(log.note for log in logs if log.note))
    _reject_unread(name, logs)
    if programs.missing:
        raise MissingError(f"{name}: {programs.missing.problem}", programs.missing.remedy)
    if note not in ("", EMPTY):
        raise UsageError(f"{name}: {note}", _DUMP_REMEDY if NO_TEXT in note else "")


def _reject_unread(name: str, logs: list[KernelLog]) -> None:
    """Raise an error where a part could not be read and the rest has no report: it may be there."""
    unread = next((log.unread for log in logs if log.unread), None)
    if unread and not any(log.reports for log in logs):
        raise PfDoctorError(f"{name}: {unread}", "what was read until then shows no fault")


def _without_repeats(logs: list[KernelLog]) -> Iterator[KernelLog]:
    """Yield the logs that have new reports; print a message about the others."""
    from pagefault_doctor.tools.logs.log_delta import new_reports

    earlier: list[KernelLog] = []
    for log in logs:
        if log.note:
            print_message(f"{log.source}: {log.note}")
        remaining = new_reports(log, earlier)
        if repeated := len(log.reports) - len(remaining.reports):
            count = "1 report" if repeated == 1 else f"{repeated} reports"
            print_message(f"{log.source}: {count} told of before, in the logs above")
        earlier.append(log)
        if remaining.reports:
            yield remaining
    if not any(log.reports for log in logs):
        yield max(logs, key=lambda log: log.lines)


def _with_source(log: KernelLog, module_dir: Path) -> KernelLog:
    return msgspec.structs.replace(log, reports=reports_with_source(log.reports, module_dir))


def reports_with_source(reports: tuple[Report, ...], module_dir: Path) -> tuple[Report, ...]:
    """Return the reports with their source lines from the debug information of modules."""
    from pagefault_doctor.diagnosis.source_lookup import with_source

    with Progress(str(module_dir)) as progress:
        programs = UnpackPrograms(progress)
        return tuple(with_source(report, module_dir, programs) for report in reports)


def file_error(path: str, error: OSError) -> PfDoctorError:
    """Return the error for a file that cannot be read, with its remedy."""
    kind, problem, remedy = _FILE_ERRORS.get(
        error.errno or 0, (PfDoctorError, f"{{}}: {error.strerror or error}", "")
    )
    return kind(problem.format(path), remedy)


def chosen_logs(args: argparse.Namespace, host: Host) -> tuple[KernelLog, ...]:
    """Return the logs of `--log`, from the host if it is another machine; empty without the option.

    Raises what `read_logs` and `read_remote_log` raise.
    """
    if args.log is None:
        return ()
    if args.host and args.log != STDIN:
        return (read_remote_log(args.log, host),)
    return read_logs(args.log, args.module_dir)


def read_remote_log(path: str, host: Host) -> KernelLog:
    """Return the log in a file of another machine. Only the parts with reports are transferred.

    Raises MissingError if it is missing or not readable, UsageError for a relative path.
    """
    from pagefault_doctor.tools.logs.log_search import log_of, search

    command = search(_absolute(path, "a log"), "given-log", "search the log you named")
    result = host.run(command)
    if not result.said_anything:
        message = result.errors.strip().rpartition("\n")[2] or result.status.value
        raise MissingError(f"{host.name}: {message}", "check the name, and who may read it")
    log = log_of(result)
    return msgspec.structs.replace(log, source=clean_line(f"{host.name}:{path}"))


def _absolute(path: str, what: str) -> str:
    if not path.startswith("/"):
        raise UsageError(f"{what} on another machine needs its whole path: {path}")
    return path


def check_storable(option: str, text: str) -> None:
    """Raise UsageError for an argument that is no UTF-8, which no session file can hold."""
    if not text.isascii() and text != text.encode("utf-8", "replace").decode():
        raise UsageError(
            f"{option}: {text} is not valid UTF-8", "give it another name, or link to it"
        )


def _given_trigger(args: argparse.Namespace) -> dict[str, str]:
    lines = "\n".join(getattr(args, "trigger", ()))
    if not lines:
        return {}
    from pagefault_doctor.tools.reproduce.trigger import parse_trigger

    check_storable("--trigger", lines)
    if parse_trigger(lines) is None:
        raise UsageError("--trigger cannot be read", "close every quote")
    return {"trigger": lines}


def given_files(args: argparse.Namespace) -> dict[str, str]:
    """Return the given files and folders as absolute paths, by the names of their facts `given.*`.

    A trigger is among them. Raises MissingError for a path that does not exist, UsageError for what
    no session can hold. Whether a path of another machine exists is not checked.
    """
    if getattr(args, "log_of", None) and not (getattr(args, "log", None) or args.vmcore):
        raise UsageError(
            "--log-of tells whose a log or a dump is, and none is given",
            "give it: --log FILE or --vmcore FILE",
        )
    given = _given_trigger(args)
    for option, _, _ in FILE_OPTIONS:
        name = option.lstrip("-").replace("-", "_")
        path = getattr(args, name, None)
        if path is None:
            continue
        check_storable(option, path)
        if args.host:
            given[name] = _absolute(path, option)
            continue
        if not Path(path).exists():
            raise MissingError(f"{option}: there is no {path}", "check the name")
        given[name] = str(Path(path).absolute())
    return given
