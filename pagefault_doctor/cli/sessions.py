"""`pfdoctor sessions`: list the saved sessions."""

from __future__ import annotations

import argparse
import time

from pagefault_doctor.cli.stderr import print_message
from pagefault_doctor.model.untrusted import clean_line
from pagefault_doctor.session.store import sessions_folder, summaries


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare options and arguments."""
    parser.add_argument("--json", action="store_true", help="as JSON")


def run(args: argparse.Namespace) -> int:
    """Print a line for each session, newest first."""
    folder = sessions_folder()
    sessions = summaries(folder)
    if args.json:
        import msgspec

        print(msgspec.json.format(msgspec.json.encode(sessions), indent=2).decode())
        return 0
    if not sessions:
        print_message(f"no session is kept in {folder} yet")
    for s in sessions:
        started = time.strftime("%Y-%m-%d %H:%M", time.localtime(s.started))
        state = s.problem or s.ended or "not ended"
        print(f"{clean_line(s.id)}  {started}  {s.host}  {s.playbook}  {s.step or '-'}  {state}")
    return 0
