"""`pfdoctor lab run --kernels`: the same module on several kernels, and where it changes."""

from __future__ import annotations

import argparse
from pathlib import Path

import msgspec

from pagefault_doctor.cli.lab_commands.order import LabOrder, LabProgress, order_of, prepare
from pagefault_doctor.cli.stderr import print_message
from pagefault_doctor.cli.stdout import print_document, print_line
from pagefault_doctor.lab.kernels import numbers_of
from pagefault_doctor.lab.module import BuildError
from pagefault_doctor.lab.run import Attempt
from pagefault_doctor.lab.stock import release_of
from pagefault_doctor.model.errors import ExitCode, MissingError, PfDoctorError, UsageError
from pagefault_doctor.model.main_report import main_report
from pagefault_doctor.tools.reproduce.on_kernel import OnKernel, changes, first_bad, outcome

_MOST = 12
"""Kernels in one run."""

_ONE_KERNEL = ("kernel", "module", "root", "keep", "gdb")
"""Options that only make sense with one kernel."""


def run_on_kernels(args: argparse.Namespace) -> int:
    """Run it on each kernel, print what became of it, and return the exit code."""
    from pagefault_doctor.lab.temp_folder import temp_folder

    orders = _orders(args)
    found = []
    with temp_folder() as folder:
        for number, (name, order) in enumerate(orders.items(), 1):
            print_message(f"kernel {name}, {number} of {len(orders)}")
            found.append(_on_kernel(name, order, args, folder / str(number)))
    _print(found, args.json)
    faulted = any(row.faults for row in found)
    return ExitCode.FAULT_FOUND if args.exit_code and faulted else ExitCode.DONE


def _orders(args: argparse.Namespace) -> dict[str, LabOrder]:
    """Return what to run on each kernel, the oldest first; all of them must be here."""
    for option in _ONE_KERNEL:
        if getattr(args, option):
            raise UsageError(f"--{option} is for one kernel", "leave it or --kernels away")
    names = list(dict.fromkeys(name.strip() for name in args.kernels.split(",") if name.strip()))
    if not 2 <= len(names) <= _MOST:
        raise UsageError(f"--kernels names 2 to {_MOST} kernels, separated by commas")
    orders, releases = {}, {}
    for name in names:
        orders[name] = order_of(argparse.Namespace(**{**vars(args), "kernel": name}))
        kernel = orders[name].stock.kernel()
        if kernel is None:
            raise MissingError(f"no kernel {name} to boot", orders[name].stock.remedy)
        releases[name] = release_of(kernel)
    return {name: orders[name] for name in sorted(names, key=lambda n: numbers_of(releases[n]))}


def _on_kernel(name: str, order: LabOrder, args: argparse.Namespace, folder: Path) -> OnKernel:
    kernel = order.stock.kernel()
    assert kernel is not None
    row = OnKernel(kernel=name, release=release_of(kernel))
    progress = LabProgress()
    folder.mkdir()
    try:
        run = prepare(order, args.timeout, folder, folder, progress)
    except PfDoctorError as error:
        if order.in_tree:
            return msgspec.structs.replace(row, loads=False, error=error.problem)
        told = error.remedy if isinstance(error, BuildError) else str(error)
        return msgspec.structs.replace(row, builds=False, error=told)
    attempts: list[Attempt] = []
    try:
        attempts += (run.attempt(None) for _ in range(args.repeat))
    except PfDoctorError as error:
        if not attempts:
            return msgspec.structs.replace(row, boots=False, error=str(error))
    return _outcome_of(row, attempts)


def _outcome_of(row: OnKernel, attempts: list[Attempt]) -> OnKernel:
    first = next((attempt for attempt in attempts if attempt.reproduced), None)
    refused = "" if first else attempts[0].refused
    place = main_report((first.log,)) if first else None
    report = first.log.reports[place] if first and place is not None else None
    notes = dict.fromkeys(note for attempt in attempts for note in attempt.notes)
    return msgspec.structs.replace(
        row,
        loads=not refused,
        error=refused,
        runs=len(attempts),
        faults=sum(attempt.reproduced for attempt in attempts),
        panicked=sum(attempt.panicked for attempt in attempts),
        title=report.title if report else None,
        notes=() if refused else tuple(notes),
    )


def _print(rows: list[OnKernel], as_json: bool) -> None:
    if as_json:
        from pagefault_doctor.report.document import encode

        first = first_bad(rows) or None
        document = {"kernels": rows, "changes": changes(rows), "first_bad_kernel": first}
        print_document(encode(document, indent=2) + "\n")
        return
    width = max(len(row.kernel) for row in rows)
    for row in rows:
        print_line(f"{row.kernel:{width}}  {outcome(row)}")
        for note in row.notes:
            print_line(f"{'':{width}}  note: {note}")
    print_line()
    for sentence in changes(rows):
        print_line(sentence)
