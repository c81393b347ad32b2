"""`pfdoctor playbook`: list, show and check playbooks, and print their schema."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from pagefault_doctor.cli.stderr import print_message
from pagefault_doctor.cli.stdout import print_document, print_line
from pagefault_doctor.model.errors import ExitCode, MissingError, UsageError
from pagefault_doctor.model.playbook import Playbook, Suggestion
from pagefault_doctor.playbook import situation_checks
from pagefault_doctor.playbook.loader import check, read
from pagefault_doctor.playbook.schema import json_schema
from pagefault_doctor.playbook.shelf import playbook, playbook_ids, step_ids
from pagefault_doctor.report.block import Block, Heading, Items, Paragraph
from pagefault_doctor.report.text import render

_NEEDS_NAME = {"show": "an id", "check": "a file"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare options and arguments."""
    parser.add_argument("action", choices=("list", "show", "check", "schema"), help="what to do")
    parser.add_argument(
        "names", nargs="*", metavar="ID|FILE", help="a playbook to show, or files to check"
    )


def run(args: argparse.Namespace) -> int:
    """Run the action and return the exit code."""
    if args.action in _NEEDS_NAME and not args.names:
        raise UsageError(f"playbook {args.action} needs {_NEEDS_NAME[args.action]}")
    match args.action:
        case "list":
            for name in playbook_ids():
                print_line(f"{name:24}{playbook(name).title}")
        case "show":
            for name in args.names:
                print_document(render(_blocks(playbook(name))))
        case "schema":
            import json

            print_document(json.dumps(json_schema(), indent=2) + "\n")
        case _:
            return max(_check(name) for name in args.names)
    return ExitCode.DONE


def _check(name: str) -> ExitCode:
    from pagefault_doctor.session.derived_facts import known_facts
    from pagefault_doctor.tools import TOOLS

    try:
        text = read(Path(name))
    except OSError as error:
        raise MissingError(f"{name}: {error.strerror}", "check the name") from error
    facts = known_facts(TOOLS.values())
    if situation_checks.is_table(text):
        problems = situation_checks.check(text, name, _known_names(), facts)
    else:
        problems = check(text, name, frozenset(TOOLS), facts, step_ids())
    for problem in problems:
        print_line(f"{name}:{problem.line}:{problem.column}: {problem.message}")
    if not problems:
        print_message(f"{name} has no mistake")
    return ExitCode.USAGE if problems else ExitCode.DONE


def _known_names() -> frozenset[str]:
    """Return the names that the sentence of a next step may hold."""
    from pagefault_doctor.diagnosis.named_circumstances import NAMED
    from pagefault_doctor.klog.details import known_details

    return NAMED | known_details()


def _blocks(shown: Playbook) -> Iterator[Block]:
    yield Heading(f"{shown.id}: {shown.title}", 1)
    yield Paragraph(shown.summary)
    for number, step in enumerate(shown.steps, 1):
        yield Heading(f"{number}. {step.title} ({step.id})")
        yield Paragraph(step.why)
        if step.tools:
            yield Paragraph(f"Tools: {', '.join(step.tools)}")
        yield Items(tuple(f"to {_destination(s)}: {s.because}" for s in step.suggest))


def _destination(suggestion: Suggestion) -> str:
    return suggestion.go + (f" of {suggestion.playbook}" if suggestion.playbook else "")
