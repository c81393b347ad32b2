"""`pfdoctor diagnose`: read logs and print the causes of their faults."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from pagefault_doctor.cli.inputs import (
    STDIN,
    given_files,
    print_note,
    read_logs,
    read_remote_log,
    reports_with_source,
)
from pagefault_doctor.cli.options import add_host_arguments
from pagefault_doctor.cli.stderr import print_message
from pagefault_doctor.cli.stdout import print_document
from pagefault_doctor.diagnosis import diagnose
from pagefault_doctor.diagnosis.explanation import with_explanations
from pagefault_doctor.model.diagnosis import Opinion
from pagefault_doctor.model.errors import ExitCode, MissingError, PfDoctorError, UsageError
from pagefault_doctor.model.log import KernelLog
from pagefault_doctor.model.report import Report
from pagefault_doctor.model.untrusted import clean_line
from pagefault_doctor.session.known import with_known

if TYPE_CHECKING:
    from pagefault_doctor.session.walk import Walk

Reader = Callable[[str], tuple[KernelLog, ...]]
"""Reads the logs at a path."""


class DiagnosedLog(msgspec.Struct, frozen=True):
    """One log with its reports and its diagnosis."""

    source: str
    reports: tuple[Report, ...]
    opinion: Opinion
    unread: bool = False


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare options and arguments."""
    parser.epilog = (
        "Examples:\n  pfdoctor diagnose /var/log/kern.log\n  dmesg | pfdoctor diagnose -\n"
        "  pfdoctor diagnose sosreport.tar.xz         each log in it that holds a fault\n"
        "  pfdoctor diagnose /var/log/journal/ID      a folder of journals, read with journalctl\n"
        "  pfdoctor diagnose --json oops.txt | jq .verdict\n"
        "  pfdoctor diagnose --module-dir ~/src/faulty oops.txt    names file and line"
    )
    parser.add_argument(
        "paths",
        nargs="*",
        metavar="PATH",
        help="a log (also packed, a journal, or an archive such as an sos report), a folder of"
        " journals, or - for standard input; none: this box",
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="one JSON document")
    form.add_argument(
        "--jsonl", action="store_true", help="a JSON document a line, one for each input"
    )
    form.add_argument(
        "--all", action="store_true", help="each report of a log in full, not one screen"
    )
    form.add_argument("--markdown", action="store_true", help="Markdown, for a ticket")
    parser.add_argument("--vmcore", metavar="FILE", help="start from a crash dump")
    parser.add_argument(
        "--vmlinux", metavar="FILE", help="the kernel with debug symbols that the dump is of"
    )
    parser.add_argument(
        "--module-dir", metavar="DIR", help="where the suspect's .ko with debug information lies"
    )
    add_host_arguments(parser)
    parser.add_argument(
        "--exit-code", action="store_true", help="exit with 10 when a fault was found"
    )


def run(args: argparse.Namespace) -> int:
    """Print a diagnosis of each input and return the exit code."""
    _check_options(args)
    if args.vmcore:
        return _print_diagnosis(args, _diagnose_dump(args))
    if not args.paths:
        return _print_diagnosis(args, _diagnose_machine(args))
    read = _reader(args)
    if len(args.paths) == 1:
        return max(_print_diagnosis(args, x) for x in _diagnose_logs(args, args.paths[0], read))
    return _diagnose_each(args, read)


def _reader(args: argparse.Namespace) -> Reader:
    """Return the function that reads logs: of this machine, or of the machine of `--host`."""
    if not args.host or args.paths == [STDIN]:
        return partial(read_logs, module_dir=args.module_dir)
    from pagefault_doctor.cli.open_session import host_of

    host = host_of(args)

    def read(path: str) -> tuple[KernelLog, ...]:
        log = read_remote_log(path, host)
        print_note(log)
        return (log,)

    return read


def _diagnose_each(args: argparse.Namespace, read: Reader) -> int:
    """Diagnose several logs; one that cannot be read is skipped with a message."""
    worst = ExitCode.DONE
    for path in args.paths:
        try:
            worst = max(
                worst, *(_print_diagnosis(args, x) for x in _diagnose_logs(args, path, read))
            )
        except PfDoctorError as error:
            print_message(str(error))
            worst = max(worst, error.exit_code)
    return worst


def _check_options(args: argparse.Namespace) -> None:
    if args.json and len(args.paths) > 1:
        raise UsageError("--json takes one input", "use --jsonl for several")
    if args.paths and args.vmcore:
        raise UsageError("a log and --vmcore cannot be given together", "name one of them")
    if args.vmlinux and not args.vmcore:
        raise UsageError("--vmlinux goes with --vmcore FILE")
    if args.module_dir and not args.host and not Path(args.module_dir).is_dir():
        raise MissingError(f"--module-dir: there is no folder {args.module_dir}", "check the name")


def _diagnose_logs(args: argparse.Namespace, path: str, read: Reader) -> list[DiagnosedLog]:
    """Return the diagnosis of each log in the file; for --json, one diagnosis of all of them."""
    logs = read(path)
    if args.json and len(logs) > 1:
        print_message(
            f"{path} holds {len(logs)} logs with reports; --jsonl tells which lines are of which"
        )
        reports = tuple(report for log in logs for report in log.reports)
        return [DiagnosedLog(clean_line(path), reports, _opinion(logs), _is_unread(logs))]
    return [_diagnosed(path, log) for log in logs]


def _opinion(logs: tuple[KernelLog, ...]) -> Opinion:
    return with_known(with_explanations(diagnose(logs, {}), logs, {}), logs)


def _diagnosed(path: str, log: KernelLog) -> DiagnosedLog:
    path = clean_line(path)
    source = log.source if log.source.startswith(f"{path}:") else path
    return DiagnosedLog(source, log.reports, _opinion((log,)), _is_unread((log,)))


def _is_unread(logs: tuple[KernelLog, ...]) -> bool:
    return any(log.unread for log in logs)


def _walk_step(args: argparse.Namespace, step: str, given: dict[str, str]) -> Walk:
    """Return a walk through one step, which is not kept as a session."""
    from pagefault_doctor.cli.open_session import host_of, start_walk
    from pagefault_doctor.cli.unattended import walk_steps

    walk = start_walk(host_of(args), given=given, saved=False)
    walk_steps(walk, (step,))
    return walk


def _diagnose_machine(args: argparse.Namespace) -> DiagnosedLog:
    walk = _walk_step(args, "check-logs", {})
    return DiagnosedLog(walk.host.name, walk.view.case.reports, walk.view.explained)


def _diagnose_dump(args: argparse.Namespace) -> DiagnosedLog:
    walk = _walk_step(args, "analyse-crash-dump", given_files(args))
    _print_dump_problems(walk)
    if not walk.view.case.reports:
        tools = [tool for tool in walk.view.finished_tools if tool.reason]
        unread = "; ".join(
            f"{t.tool}: {t.reason}" + f" ({t.remedy})" * bool(t.remedy) for t in tools
        )
        raise MissingError(f"no kernel log could be read from {args.vmcore}", unread)
    reports = walk.view.case.reports
    if args.module_dir:
        reports = reports_with_source(reports, Path(args.module_dir))
    return DiagnosedLog(args.vmcore, reports, walk.view.explained)


def _print_dump_problems(walk: Walk) -> None:
    """Print what is wrong with the dump or the vmlinux, one line each."""
    from pagefault_doctor.tools.dump import dump_file

    for command in walk.view.commands:
        if command.result and dump_file.is_header_result(command.result):
            for problem in command.findings:
                print_message(problem.text)


def _print_diagnosis(args: argparse.Namespace, diagnosed: DiagnosedLog) -> ExitCode:
    """Print the diagnosis and return its exit code."""
    print_document(_render(args, diagnosed))
    for problem in diagnosed.opinion.known_problems:
        print_message(problem)
    if diagnosed.unread:
        return ExitCode.FAILED
    found = diagnosed.opinion.counts_as_fault
    return ExitCode.FAULT_FOUND if args.exit_code and found else ExitCode.DONE


def _render(args: argparse.Namespace, diagnosed: DiagnosedLog) -> str:
    source, reports, opinion = diagnosed.source, diagnosed.reports, diagnosed.opinion
    if args.json or args.jsonl:
        from pagefault_doctor.report.document import diagnosis_document, encode

        document = diagnosis_document(source, reports, opinion)
        return encode(document, indent=2 if args.json else 0) + "\n"
    import shutil

    from pagefault_doctor.report.diagnosis import diagnosis_outline, diagnosis_text

    if args.markdown:
        from pagefault_doctor.playbook.shelf import causes
        from pagefault_doctor.report.markdown import render

        return render(diagnosis_outline(source, reports, opinion, causes()))
    width = shutil.get_terminal_size((100, 24)).columns
    return diagnosis_text(source, reports, opinion, min(width, 120), whole=args.all)
