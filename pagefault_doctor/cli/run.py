"""`pfdoctor run`: walk the playbook without a terminal UI."""

from __future__ import annotations

import argparse
import sys

from pagefault_doctor.cli.open_session import begin_asked
from pagefault_doctor.cli.options import add_walk_arguments
from pagefault_doctor.cli.stderr import print_message
from pagefault_doctor.cli.stdout import print_document, print_line
from pagefault_doctor.cli.unattended import Report, walk_playbook
from pagefault_doctor.model.diagnosis import RootCause
from pagefault_doctor.model.errors import ExitCode
from pagefault_doctor.model.untrusted import clean_line
from pagefault_doctor.session.chosen_playbook import chosen_by_log
from pagefault_doctor.session.walk import Walk


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare options and arguments."""
    parser.epilog = (
        "Runs only commands that observe, and with --yes those that load or change the machine;\n"
        "what may crash it is listed and not run. The session is kept: pfdoctor resume goes on\n"
        "with it."
    )
    add_walk_arguments(parser)
    parser.add_argument(
        "--yes",
        action="store_true",
        help="consent to commands that load or change the machine; never to one that may crash it",
    )
    parser.add_argument("--json", action="store_true", help="the whole session as JSON")
    parser.add_argument("--quiet", action="store_true", help="no progress on standard error")
    parser.add_argument(
        "--exit-code", action="store_true", help="exit with 10 when a fault was found"
    )


def run(args: argparse.Namespace) -> int:
    """Walk the playbook, print the verdict and return the exit code."""
    walk = begin_asked(args)
    report: Report = (lambda text: None) if args.quiet else _print_progress
    if says := chosen_by_log(walk.view):
        report(says)
    walk_playbook(walk, report, args.yes)
    walk.end("finished")
    print_session(walk, as_json=args.json)
    if walk.unsaved:
        print_message(walk.unsaved)
    found = walk.view.explained.counts_as_fault
    return ExitCode.FAULT_FOUND if args.exit_code and found else ExitCode.DONE


def print_session(walk: Walk, *, as_json: bool) -> None:
    """Print the diagnosis of a walk, or its whole session as JSON, on standard output."""
    view = walk.view
    if as_json:
        from pagefault_doctor.report.document import encode
        from pagefault_doctor.report.session_document import session_document

        print_document(encode(session_document(view), indent=2) + "\n")
        return
    from pagefault_doctor.report.diagnosis import diagnosis_text

    source = view.case.get("given.log", "") or view.started.host
    print_document(diagnosis_text(source, view.case.reports, view.explained))
    if view.opinion.verdict.root_cause is RootCause.NONE:
        print_line("To see pfdoctor at work on a real case: pfdoctor train")
    if walk.is_kept:
        print_line()
        print_line(f"The whole report: pfdoctor report {view.started.id}")


def _print_progress(text: str) -> None:
    print(clean_line(text), file=sys.stderr, flush=True)
