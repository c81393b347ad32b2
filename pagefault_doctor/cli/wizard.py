"""`pfdoctor` without a subcommand: the wizard, or a plain diagnosis without a terminal."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from typing import Final

from pagefault_doctor.cli.inputs import read_logs
from pagefault_doctor.cli.options import (
    FILE_OPTIONS,
    add_plain_argument,
    add_screen_arguments,
    add_walk_arguments,
)
from pagefault_doctor.cli.other_host import OtherHost
from pagefault_doctor.cli.stderr import print_message, terminal_obstacle
from pagefault_doctor.hosts.local import LocalHost
from pagefault_doctor.hosts.vitals import Vitals, major_fault_rate, vitals
from pagefault_doctor.model.errors import MissingError, UsageError
from pagefault_doctor.model.playbook import Cause
from pagefault_doctor.model.scenario import Scenario
from pagefault_doctor.playbook.choice import DEFAULT_PLAYBOOK
from pagefault_doctor.playbook.shelf import causes
from pagefault_doctor.session.event_log import SessionError
from pagefault_doctor.session.store import path_of, sessions_folder
from pagefault_doctor.session.walk import Walk


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
        "--kernel-arg",
        action="append",
        default=[],
        metavar="ARG",
        help="for the guest's kernel, such as slub_debug=FZPU",
    )
    lab.add_argument("--arch", help="build the module of --source-dir for that architecture")
    lab.add_argument(
        "--kernel", metavar="NAME", help="boot another kernel, as lab kernels fetched it: 6.12"
    )
    add_screen_arguments(parser)
    add_plain_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Show the wizard and return the exit code."""
    obstacle = None if args.plain else terminal_obstacle()
    if args.log == "-" and (obstacle or args.plain):
        raise UsageError(
            "the wizard needs standard input for keys, so the log cannot come from there",
            "use pfdoctor diagnose - or --log FILE",
        )
    if args.lab is not None:
        return _in_lab(args, obstacle)
    if args.kernel_arg or args.arch or args.kernel:
        raise UsageError("--kernel-arg, --arch and --kernel go with --lab")
    if obstacle:
        return _without_terminal(args, obstacle)
    if _is_module_alone(args):
        try:
            return _in_lab(args, obstacle)
        except MissingError as error:
            print_message(f"the lab cannot try it ({error}), so the walk begins on this box")
    from pagefault_doctor.cli.open_session import begin_asked

    walk = begin_asked(args)
    if walk.view.step is None:
        walk.enter(walk.view.playbook.steps[0].id)
    return show(walk, args)


def _is_module_alone(args: argparse.Namespace) -> bool:
    """Return whether all that is given is a module's source: then the lab is the place for it."""
    others = [name for name in _GIVEN if name != "source_dir"]
    return bool(args.source_dir) and not any(getattr(args, name) for name in others)


_GIVEN: Final = (
    *("log", "log_of", "host"),
    *(option.lstrip("-").replace("-", "_") for option, _, _ in FILE_OPTIONS),
)
"""What says that a crash is there already, or where."""


def _in_lab(args: argparse.Namespace, obstacle: str | None) -> int:
    from pagefault_doctor.cli.lab_commands.host import lab_case
    from pagefault_doctor.cli.open_session import lab_walk

    case = lab_case(args)
    if obstacle:
        raise MissingError(
            f"a walk in the lab needs a terminal: {obstacle}", "without one: pfdoctor lab run"
        )
    with lab_walk(case, args.playbook or DEFAULT_PLAYBOOK, read_only=args.read_only) as walk:
        walk.enter(walk.view.playbook.steps[0].id)
        return show(walk, args)


def _without_terminal(args: argparse.Namespace, obstacle: str) -> int:
    from pagefault_doctor.cli.main import subcommand_parser

    print_message(
        f"{obstacle}, so here is the plain diagnosis instead of the wizard "
        "(--plain walks line by line)"
    )
    parser, subcommand = subcommand_parser("run")
    arguments = ["--quiet"]
    plain = ("--playbook", "--log", "--log-of", "--host", "--ssh-config")
    for option in (*plain, *(option for option, _, _ in FILE_OPTIONS)):
        if value := getattr(args, option.lstrip("-").replace("-", "_")):
            arguments += [option, value]
    for trigger in args.trigger:
        arguments += ["--trigger", trigger]
    return subcommand.run(parser.parse_args([*arguments, *(["--read-only"] * args.read_only)]))


_PLAIN_TERMINALS: Final = ("vt1", "vt2", "vt3", "vt5", "ansi", "wyse", "sun")
"""Terminal types without Unicode, also set for serial lines."""


def show(walk: Walk, args: argparse.Namespace, scenario: Scenario | None = None) -> int:
    """Show the wizard until the person quits, and return the exit code."""
    with ExitStack() as stack:
        if args.plain:
            from pagefault_doctor.cli.plain_walk import PlainWalk

            return PlainWalk(walk, OtherHost(stack)).to_the_end()
        from pagefault_doctor.tui.launch import run_wizard

        return run_wizard(
            walk,
            ascii=args.ascii or not supports_unicode(os.environ),
            theme=args.theme,
            slow_link=args.slow_link,
            mouse=not args.no_mouse,
            scenario=scenario,
            causes=_Causes(),
            session_path=_session_path(walk),
            vitals=VitalsLine(walk),
            move=None if scenario else OtherHost(stack),
            read_logs=None if scenario else read_logs,
        )


def _session_path(walk: Walk) -> Path | None:
    """Return the file of the session; None where none is written."""
    try:
        path = path_of(sessions_folder(), walk.view.started.id)
        return path if path.exists() else None
    except (SessionError, OSError):
        return None


def supports_unicode(environ: Mapping[str, str]) -> bool:
    """Return whether the environment promises more than ASCII (locale(7), terminfo names)."""
    chosen = (environ.get(name) for name in ("LC_ALL", "LC_CTYPE", "LANG"))
    locale = next(filter(None, chosen), "").lower().replace("-", "")
    return "utf8" in locale and not environ.get("TERM", "").startswith(_PLAIN_TERMINALS)


class _Causes(Mapping[str, Cause]):
    """The root causes by their id; the file is only read when a cause is used."""

    @cached_property
    def _known(self) -> dict[str, Cause]:
        return causes()

    def __getitem__(self, name: str) -> Cause:
        return self._known[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)


class VitalsLine:
    """The vital signs of this machine as short text, measured at each call.

    Major faults are a rate since the previous call, so the first call has none.
    """

    def __init__(self, walk: Walk) -> None:
        self._walk = walk
        self._previous: Vitals | None = None

    def __call__(self) -> str:
        """Return for example `mem 41%  swap 3%  majflt 0/s  load 0.2`; nothing of another host."""
        if not isinstance(self._walk.host, LocalHost):
            return ""
        now = vitals(self._walk.view.case.get("report.pid", 0) or None)
        rate = major_fault_rate(self._previous, now) if self._previous else None
        self._previous = now
        words = [
            f"mem {now.memory:.0f}%" if now.memory is not None else "",
            f"swap {now.swap:.0f}%" if now.swap else "",
            f"majflt {rate:.0f}/s" if rate is not None else "",
            f"load {now.load[0]:.1f}" if now.load else "",
            f"{now.process.name} {now.process.state}" if now.process else "",
        ]
        return "  ".join(filter(None, words))
