"""Options that several subcommands share."""

from __future__ import annotations

import argparse
from typing import Final

DEFAULT_PLAYBOOK: Final = "kernel-page-fault"

GIVEN: Final = (
    ("--vmcore", "FILE", "a crash dump to analyse"),
    ("--vmlinux", "FILE", "the kernel with debug symbols that the dump is of"),
    ("--module-dir", "DIR", "where the suspect's .ko with debug information lies"),
    ("--source-dir", "DIR", "where the suspect's source lies"),
    ("--fixed-module", "FILE", "the .ko whose fix is to be proven"),
    ("--program", "FILE", "the program that died, for a fault in user space"),
    ("--core", "FILE", "the core that program left"),
)
"""Options that name a file or folder for the tools, which each becomes a fact `given.NAME`."""


def add_host_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare which machine is meant."""
    there = parser.add_argument_group("another machine")
    there.add_argument(
        "--host",
        metavar="[USER@]HOST",
        help="run the commands there, over ssh; files are then files of that machine",
    )
    there.add_argument(
        "--ssh-config", metavar="FILE", help="a configuration for ssh other than your own"
    )


def add_walk_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare where a walk starts from and how far it may go."""
    start = parser.add_argument_group("where to start from")
    start.add_argument("--log", metavar="FILE", help="a log as pfdoctor diagnose takes it")
    for option, metavar, told in GIVEN:
        start.add_argument(option, metavar=metavar, help=told)
    start.add_argument(
        "--playbook", metavar="ID", default=DEFAULT_PLAYBOOK, help="default: %(default)s"
    )
    add_host_arguments(parser)
    parser.add_argument(
        "--read-only",
        action="store_true",
        help="refuse every command that could load, change or crash the machine",
    )


def add_face_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what shapes the wizard's screen."""
    face = parser.add_argument_group("the screen")
    face.add_argument("--ascii", action="store_true", help="draw with ASCII only")
    face.add_argument("--theme", metavar="NAME", help="such as ansi-dark, ansi-light, textual-dark")
    face.add_argument("--slow-link", action="store_true", help="send as little as possible")
    face.add_argument("--no-mouse", action="store_true", help="leave the mouse to the terminal")
