"""`pfdoctor report`: the report of a session, or of a fault for a tracker."""

from __future__ import annotations

import argparse
from pathlib import Path

from pagefault_doctor import __version__
from pagefault_doctor.cli.inputs import STDIN, read_logs
from pagefault_doctor.cli.stderr import Progress, print_message
from pagefault_doctor.cli.stdout import print_document
from pagefault_doctor.model.errors import MissingError, UsageError
from pagefault_doctor.model.event import Event, LogRead, SessionStarted
from pagefault_doctor.playbook.shelf import playbook
from pagefault_doctor.report import html, markdown, text
from pagefault_doctor.report.document import encode
from pagefault_doctor.report.outline import session_outline
from pagefault_doctor.report.session_document import session_document
from pagefault_doctor.session.chosen_playbook import playbook_of
from pagefault_doctor.session.event_log import parse_events, read_events, read_session
from pagefault_doctor.session.redact.redaction import Redaction
from pagefault_doctor.session.store import checked_sessions_folder, find
from pagefault_doctor.session.view import Fold, View
from pagefault_doctor.tools import TOOLS

_RENDERERS = {"text": text.render, "md": markdown.render, "html": html.render}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare options and arguments."""
    parser.epilog = (
        "Examples:\n  pfdoctor report                            the newest session\n"
        "  pfdoctor report --format md --redact       for a ticket, without names\n"
        "  pfdoctor report --for-tracker              for who takes reports about the code\n"
        "  pfdoctor report --for-tracker kern.log     from a log, without a session\n"
        "  dmesg | pfdoctor report --for-tracker --redact - >report.md\n"
        "A report for a tracker is Markdown: titles to search for first, the mailing list or\n"
        "tracker, versions, the kernel's own text, what pfdoctor concludes and what speaks\n"
        "against it, and what is missing. Nothing is sent."
    )
    parser.add_argument(
        "session",
        nargs="?",
        metavar="SESSION",
        help="a session, the beginning of its id, or a session file; none: the newest; with"
        " --for-tracker also a log, or - for standard input",
    )
    parser.add_argument(
        "--format", choices=[*_RENDERERS, "json"], help="default: text; for a tracker md"
    )
    parser.add_argument(
        "--for-tracker",
        action="store_true",
        help="a report of the fault to send to a mailing list or tracker, as Markdown",
    )
    parser.add_argument(
        "--redact",
        action="store_true",
        help="take out names, addresses, serial numbers, ids and secrets, and say so",
    )
    parser.add_argument(
        "--redact-word",
        metavar="WORD",
        action="append",
        default=[],
        help="take out this word too; may be repeated",
    )


def run(args: argparse.Namespace) -> int:
    """Print the report."""
    if args.for_tracker and args.format not in (None, "md"):
        raise UsageError("--for-tracker writes Markdown", f"leave --format {args.format} out")
    redact = args.redact or bool(args.redact_word)
    events = _events_or_log(args.session) if args.for_tracker else _events(args.session)
    view, redacted = _view(events, redact, args.redact_word)
    if args.for_tracker:
        print_document(_for_tracker(view, redacted))
    elif args.format == "json":
        print_document(encode(session_document(view, redacted), indent=2) + "\n")
    else:
        print_document(_RENDERERS[args.format or "text"](session_outline(view, redacted)))
    return 0


def _for_tracker(view: View, redacted: str) -> str:
    """Return the report for a tracker; raises MissingError where there is no fault."""
    from pagefault_doctor.report.tracker import tracker_outline

    if view.case.main_report is None:
        remedy = "pfdoctor diagnose says what was looked at"
        raise MissingError("there is no fault to report", remedy)
    return markdown.render(tracker_outline(view, redacted))


def _view(events: tuple[Event, ...], redact: bool, words: list[str]) -> tuple[View, str]:
    """Return the session, and what was taken out of it."""
    first = events[0]
    assert isinstance(first, SessionStarted)
    summary = ""
    if redact:
        redaction = Redaction()
        with Progress(f"of session {first.id}") as progress, progress.waiting("taking names out"):
            events = tuple(redaction.events(events, words))
        summary = redaction.summary
        print_message(summary)
    return Fold(TOOLS, bundled_only=redact).replay(events, playbook(first.playbook)), summary


def _events_or_log(name: str | None) -> tuple[Event, ...]:
    """Return the events of a session, or those of one that only read the log of that name."""
    is_log = name is not None and not name.endswith(".jsonl") and Path(name).is_file()
    if name is None or not (is_log or name == STDIN):
        if name and not name.endswith(".jsonl") and ("/" in name or "." in name):
            raise MissingError(f"there is no {name}", "name a log, a session, or neither")
        return _events(name)
    logs = read_logs(name)
    started = SessionStarted(id="log", version=__version__, playbook=playbook_of(logs), host="")
    return (started, *(LogRead(log=log) for log in logs))


def _events(session: str | None) -> tuple[Event, ...]:
    if session and session.endswith(".jsonl"):
        return read_events(Path(session))  # A file from anywhere: it is only shown.
    path = find(checked_sessions_folder(), session)
    return parse_events(read_session(path), str(path))
