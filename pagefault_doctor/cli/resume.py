"""`pfdoctor resume`: continue a session after a lost connection, a kill or a reboot."""

from __future__ import annotations

import argparse

from pagefault_doctor.cli.open_session import resumed_walk
from pagefault_doctor.cli.options import add_plain_argument, add_screen_arguments
from pagefault_doctor.cli.stderr import print_message, terminal_obstacle
from pagefault_doctor.model.command import Command
from pagefault_doctor.model.errors import MissingError
from pagefault_doctor.playbook.shelf import scenario
from pagefault_doctor.session.walk import Walk

BOOT_ID = "/proc/sys/kernel/random/boot_id"
"""Different for each boot (drivers/char/random.c)."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare options and arguments."""
    parser.add_argument(
        "session",
        nargs="?",
        metavar="ID",
        help="a session or the beginning of its id; none: the newest",
    )
    parser.add_argument(
        "--trust",
        action="store_true",
        help="do what the session names without a question, also where it may be another's",
    )
    add_screen_arguments(parser)
    add_plain_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Show the wizard where the session stopped, and return the exit code."""
    obstacle = None if args.plain else terminal_obstacle()
    if obstacle:
        raise MissingError(
            f"resume needs a terminal: {obstacle}",
            "resume --plain, or to read it: pfdoctor report ID",
        )
    from pagefault_doctor.cli.wizard import show

    with resumed_walk(args.session, trusted=args.trust) as walk:
        interrupted = next((c for c in walk.view.commands if c.interrupted), None)
        if interrupted:
            print_message(f"command {interrupted.number} was cut short: {interrupted.command.text}")
        if walk.view.started.lab:
            _restore_lab(walk)
        if has_rebooted(walk):
            print_message(
                "the machine was booted anew since; step 1 reads the log of the boot before: 1, g"
            )
        scenario_id = walk.view.started.scenario
        return show(walk, args, scenario(scenario_id) if scenario_id else None)


def _restore_lab(walk: Walk) -> None:
    from pagefault_doctor.cli.lab_commands.restore import restore_machine
    from pagefault_doctor.lab.host import LabHost

    if isinstance(walk.host, LabHost):
        for line in restore_machine(walk, walk.host):
            print_message(line)
            if walk.view.step:
                walk.note(line)  # The wizard's screen will cover the message.


def has_rebooted(walk: Walk) -> bool:
    """Return whether the machine has rebooted since the session last saw it."""
    known = walk.view.case.get("host.boot_id", "")
    if not known or not walk.host.live or walk.view.started.lab:
        return False
    now = walk.host.run(Command(argv=("cat", BOOT_ID), tool="resume", timeout=15))
    return now.ok and now.output.strip() != known
