"""`pfdoctor explain`: a root cause, its signs, its fix, and the proof of the fix."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from pagefault_doctor.cli.stdout import print_document, print_line
from pagefault_doctor.model.errors import UsageError
from pagefault_doctor.model.playbook import Cause
from pagefault_doctor.playbook.shelf import causes
from pagefault_doctor.report.block import Block, Heading, Items, Paragraph, Verbatim
from pagefault_doctor.report.text import render


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare options and arguments."""
    parser.add_argument(
        "cause",
        nargs="?",
        metavar="CAUSE",
        help="a root cause, such as null-deref; none: list them",
    )


def run(args: argparse.Namespace) -> int:
    """Print the explanation, or the list of causes."""
    known = causes()
    if args.cause is None:
        width = max(map(len, known))
        for cause in known.values():
            print_line(f"{cause.id:{width}}  {cause.title}")
        return 0
    if args.cause not in known:
        raise UsageError(f"{args.cause} is no root cause", f"there are {', '.join(known)}")
    print_document(render(_blocks(known[args.cause])))
    return 0


def _blocks(cause: Cause) -> Iterator[Block]:
    yield Heading(f"{cause.id}: {cause.title}", 1)
    yield Paragraph(cause.what)
    yield Heading("How it shows")
    yield Items(cause.shows)
    yield Heading("What to change")
    yield Paragraph(cause.remedy.change)
    for name, code in (("before", cause.remedy.before), ("after", cause.remedy.after)):
        if code:
            yield Heading(name, 3)
            yield Verbatim(code.rstrip("\n"))
    if cause.remedy.api:
        yield Paragraph(f"Use: {cause.remedy.api}")
    yield Heading("How the fix is proven")
    yield Paragraph(cause.prove)
