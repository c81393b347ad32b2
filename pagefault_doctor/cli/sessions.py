"""`pfdoctor sessions`: list the saved sessions."""

from __future__ import annotations

import argparse

from pagefault_doctor.cli.stderr import print_message
from pagefault_doctor.cli.stdout import print_document, print_line
from pagefault_doctor.report.document import encode
from pagefault_doctor.report.local_time import local_time
from pagefault_doctor.session.store import checked_sessions_folder, summaries


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare options and arguments."""
    parser.add_argument("--json", action="store_true", help="as JSON")


def run(args: argparse.Namespace) -> int:
    """Print a line for each session, newest first."""
    folder = checked_sessions_folder()
    sessions = summaries(folder)
    if args.json:
        print_document(encode(sessions, indent=2) + "\n")
        return 0
    if not sessions:
        print_message(f"no session is kept in {folder} yet")
    for s in sessions:
        started = local_time(s.started, "%Y-%m-%d %H:%M")
        state = s.problem or s.ended or "not ended"
        print_line(f"{s.id}  {started}  {s.host}  {s.playbook}  {s.step or '-'}  {state}")
    return 0
