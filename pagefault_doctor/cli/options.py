"""Options that several subcommands share."""

from __future__ import annotations

import argparse
from typing import Final

from pagefault_doctor.model.given_input import INPUTS, LOG_OF
from pagefault_doctor.playbook.choice import DEFAULT_PLAYBOOK

FILE_OPTIONS: Final = tuple(
    (each.option, each.kind.value, each.what) for each in INPUTS if each.is_path
)
"""Options for a file or folder that the tools use; each becomes a fact `given.NAME`."""


def add_host_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options that choose another machine."""
    group = parser.add_argument_group("another machine")
    group.add_argument(
        "--host",
        metavar="[USER@]HOST",
        help="run the commands there, over ssh; files are then files of that machine",
    )
    group.add_argument(
        "--ssh-config", metavar="FILE", help="a configuration for ssh other than your own"
    )


def add_walk_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options for the start and the limits of a walk."""
    start = parser.add_argument_group("where to start from")
    start.add_argument("--log", metavar="FILE", help="a log as pfdoctor diagnose takes it")
    start.add_argument(
        "--log-of",
        choices=LOG_OF,
        help="whose the log or dump is, where pfdoctor cannot tell; with another machine's no "
        "command about this one is run",
    )
    for option, metavar, text in FILE_OPTIONS:
        start.add_argument(option, metavar=metavar, help=text)
    start.add_argument(
        "--trigger",
        action="append",
        default=[],
        metavar="'COMMAND'",
        help="what makes the module fault once it is loaded; may be given more than once",
    )
    start.add_argument(
        "--playbook",
        metavar="ID",
        help=f"default: what the log says that it is a case for, else {DEFAULT_PLAYBOOK}",
    )
    add_host_arguments(parser)
    parser.add_argument(
        "--read-only",
        action="store_true",
        help="refuse every command that could load, change or crash the machine",
    )


def add_plain_argument(parser: argparse.ArgumentParser) -> None:
    """Declare the option that walks without a screen."""
    parser.add_argument(
        "--plain",
        action="store_true",
        help="line by line: for a screen reader, a serial line, a dumb terminal, a pipe",
    )


def add_screen_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options for the wizard's screen."""
    screen = parser.add_argument_group("the screen")
    screen.add_argument("--ascii", action="store_true", help="draw with ASCII only")
    screen.add_argument(
        "--theme", metavar="NAME", help="such as ansi-dark, ansi-light, textual-dark"
    )
    screen.add_argument("--slow-link", action="store_true", help="send as little as possible")
    screen.add_argument("--no-mouse", action="store_true", help="leave the mouse to the terminal")
