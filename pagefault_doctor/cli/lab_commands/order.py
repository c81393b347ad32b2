"""What `lab run` and `lab debug` are asked to run, and its modules built for the guest."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import msgspec

from pagefault_doctor.cli.lab_commands.host import trigger_argv
from pagefault_doctor.cli.stderr import print_message
from pagefault_doctor.lab.kernels import kernel_stock, usual_stock
from pagefault_doctor.lab.machine import Machine, machine_of
from pagefault_doctor.lab.module import Module
from pagefault_doctor.lab.run import LabRun, PartDone
from pagefault_doctor.lab.stock import Stock, release_of
from pagefault_doctor.model.errors import MissingError, UsageError

_LONGEST_TIMEOUT = 86400
"""Seconds in a day."""

_SLUB_DEBUG = "slub_debug=FZPU"


class LabOrder(msgspec.Struct, frozen=True, kw_only=True):
    """What to run, what to do with it, and on what.

    It is one of a source folder, a module file and the name of a module of the kernel's own.
    """

    source: Path | None
    file: Path | None
    in_tree: str
    triggers: tuple[tuple[str, ...], ...]
    kernel_args: tuple[str, ...]
    stock: Stock


class LabProgress:
    """Prints each finished part to standard error, and adds up their seconds."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def __call__(self, name: str, seconds: float, words: str) -> None:
        """Print one finished part and its seconds."""
        self.seconds[name] = round(self.seconds.get(name, 0) + seconds, 2)
        print_message(f"{name:6} {seconds:5.1f} s  {words}")


def add_module_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `lab run` and `lab debug` share: the module, its trigger, the guest."""
    add = parser.add_argument
    add("scenario", nargs="?", metavar="SCENARIO", help="a bundled case; lab list names them")
    add("--source", metavar="DIR", help="a module's source: built in a copy, for the booted kernel")
    add("--module", metavar="FILE.ko", help="a built module; its kernel must be installed here")
    add("--in-tree", metavar="NAME", help="a module of the kernel's own package, such as loop")
    add(
        "--trigger",
        action="append",
        default=[],
        metavar="'COMMAND'",
        help="run in the guest after the module was inserted, in its shell where it has signs of"
        " one (> | && $); may be given more than once",
    )
    add(
        "--kernel-arg",
        action="append",
        default=[],
        metavar="ARG",
        help="for the kernel's command line; NAME.PARAMETER=VALUE sets a module's parameter",
    )
    add("--slub-debug", action="store_true", help=f"short for --kernel-arg {_SLUB_DEBUG}")
    add(
        "--arch",
        metavar="ARCH",
        help="build --source for it: arm64, s390x ..., as lab kernels --arch fetched it",
    )
    add("--kernel", metavar="NAME", help="boot another kernel, as lab kernels fetched it: 6.12")
    add("--root", metavar="DIR", help="where that architecture's kernel, headers and programs lie")
    add("--timeout", type=float, default=120, metavar="S", help="seconds for a guest (120)")


def order_of(args: argparse.Namespace) -> LabOrder:
    """Return what to run; raises UsageError or MissingError where the arguments do not fit."""
    if sum(map(bool, (args.scenario, args.source, args.module, args.in_tree))) != 1:
        raise UsageError(
            "one of SCENARIO, --source DIR, --module FILE.ko and --in-tree NAME is needed",
            "pfdoctor lab list names the scenarios",
        )
    if not 0 < args.timeout <= _LONGEST_TIMEOUT:
        raise UsageError(f"--timeout is more than 0 seconds, and at most {_LONGEST_TIMEOUT}")
    source, lines, kernel_args = args.source, tuple(args.trigger), tuple(args.kernel_arg)
    arch = args.arch or ""
    if args.scenario:
        from pagefault_doctor.playbook.shelf import scenario, scenario_folder

        chosen = scenario(args.scenario)
        if chosen.module is None:
            raise UsageError(
                f"{chosen.id} is not about a module",
                f"pfdoctor train {chosen.id}{' --live' if chosen.inject else ''}",
            )
        if arch:
            raise UsageError("a bundled case has an architecture of its own", "leave --arch away")
        source, arch = scenario_folder(args.scenario) / "src", chosen.arch
        lines, kernel_args = chosen.trigger + lines, chosen.kernel_args + kernel_args
    if source and not Path(source).is_dir():
        raise MissingError(f"there is no folder {source}", "check the name")
    if args.module:
        arch = _arch_of(Path(args.module), arch)
    return LabOrder(
        source=Path(source) if source else None,
        file=Path(args.module) if args.module else None,
        in_tree=args.in_tree or "",
        triggers=tuple(trigger_argv(line) for line in lines),
        kernel_args=kernel_args + ((_SLUB_DEBUG,) if args.slub_debug else ()),
        stock=_stock(machine_of(arch), args.root, args.kernel),
    )


def _stock(machine: Machine, root: str | None, kernel: str | None) -> Stock:
    if kernel is None:
        return Stock(machine, Path(root).absolute()) if root else usual_stock(machine)
    if root is not None:
        raise UsageError("--root and --kernel both name a kernel", "leave one of them away")
    return kernel_stock(machine, kernel)


def _arch_of(file: Path, wanted: str) -> str:
    """Return the architecture that a module is for; raises UsageError where another is wanted."""
    from pagefault_doctor.lab import module

    own = machine_of(module.read(file).arch)
    if wanted and machine_of(wanted) != own:
        raise UsageError(f"{file} is for {own.arch}", "leave --arch away")
    return own.arch


def prepare(
    order: LabOrder,
    timeout: float,
    folder: Path,
    home: Path,
    part_done: PartDone,
    *,
    kdump: bool = False,
) -> LabRun:
    """Return the run of what was ordered, its modules built, and their files put into `home`."""
    from pagefault_doctor.lab import requirements
    from pagefault_doctor.lab.run import LabRun
    from pagefault_doctor.lab.temp_folder import write_file
    from pagefault_doctor.lab.vm import Setup

    machine = order.stock.machine
    if kdump and not machine.kdump:
        raise UsageError(f"no kdump in guests of {machine.arch}", "leave --dump kdump away")
    rows = requirements.check(order.stock)
    also = {requirements.Use.BUILD: order.source, requirements.Use.KDUMP: kdump}
    requirements.require(rows, requirements.Use.BOOT, *(use for use, used in also.items() if used))
    kernel, modules = _modules(order, folder, part_done)
    for module in modules:
        write_file(home / f"{module.name}.ko", module.data)
    setup = Setup(kernel=kernel, stock=order.stock, append=" ".join(order.kernel_args))
    return LabRun(setup, modules, order.triggers, timeout, part_done, kdump=kdump)


def _modules(order: LabOrder, folder: Path, part_done: PartDone) -> tuple[Path, tuple[Module, ...]]:
    """Return the kernel to boot and the modules for it, built where there is a source."""
    from pagefault_doctor.lab import module, requirements
    from pagefault_doctor.lab.in_tree import in_tree_module

    if order.file:
        read = module.read(order.file)
        return requirements.find_kernel(read.release, order.stock), (read,)
    kernel = requirements.find_kernel(stock=order.stock)
    if order.in_tree:
        return kernel, (in_tree_module(order.in_tree, release_of(kernel), order.stock),)
    assert order.source
    began = time.monotonic()
    if made := module.missing_makefile(order.source):
        print_message(f"{order.source} has no Makefile; in the copy it is: {made.strip()}")
    built = module.build(order.source, release_of(kernel), folder / "src", stock=order.stock)
    part_done("build", time.monotonic() - began, ", ".join(f"{m.name}.ko" for m in built))
    return kernel, built
