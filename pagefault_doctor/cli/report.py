"""`pfdoctor report`: the report of a session."""

from __future__ import annotations

import argparse
from pathlib import Path

from pagefault_doctor.cli.stderr import Progress, print_message
from pagefault_doctor.cli.stdout import print_document
from pagefault_doctor.model.event import Event, SessionStarted
from pagefault_doctor.playbook.shelf import playbook
from pagefault_doctor.report import html, markdown, text
from pagefault_doctor.report.document import encode
from pagefault_doctor.report.outline import session_outline
from pagefault_doctor.report.session_document import session_document
from pagefault_doctor.session.event_log import parse_events, read_events, read_session
from pagefault_doctor.session.redact.redaction import Redaction
from pagefault_doctor.session.store import checked_sessions_folder, find
from pagefault_doctor.session.view import Fold, View
from pagefault_doctor.tools import TOOLS

_RENDERERS = {"text": text.render, "md": markdown.render, "html": html.render}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare options and arguments."""
    parser.add_argument(
        "session",
        nargs="?",
        metavar="SESSION",
        help="a session, the beginning of its id, or a session file; none: the newest",
    )
    parser.add_argument(
        "--format", choices=[*_RENDERERS, "json"], default="text", help="default: %(default)s"
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
    redact = args.redact or bool(args.redact_word)
    view, redacted = _view(args.session, redact, args.redact_word)
    if args.format == "json":
        print_document(encode(session_document(view, redacted), indent=2) + "\n")
    else:
        print_document(_RENDERERS[args.format](session_outline(view, redacted)))
    return 0


def _view(session: str | None, redact: bool, words: list[str]) -> tuple[View, str]:
    """Return the session, and what was taken out of it."""
    events = _events(session)
    first = events[0]
    assert isinstance(first, SessionStarted)
    summary = ""
    if redact:
        redaction = Redaction()
        with Progress(f"of session {first.id}") as progress, progress.waiting("taking names out"):
            events = tuple(redaction.events(events, words))
        summary = redaction.summary
        print_message(summary)
    return Fold(TOOLS).replay(events, playbook(first.playbook)), summary


def _events(session: str | None) -> tuple[Event, ...]:
    if session and session.endswith(".jsonl"):
        return read_events(Path(session))  # A file from anywhere: it is only shown.
    path = find(checked_sessions_folder(), session)
    return parse_events(read_session(path), str(path))
