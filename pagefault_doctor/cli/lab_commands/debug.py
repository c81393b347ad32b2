"""gdb on the lab's virtual machine: by itself for `lab run --gdb`, by hand for `lab debug`."""

from __future__ import annotations

import argparse
import threading
from typing import TYPE_CHECKING

from pagefault_doctor.cli.lab_commands.order import LabProgress, order_of, prepare
from pagefault_doctor.cli.stderr import print_message, terminal_obstacle
from pagefault_doctor.lab.debug import BreakPlace, place_of, stop_of
from pagefault_doctor.lab.requirements import Use, check, require
from pagefault_doctor.lab.run import LabRun
from pagefault_doctor.model.case import Case
from pagefault_doctor.model.command import Command, Result
from pagefault_doctor.model.errors import ExitCode, PfDoctorError, UsageError
from pagefault_doctor.tools.debug.gdb_live import GdbStop, stop_from

if TYPE_CHECKING:
    from pagefault_doctor.model.log import KernelLog

NOWHERE = "no code of a module was running when it faulted, so gdb has no line to stop at"


def place_in(log: KernelLog) -> BreakPlace | None:
    """Return where the fault that a log is about can be watched."""
    report = Case(logs=(log,)).main_report
    return place_of(report) if report else None


def stop_at(run: LabRun, log: KernelLog) -> GdbStop | str:
    """Let the fault of that log come once more, with gdb at its line; return why not otherwise."""
    place = place_in(log)
    if place is None:
        return NOWHERE
    try:
        result = run.debug(place, _by_itself, vmlinux=_vmlinux(run), by_hand=False)
    except PfDoctorError as error:
        return f"no stop by gdb: {error}"
    stop = stop_from(stop_of(result.output))
    complaint = next(iter(result.errors.strip().splitlines()[-1:]), result.status.value)
    return stop or f"gdb did not get to {place.function}+{place.offset:#x}: {complaint}"


def run_debug(args: argparse.Namespace) -> int:
    """Let a module fault, then hand the terminal to gdb, stopped where it does so again."""
    from pagefault_doctor.lab.temp_folder import temp_folder

    if why := terminal_obstacle():
        raise UsageError(
            f"gdb by hand needs a terminal: {why}", "pfdoctor lab run --gdb needs none"
        )
    order = order_of(args)
    with temp_folder() as folder:
        run = prepare(order, args.timeout, folder, folder, LabProgress())
        log = run.attempt(None).log
        report, place = Case(logs=(log,)).main_report, place_in(log)
        if report is None or place is None:
            raise PfDoctorError(NOWHERE if report else "not reproduced: no fault reported")
        print_message(f"{report.title}; now with gdb")
        result = run.debug(place, _by_hand, vmlinux=_vmlinux(run), by_hand=True)
    return ExitCode.DONE if result.ok else ExitCode.FAILED


def _vmlinux(run: LabRun) -> str:
    """Return the vmlinux that names the kernel's functions, where there is one."""
    rows = check(run.stock)
    require(rows, Use.DEBUG)
    return next((row.path for row in rows if row.need.name == "vmlinux"), "")


def _by_itself(command: Command, over: threading.Event) -> Result:
    from pagefault_doctor.hosts.local import LocalHost

    return LocalHost().run(command, None, over)


def _by_hand(command: Command, over: threading.Event) -> Result:
    from pagefault_doctor.hosts import runner

    return runner.run_interactive(command)
