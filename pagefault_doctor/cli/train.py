"""`pfdoctor train`: walk through a recorded real case, with questions."""

from __future__ import annotations

import argparse

from pagefault_doctor.cli.begin import begin_training
from pagefault_doctor.cli.options import add_face_arguments
from pagefault_doctor.cli.talk import why_no_terminal
from pagefault_doctor.playbook.shelf import scenario, scenario_ids


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare options and arguments."""
    parser.epilog = (
        "Everything is replayed from a recording of a real crash: nothing runs on this\n"
        "machine, and no network is needed."
    )
    parser.add_argument(
        "scenario", nargs="?", metavar="SCENARIO", help="a scenario; none: list them"
    )
    parser.add_argument(
        "--plain", action="store_true", help="line by line, without the wizard's screen"
    )
    add_face_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """List the scenarios, or walk through one, and return the exit code."""
    if args.scenario is None:
        for name in scenario_ids():
            listed = scenario(name)
            print(f"{listed.id:24}{listed.level:10}{listed.title}")
        print("\nTo walk through one: pfdoctor train NAME")
        return 0
    chosen = scenario(args.scenario)
    walk = begin_training(chosen)
    if args.plain or why_no_terminal():
        from pagefault_doctor.cli.training import train_plainly

        return train_plainly(walk, chosen)
    from pagefault_doctor.cli.face import show

    return show(walk, args, chosen)
