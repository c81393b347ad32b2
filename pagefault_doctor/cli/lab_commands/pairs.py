"""The kernels that guests can boot, by architecture: what each lacks, and whether it boots."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from pagefault_doctor.cli.stderr import print_message
from pagefault_doctor.cli.stdout import print_line
from pagefault_doctor.lab import requirements
from pagefault_doctor.lab.kernels import KernelHere, kernels_here, usual_stock
from pagefault_doctor.lab.machine import MACHINES, Machine
from pagefault_doctor.lab.requirements import Use
from pagefault_doctor.model.errors import PfDoctorError

BOOT_TIMEOUT = 300.0
"""Seconds for a guest to boot, where it is emulated and much else runs."""


class Pair(msgspec.Struct, frozen=True, kw_only=True):
    """An architecture and one of its kernels; `name` and `release` are empty where none is here.

    `lacks` names what is missing to boot it or to build for it, with the `remedy`. `boots` is None
    where that was not tried; `problem` tells why it does not. `limits` tells what the guests of
    that architecture cannot do.
    """

    arch: str
    name: str = ""
    release: str = ""
    folder: str | None = None
    lacks: tuple[str, ...] = ()
    remedy: str = ""
    boots: bool | None = None
    seconds: float | None = None
    problem: str = ""
    limits: str = ""


def pairs() -> list[Pair]:
    """Return each architecture with each of its kernels, or with what there is to fetch."""
    return [pair for machine in MACHINES for pair in _pairs_of(machine)]


def _pairs_of(machine: Machine) -> list[Pair]:
    here = kernels_here(machine)
    if here:
        return [_pair(machine, kernel) for kernel in here]
    stock = usual_stock(machine)
    rows = requirements.check(stock)
    qemu = [row.remedy for row in rows if row.need.name == machine.qemu and row.remedy]
    remedy = "; ".join((stock.remedy, *qemu))
    return [Pair(arch=machine.arch, lacks=("kernel",), remedy=remedy)]


def _pair(machine: Machine, kernel: KernelHere) -> Pair:
    rows = requirements.check(kernel.stock(machine))
    missing = [row for row in rows if not row.path and row.need.use in (Use.BOOT, Use.BUILD)]
    return Pair(
        arch=machine.arch,
        name=kernel.name,
        release=kernel.release,
        folder=kernel.folder,
        lacks=tuple(row.need.name for row in missing),
        remedy="; ".join(dict.fromkeys(row.remedy for row in missing)),
        limits=machine.limits,
    )


def tried(pair: Pair) -> Pair:
    """Return the pair with whether its kernel boots; one that lacks something is not tried."""
    if pair.lacks:
        return pair
    from pagefault_doctor.lab.machine import machine_of
    from pagefault_doctor.lab.run import LabRun
    from pagefault_doctor.lab.vm import Setup

    stock = KernelHere(pair.name, pair.release, pair.folder).stock(machine_of(pair.arch))
    try:
        setup = Setup(kernel=requirements.find_kernel(stock=stock), stock=stock)
        seconds = LabRun(setup, (), (), BOOT_TIMEOUT, lambda *_: None).boot()
    except PfDoctorError as error:
        return msgspec.structs.replace(pair, boots=False, problem=str(error))
    return msgspec.structs.replace(pair, boots=True, seconds=round(seconds, 1))


def try_all(found: Sequence[Pair]) -> list[Pair]:
    """Boot the kernel of each pair, one after another, and tell which."""
    results, number = [], 0
    number_of_all = sum(not pair.lacks for pair in found)
    for pair in found:
        if not pair.lacks:
            number += 1
            print_message(f"booting {pair.arch} {pair.name}, {number} of {number_of_all}")
        results.append(tried(pair))
    return results


def print_pairs(found: Sequence[Pair]) -> None:
    """Print a line for each pair."""
    print_line("Kernels for guests:")
    for pair in found:
        mark = "x" if pair.lacks or pair.boots is False else "v"
        print_line(f"  {mark} {pair.arch:10}{pair.name:20}{pair.release:30}{_state(pair)}")
        if pair.limits:
            print_line(f"{'':34}{pair.limits}")


def _state(pair: Pair) -> str:
    if not pair.name:
        return f"none is here: {pair.remedy}"
    if pair.lacks:
        return f"lacks {', '.join(pair.lacks)}: {pair.remedy}"
    if pair.boots is None:
        return "is complete"
    return f"boots in {pair.seconds:.0f} s" if pair.boots else f"does not boot: {pair.problem}"
