"""`pfdoctor train`: walk through a real case with questions, recorded or live in the lab."""

from __future__ import annotations

import argparse

from pagefault_doctor.cli.open_session import lab_walk, start_training
from pagefault_doctor.cli.options import add_screen_arguments
from pagefault_doctor.cli.stderr import terminal_obstacle
from pagefault_doctor.cli.stdout import print_line
from pagefault_doctor.model.errors import UsageError
from pagefault_doctor.model.event import LabCase
from pagefault_doctor.model.scenario import Scenario
from pagefault_doctor.playbook.shelf import scenario, scenario_ids
from pagefault_doctor.session.walk import Walk


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare options and arguments."""
    parser.epilog = (
        "Without --live everything is replayed from a recording of a real crash: nothing\n"
        "runs, and no network is needed. With --live the machine of the case is a throw-away\n"
        "virtual machine that really crashes; the debuggers, the editor and the compiler are\n"
        "those of this machine, at work on a copy of the source. pfdoctor lab doctor says\n"
        "what that needs.\n\n"
        "Examples:\n  pfdoctor train null-deref-module\n  pfdoctor train err-ptr --live"
    )
    parser.add_argument(
        "scenario", nargs="?", metavar="SCENARIO", help="a scenario; none: list them"
    )
    parser.add_argument(
        "--plain", action="store_true", help="line by line, without the wizard's screen"
    )
    parser.add_argument(
        "--live", action="store_true", help="in a virtual machine that really crashes"
    )
    parser.add_argument(
        "--kernel", metavar="NAME", help="with --live, another kernel that lab kernels fetched"
    )
    add_screen_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """List the scenarios, or walk through one, and return the exit code."""
    if args.kernel and not args.live:
        raise UsageError("--kernel goes with --live", "a recording has the kernel it was made on")
    if args.scenario is None:
        for name in scenario_ids():
            listed = scenario(name)
            print_line(f"{listed.id:24}{listed.level:10}{listed.title}")
        print_line()
        print_line("To walk through one: pfdoctor train NAME, or with --live in a real crash")
        return 0
    chosen = scenario(args.scenario)
    if not args.live:
        return _train(start_training(chosen), chosen, args)
    case = LabCase(scenario=chosen.id, kernel=args.kernel or "")
    with lab_walk(case, chosen.playbook, scenario=chosen.id) as walk:
        return _train(walk, chosen, args)


def _train(walk: Walk, chosen: Scenario, args: argparse.Namespace) -> int:
    if args.plain or terminal_obstacle():
        from pagefault_doctor.cli.plain_training import train_line_by_line

        return train_line_by_line(walk, chosen)
    from pagefault_doctor.cli.wizard import show

    return show(walk, args, chosen)
