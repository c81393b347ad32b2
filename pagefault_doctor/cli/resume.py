"""`pfdoctor resume`: go on after a drop, a kill or a reboot."""

from __future__ import annotations

import argparse

from pagefault_doctor.cli.open_session import take_up
from pagefault_doctor.cli.options import add_face_arguments
from pagefault_doctor.cli.stderr import say, why_no_terminal
from pagefault_doctor.model.command import Command
from pagefault_doctor.model.errors import MissingError
from pagefault_doctor.playbook.shelf import scenario
from pagefault_doctor.session.walk import Walk

BOOT_ID = "/proc/sys/kernel/random/boot_id"
"""Another one in each boot (drivers/char/random.c)."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare options and arguments."""
    parser.add_argument(
        "session",
        nargs="?",
        metavar="ID",
        help="a session or the beginning of its id; none: the newest",
    )
    add_face_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Show the wizard where the session stood, and return the exit code."""
    if obstacle := why_no_terminal():
        raise MissingError(f"resume needs a terminal: {obstacle}", "to read it: pfdoctor report ID")
    from pagefault_doctor.cli.wizard import show

    with take_up(args.session) as walk:
        cut = next((c for c in walk.view.commands if c.interrupted), None)
        if cut:
            say(f"command {cut.number} was cut short: {cut.command.text}")
        if walk.view.started.lab:
            _tell_of_the_new_box(walk)
        if was_booted_anew(walk):
            say("the machine was booted anew since; step 1 reads the log of the boot before: 1, g")
        named = walk.view.started.scenario
        return show(walk, args, scenario(named) if named else None)


def _tell_of_the_new_box(walk: Walk) -> None:
    from pagefault_doctor.cli.lab_commands.restore import bring_back
    from pagefault_doctor.lab.host import LabHost

    if isinstance(walk.host, LabHost):
        for line in bring_back(walk, walk.host):
            say(line)
            if walk.view.step:
                walk.note(line)  # The wizard's screen covers what was said.


def was_booted_anew(walk: Walk) -> bool:
    """Return whether the machine runs in another boot than the one the session knew last."""
    known = walk.view.case.get("host.boot_id", "")
    if not known or not walk.host.live or walk.view.started.lab:
        return False
    now = walk.host.run(Command(argv=("cat", BOOT_ID), tool="resume", timeout=15))
    return now.ok and now.output.strip() != known
