"""The bare `pfdoctor`: the wizard, or a plain diagnosis where there is no terminal for it."""

from __future__ import annotations

import argparse

from pagefault_doctor.cli.options import GIVEN, add_face_arguments, add_walk_arguments
from pagefault_doctor.cli.talk import say, why_no_terminal
from pagefault_doctor.model.errors import MissingError, UsageError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare options and arguments."""
    add_walk_arguments(parser)
    lab = parser.add_argument_group("in the lab, a throw-away virtual machine")
    lab.add_argument(
        "--lab",
        nargs="?",
        const="",
        metavar="SCENARIO",
        help="walk there, with a bundled case, or with the module of --source-dir",
    )
    lab.add_argument(
        "--trigger",
        action="append",
        default=[],
        metavar="'COMMAND'",
        help="what makes the module fault once it is in; may be given more than once",
    )
    lab.add_argument(
        "--kernel-arg",
        action="append",
        default=[],
        metavar="ARG",
        help="for the guest's kernel, such as slub_debug=FZPU",
    )
    lab.add_argument("--arch", help="build the module of --source-dir for that architecture")
    add_face_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Show the wizard and return the exit code."""
    obstacle = why_no_terminal()
    if args.log == "-" and obstacle:
        raise UsageError(
            "the wizard needs standard input for keys, so the log cannot come from there",
            "use pfdoctor diagnose - or --log FILE",
        )
    if args.lab is not None:
        return _in_lab(args, obstacle)
    if args.trigger or args.kernel_arg or args.arch:
        raise UsageError("--trigger, --kernel-arg and --arch go with --lab")
    if obstacle:
        return _without_terminal(args, obstacle)
    from pagefault_doctor.cli.face import show
    from pagefault_doctor.cli.inputs import chosen_logs, given_files
    from pagefault_doctor.cli.open_session import begin, host_of

    host = host_of(args)
    walk = begin(
        host,
        args.playbook,
        given=given_files(args),
        logs=chosen_logs(args, host),
        read_only=args.read_only,
    )
    if walk.view.step is None:
        walk.enter(walk.view.playbook.steps[0].id)
    return show(walk, args)


def _in_lab(args: argparse.Namespace, obstacle: str | None) -> int:
    from pagefault_doctor.cli.face import show
    from pagefault_doctor.cli.lab_commands.host import lab_case
    from pagefault_doctor.cli.open_session import begin_in_lab

    case = lab_case(args)
    if obstacle:
        raise MissingError(
            f"a walk in the lab needs a terminal: {obstacle}", "without one: pfdoctor lab run"
        )
    with begin_in_lab(case, args.playbook, read_only=args.read_only) as walk:
        walk.enter(walk.view.playbook.steps[0].id)
        return show(walk, args)


def _without_terminal(args: argparse.Namespace, obstacle: str) -> int:
    from pagefault_doctor.cli.main import subcommand_parser

    say(f"{obstacle}, so here is the plain diagnosis instead of the wizard")
    parser, subcommand = subcommand_parser("run")
    words = ["--quiet", "--playbook", args.playbook]
    for option in ("--log", "--host", "--ssh-config", *(option for option, _, _ in GIVEN)):
        if value := getattr(args, option.lstrip("-").replace("-", "_")):
            words += [option, value]
    return subcommand.run(parser.parse_args([*words, *(["--read-only"] * args.read_only)]))
