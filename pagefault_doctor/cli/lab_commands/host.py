"""The lab's box for a walk: the module is built, the host handed out, and nothing left of it."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from pagefault_doctor.cli.stderr import say
from pagefault_doctor.lab.machine import Stock, machine_of, release_of, stock_of
from pagefault_doctor.model.errors import MissingError, UsageError
from pagefault_doctor.model.event import LabCase
from pagefault_doctor.playbook import shelf

if TYPE_CHECKING:
    from pagefault_doctor.lab.host import LabHost
    from pagefault_doctor.lab.target import LabTarget


def lab_case(args: argparse.Namespace) -> LabCase:
    """Return what the options --lab, --source-dir, --trigger and --kernel-arg ask for."""
    if bool(args.lab) == bool(args.source_dir):
        raise UsageError(
            "--lab wants one of a SCENARIO and --source-dir DIR",
            "pfdoctor lab list names the scenarios",
        )
    if args.log or args.vmcore or args.host:
        raise UsageError(
            "--lab has a machine and a crash of its own", "leave --host, --log and --vmcore away"
        )
    if args.source_dir and not Path(args.source_dir).is_dir():
        raise MissingError(f"there is no folder {args.source_dir}", "check the name")
    if args.lab and args.arch:
        raise UsageError("a bundled case has an architecture of its own", "leave --arch away")
    return LabCase(
        scenario=args.lab,
        source=str(Path(args.source_dir).absolute()) if args.source_dir else "",
        trigger=tuple(args.trigger),
        kernel_args=tuple(args.kernel_arg),
        arch=machine_of(args.arch).arch if args.arch else "",
    )


def known(case: LabCase) -> dict[str, str]:
    """Return what a walk on that box is given."""
    if case.scenario:
        return shelf.scenario(case.scenario).known
    trigger = {"trigger": "\n".join(case.trigger)} if case.trigger else {}
    return {"source_dir": case.source, **trigger}


@contextmanager
def lab_box(case: LabCase) -> Iterator[LabHost]:
    """Give the box while it lasts; nothing is left of it.

    Raises MissingError where the lab lacks something, PfDoctorError where the module is not built.
    """
    from pagefault_doctor.lab import requirements
    from pagefault_doctor.lab.host import LabHost
    from pagefault_doctor.lab.temp_folder import temp_folder

    chosen = shelf.scenario(case.scenario) if case.scenario else None
    arch, package = (chosen.arch, chosen.kernel) if chosen else (case.arch, "")
    stock = stock_of(machine_of(arch), kernel=package)
    built = chosen is None or not chosen.inject
    requirements.require(
        requirements.check(stock),
        requirements.Use.BOOT,
        *((requirements.Use.BUILD,) if built else ()),
    )
    kernel = requirements.find_kernel(stock=stock)
    with temp_folder() as folder:
        if built:
            say(f"building {case.scenario or case.source} for {release_of(kernel)}")
        with LabHost(_patient(case, folder, kernel, stock), folder) as host:
            yield host


def _patient(case: LabCase, folder: Path, kernel: Path, stock: Stock) -> LabTarget:
    from pagefault_doctor.lab import target

    if case.scenario:
        chosen = shelf.scenario(case.scenario)
        return target.scenario_target(
            msgspec.structs.replace(
                chosen,
                trigger=chosen.trigger + case.trigger,
                kernel_args=chosen.kernel_args + case.kernel_args,
            ),
            shelf.scenario_folder(case.scenario),
            folder,
            kernel,
            stock,
        )
    return target.build_target(
        Path(case.source),
        folder,
        kernel=kernel,
        stock=stock,
        trigger=tuple(words(line) for line in case.trigger),
        kernel_args=case.kernel_args,
    )


def words(line: str) -> tuple[str, ...]:
    """Return a trigger as an argument list; raises UsageError where its quotes do not match."""
    try:
        split = tuple(shlex.split(line))
    except ValueError as error:
        raise UsageError(f"--trigger {line!r}: {error}", "check its quotes") from error
    if not split:
        raise UsageError("--trigger is empty")
    return split
