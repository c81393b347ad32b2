"""The lab machine of a walk: build the module, start the host, and remove everything afterwards."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from pagefault_doctor.cli.inputs import check_storable
from pagefault_doctor.cli.stderr import print_message
from pagefault_doctor.lab.kernels import kernel_stock
from pagefault_doctor.lab.machine import machine_of
from pagefault_doctor.lab.stock import Stock, release_of
from pagefault_doctor.model.command_line import argv_of
from pagefault_doctor.model.errors import MissingError, UsageError
from pagefault_doctor.model.event import LabCase
from pagefault_doctor.model.scenario import Scenario
from pagefault_doctor.playbook import shelf

if TYPE_CHECKING:
    from pagefault_doctor.lab.host import LabHost
    from pagefault_doctor.lab.target import LabTarget


def lab_case(args: argparse.Namespace) -> LabCase:
    """Return the case in --lab, --source-dir, --trigger and --kernel-arg. Raises UsageError."""
    if bool(args.lab) == bool(args.source_dir):
        raise UsageError(
            "--lab wants one of a SCENARIO and --source-dir DIR",
            "pfdoctor lab list names the scenarios",
        )
    if args.log or args.vmcore or args.host:
        raise UsageError(
            "--lab has a machine and a crash of its own", "leave --host, --log and --vmcore away"
        )
    for option in ("--source-dir", "--trigger", "--kernel-arg", "--kernel"):
        value = getattr(args, option.lstrip("-").replace("-", "_")) or ()
        for text in (value,) if isinstance(value, str) else value:
            check_storable(option, text)
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
        kernel=args.kernel or "",
    )


def given_facts(case: LabCase) -> dict[str, str]:
    """Return the facts that a walk on the lab machine starts with."""
    chosen = shelf.scenario(case.scenario) if case.scenario else None
    args = (*(chosen.kernel_args if chosen else ()), *case.kernel_args)
    kernel_args = {"kernel_args": "\n".join(args)} if args else {}
    if chosen:
        return chosen.known | kernel_args
    trigger = {"trigger": "\n".join(case.trigger)} if case.trigger else {}
    return {"source_dir": case.source, **trigger, **kernel_args}


def _stock(case: LabCase, chosen: Scenario | None) -> Stock:
    """Return the stock with the kernel of a case. Raises MissingError, UsageError."""
    arch, own = (chosen.arch, chosen.kernel) if chosen else (case.arch, "")
    if own and case.kernel:
        raise UsageError(f"{case.scenario} boots a kernel of its own", "leave --kernel away")
    return kernel_stock(machine_of(arch), own or case.kernel)


@contextmanager
def lab_host(case: LabCase) -> Iterator[LabHost]:
    """Yield the lab machine; nothing remains of it afterwards.

    Raises MissingError if the lab lacks something, PfDoctorError if the module cannot be built.
    """
    from pagefault_doctor.lab import requirements
    from pagefault_doctor.lab.host import LabHost
    from pagefault_doctor.lab.temp_folder import temp_folder

    chosen = shelf.scenario(case.scenario) if case.scenario else None
    stock = _stock(case, chosen)
    needs_build = chosen is None or not chosen.inject
    requirements.require(
        requirements.check(stock),
        requirements.Use.BOOT,
        *((requirements.Use.BUILD,) if needs_build else ()),
    )
    kernel = requirements.find_kernel(stock=stock)
    with temp_folder() as folder:
        if needs_build:
            print_message(f"building {case.scenario or case.source} for {release_of(kernel)}")
        with LabHost(_target(case, folder, kernel, stock), folder) as host:
            yield host


def _target(case: LabCase, folder: Path, kernel: Path, stock: Stock) -> LabTarget:
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
        trigger=tuple(trigger_argv(line) for line in case.trigger),
        kernel_args=case.kernel_args,
    )


def trigger_argv(line: str) -> tuple[str, ...]:
    """Return a trigger as an argument list, that of the guest's shell where it has signs of one.

    Raises UsageError if its quotes do not match.
    """
    try:
        argv = argv_of(line)
    except ValueError as error:
        raise UsageError(f"--trigger {line!r}: {error}", "check its quotes") from error
    if not argv:
        raise UsageError("--trigger is empty")
    return argv
