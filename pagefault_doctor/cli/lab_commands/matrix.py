"""`pfdoctor lab run --kernels`: the same module on several kernels, and where it changes."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import msgspec

from pagefault_doctor.cli.lab_commands.order import LabOrder, LabProgress, order_of, prepare
from pagefault_doctor.cli.stderr import print_message
from pagefault_doctor.cli.stdout import print_document, print_line
from pagefault_doctor.lab.kernels import numbers_of
from pagefault_doctor.lab.machine import release_of
from pagefault_doctor.lab.run import Attempt
from pagefault_doctor.model.errors import ExitCode, MissingError, PfDoctorError, UsageError
from pagefault_doctor.model.main_report import main_report

_MOST = 12
"""Kernels in one run."""

_ONE_KERNEL = ("kernel", "module", "root", "keep", "gdb")
"""Options that only make sense with one kernel."""


class OnKernel(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the module on one kernel.

    `builds` and `boots` are false with the `error` that came first. `faults` is in how many of the
    `runs` the kernel reported a fault, `title` that of the main report of the first of them.
    """

    kernel: str
    release: str
    builds: bool = True
    boots: bool = True
    error: str = ""
    runs: int = 0
    faults: int = 0
    panicked: int = 0
    title: str | None = None
    notes: tuple[str, ...] = ()

    @property
    def ran(self) -> bool:
        """Whether there was a guest to insert the module into."""
        return self.builds and self.boots


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
        return msgspec.structs.replace(row, builds=False, error=str(error))
    attempts: list[Attempt] = []
    try:
        attempts += (run.attempt(None) for _ in range(args.repeat))
    except PfDoctorError as error:
        if not attempts:
            return msgspec.structs.replace(row, boots=False, error=str(error))
    first = next((attempt for attempt in attempts if attempt.reproduced), None)
    place = main_report((first.log,)) if first else None
    report = first.log.reports[place] if first and place is not None else None
    return msgspec.structs.replace(
        row,
        runs=len(attempts),
        faults=sum(attempt.reproduced for attempt in attempts),
        panicked=sum(attempt.panicked for attempt in attempts),
        title=report.title if report else None,
        notes=tuple(dict.fromkeys(note for attempt in attempts for note in attempt.notes)),
    )


def _print(rows: list[OnKernel], as_json: bool) -> None:
    if as_json:
        from pagefault_doctor.report.document import encode

        document = {"kernels": rows, "changes": changes(rows)}
        print_document(encode(document, indent=2) + "\n")
        return
    width = max(len(row.kernel) for row in rows)
    for row in rows:
        print_line(f"{row.kernel:{width}}  {_outcome(row)}")
        for note in row.notes:
            print_line(f"{'':{width}}  note: {note}")
    print_line()
    for sentence in changes(rows):
        print_line(sentence)


def _outcome(row: OnKernel) -> str:
    if not row.builds:
        return f"does not build: {row.error}"
    if not row.boots:
        return f"does not boot: {row.error}"
    if not row.faults:
        return f"no fault reported in {row.runs} guest{'s'[: row.runs > 1]}"
    return f"faults {row.faults} of {row.runs}: {row.title}"


def changes(rows: list[OnKernel]) -> list[str]:
    """Return where something changes between kernels, which stand from the oldest to the newest."""
    ran = [row for row in rows if row.ran]
    if not ran:
        return ["it builds and boots on none of them"]
    sentences = []
    if len(ran) < len(rows):
        sentences += _turns(rows, lambda row: row.ran, "it builds and boots", "it does not")
    if not any(row.faults for row in ran):
        return [*sentences, f"no fault on {_names(ran)}: not shown by this trigger there"]
    if not all(row.faults for row in ran):
        sentences += _turns(ran, lambda row: bool(row.faults), "it faults", "no fault")
    titles = dict.fromkeys(row.title for row in ran if row.faults)
    if len(titles) == 1 and all(row.faults for row in ran):
        sentences.append(f"the same fault on {_names(ran)}: no change of the kernel brought it")
    elif len(titles) > 1:
        told = (f"{_names([r for r in ran if r.title == title])}: {title}" for title in titles)
        sentences.append(f"the report differs: {'; '.join(told)}")
    return sentences


def _turns(rows: list[OnKernel], holds: Callable[[OnKernel], bool], yes: str, no: str) -> list[str]:
    """Return where it begins or ceases to hold, or the kernels of both kinds, if it alternates."""
    edges = [i for i in range(1, len(rows)) if holds(rows[i]) != holds(rows[i - 1])]
    if len(edges) == 1:
        before, after = rows[edges[0] - 1], rows[edges[0]]
        words = f"{yes} from {after.kernel} on" if holds(after) else f"{yes} up to {before.kernel}"
        return [f"{words}; {no} on {(before if holds(after) else after).kernel}"]
    good, bad = [r for r in rows if holds(r)], [r for r in rows if not holds(r)]
    return [f"{yes} on {_names(good)}; {no} on {_names(bad)}"] if good and bad else []


def _names(rows: list[OnKernel]) -> str:
    return ", ".join(row.kernel for row in rows)
