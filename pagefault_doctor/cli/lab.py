"""`pfdoctor lab`: the lab's requirements, its scenarios, and runs."""

from __future__ import annotations

import argparse
import json
from typing import Any

from msgspec import to_builtins

from pagefault_doctor.cli.stdout import print_document, print_line
from pagefault_doctor.lab import packages
from pagefault_doctor.lab.packages import Package
from pagefault_doctor.lab.requirements import RequirementState, Use
from pagefault_doctor.model.errors import ExitCode

_TITLES = {
    Use.BOOT: "to boot",
    Use.BUILD: "to build",
    Use.DUMP: "to read dumps",
    Use.KDUMP: "to dump by kdump",
    Use.DEBUG: "to debug live",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare options and arguments."""
    from pagefault_doctor.cli.lab_commands.kernels import add_kernels_arguments
    from pagefault_doctor.cli.lab_commands.order import add_module_arguments
    from pagefault_doctor.cli.lab_commands.run import add_run_arguments

    parser.epilog = (
        "The virtual machine runs this machine's own kernel in QEMU, without root or\n"
        "network, with KVM where that works, and is gone afterwards. Nothing is loaded\n"
        "into this machine. Guests of another architecture are emulated; their kernel and\n"
        "programs lie in a folder of the user's cache, which lab kernels fetch fills.\n\n"
        "Examples:\n  pfdoctor lab doctor\n  pfdoctor lab run null-deref-module\n"
        "  pfdoctor lab run --module faulty.ko --trigger 'rmmod faulty' --slub-debug\n"
        "  pfdoctor lab debug --source ~/src/faulty"
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    doctor = actions.add_parser("doctor", help="what the lab needs, and what is missing here")
    doctor.add_argument("--json", action="store_true", help="as JSON")
    doctor.add_argument("--boot", action="store_true", help="boot each kernel that is here, too")
    more = "other kernels for guests: list, fetch, remove"
    add_kernels_arguments(
        actions.add_parser("kernels", help=more, formatter_class=parser.formatter_class)
    )
    actions.add_parser("list", help="the scenarios that can be run")
    add_run_arguments(actions.add_parser("run", help="reproduce a fault and diagnose it"))
    by_hand = "reproduce a fault, and get gdb stopped at its line"
    add_module_arguments(actions.add_parser("debug", help=by_hand))


def run(args: argparse.Namespace) -> int:
    """Run the action and return the exit code."""
    if args.action == "run":
        from pagefault_doctor.cli.lab_commands.run import run_lab

        return run_lab(args)
    if args.action == "debug":
        from pagefault_doctor.cli.lab_commands.debug import run_debug

        return run_debug(args)
    if args.action == "kernels":
        from pagefault_doctor.cli.lab_commands.kernels import run_kernels

        return run_kernels(args)
    return _print_doctor(args.json, args.boot) if args.action == "doctor" else _print_scenarios()


def _print_scenarios() -> int:
    from pagefault_doctor.lab.machine import machine_of
    from pagefault_doctor.playbook.shelf import scenario, scenario_folder, scenario_ids

    for name in scenario_ids():
        listed = scenario(name)
        if listed.module and (scenario_folder(name) / "src").is_dir():
            on = "" if machine_of(listed.arch).native else f" (on {listed.arch})"
            print_line(f"{name:24}{listed.root_cause:18}{listed.title}{on}")
    print_line()
    print_line("To run one: pfdoctor lab run NAME")
    return ExitCode.DONE


def _print_doctor(as_json: bool, boot: bool) -> int:
    from pagefault_doctor.cli.lab_commands.pairs import pairs, print_pairs, try_all
    from pagefault_doctor.lab.kernels import usual_stock
    from pagefault_doctor.lab.machine import ARM64, DEFAULT_MACHINE, X86_64
    from pagefault_doctor.lab.requirements import check

    rows = check()
    others = {m.arch: check(usual_stock(m)) for m in (X86_64, ARM64) if m != DEFAULT_MACHINE}
    found = try_all(pairs()) if boot else pairs()
    installable = packages.query({row.package for part in (rows, *others.values()) for row in part})
    usable = _usable(rows)
    if as_json:
        more = [
            {"arch": arch, **_state_document(other, installable)} for arch, other in others.items()
        ]
        whole = _state_document(rows, installable) | {"arch": DEFAULT_MACHINE.arch, "others": more}
        whole |= {"kernels": [to_builtins(pair) for pair in found]}
        print_document(json.dumps(whole, indent=2) + "\n")
    else:
        _print_requirements(rows, usable, installable)
        print_line("Ready." if all(usable.values()) else _INSTALL)
        for arch, other in others.items():
            print_line()
            print_line(f"For guests of {arch}:")
            _print_requirements(other, _usable(other), installable)
        print_line()
        print_pairs(found)
    return ExitCode.DONE if usable[Use.BOOT] else ExitCode.MISSING


_INSTALL = "To install all of it on Debian: make lab-setup"


def _usable(rows: tuple[RequirementState, ...]) -> dict[Use, bool]:
    """Return for each use of these guests whether all of its requirements are met."""
    uses = {row.need.use for row in rows}
    return {use: all(r.path for r in rows if r.need.use is use) for use in Use if use in uses}


def _state_document(
    rows: tuple[RequirementState, ...], installable: dict[str, Package]
) -> dict[str, Any]:
    usable = _usable(rows)
    needs = [_requirement_document(row, installable.get(row.package)) for row in rows]
    return {"works": usable[Use.BOOT], "able": usable, "needs": needs}


def _requirement_document(row: RequirementState, installable: Package | None) -> dict[str, Any]:
    need = row.need
    takes = packages.megabytes(installable.installed * 1024) if installable else need.megabytes
    return {
        "name": need.name,
        "use": need.use.value,
        "purpose": need.purpose,
        "found": bool(row.path),
        "path": row.path or None,
        "package": row.package,
        "version": installable.version if installable else None,
        "download_megabytes": packages.megabytes(installable.download) if installable else None,
        "megabytes": takes,
        "measured": installable is not None,
        "remedy": row.remedy,
    }


def _print_requirements(
    rows: tuple[RequirementState, ...], usable: dict[Use, bool], installable: dict[str, Package]
) -> None:
    width = max(len(row.need.name) for row in rows)
    for use in usable:
        print_line(f"{_TITLES[use]}: {'yes' if usable[use] else 'not all is there'}")
        for row in (r for r in rows if r.need.use is use):
            package = installable.get(row.package)
            size = package.summary if package else f"about {row.need.megabytes} MB"
            state = row.path or f"{row.remedy} ({size})"
            mark = "v" if row.path else "x"
            print_line(f"  {mark} {row.need.name:{width}}  {row.need.purpose:24}  {state}")
