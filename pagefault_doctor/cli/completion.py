"""`pfdoctor completion`: a completion script for the shell."""

from __future__ import annotations

import argparse

from pagefault_doctor.cli.stdout import print_document
from pagefault_doctor.model.errors import UsageError

SHELLS = ("bash", "zsh", "fish")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare options and arguments."""
    parser.epilog = "Example:\n  pfdoctor completion bash > /etc/bash_completion.d/pfdoctor"
    parser.add_argument("shell", choices=SHELLS, help="the shell to print a script for")


def run(args: argparse.Namespace) -> int:
    """Print the script."""
    import shtab

    if args.shell not in shtab.SUPPORTED_SHELLS:
        raise UsageError(
            f"the installed shtab cannot write for {args.shell}",
            f"it can for {', '.join(shtab.SUPPORTED_SHELLS)}",
        )
    print_document(shtab.complete(whole_parser(), shell=args.shell) + "\n")
    return 0


def whole_parser() -> argparse.ArgumentParser:
    """Return one parser with every subcommand, which shtab needs."""
    from pagefault_doctor.cli import wizard
    from pagefault_doctor.cli.main import SUBCOMMANDS, subcommand_parser

    parser = argparse.ArgumentParser(prog="pfdoctor")
    parser.add_argument("--version", action="store_true", help="print the version")
    wizard.add_arguments(parser)
    branches = parser.add_subparsers()
    for name, text in SUBCOMMANDS.items():
        whole, _ = subcommand_parser(name)
        branches.add_parser(name, help=text, parents=[whole], add_help=False)
    return parser
