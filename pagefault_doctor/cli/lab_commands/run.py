"""`pfdoctor lab run`: crash a module in the virtual machine and print why it crashed."""

from __future__ import annotations

import argparse
import shutil
import time
from pathlib import Path
from typing import Any

import msgspec

from pagefault_doctor.cli.lab_commands.debug import stop_at
from pagefault_doctor.cli.lab_commands.order import (
    LabOrder,
    LabProgress,
    add_module_arguments,
    order_of,
    prepare,
)
from pagefault_doctor.cli.stderr import print_message
from pagefault_doctor.cli.stdout import print_document, print_line
from pagefault_doctor.diagnosis import diagnose
from pagefault_doctor.diagnosis.explanation import with_explanations
from pagefault_doctor.lab.run import Attempt, LabRun
from pagefault_doctor.model.case import Case, ToolReading
from pagefault_doctor.model.command import Command
from pagefault_doctor.model.diagnosis import Opinion
from pagefault_doctor.model.errors import ExitCode, UsageError
from pagefault_doctor.model.fact import Fact, Mark, Source
from pagefault_doctor.model.log import KernelLog
from pagefault_doctor.tools.debug.gdb_live import GdbStop, stop_sentences

_MOST_REPEATS = 1000


class LabOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """All attempts, the one that is shown, and what was found in it.

    `dump` is what drgn read out of the dump, `stop` what gdb saw at the line, or why it saw
    nothing; `seconds` are those of each part.
    """

    attempts: tuple[Attempt, ...]
    shown: Attempt
    log: KernelLog
    opinion: Opinion
    dump: ToolReading
    stop: GdbStop | str | None
    release: str
    modules: tuple[str, ...]
    seconds: dict[str, float]

    @property
    def reproduced(self) -> int:
        """In how many attempts the kernel reported a fault."""
        return sum(attempt.reproduced for attempt in self.attempts)


def add_run_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare options and arguments."""
    add_module_arguments(parser)
    add = parser.add_argument
    add("--repeat", type=int, default=1, metavar="N", help="boot and try N times")
    add(
        "--dump",
        choices=("elf", "kdump"),
        default="elf",
        help="written by QEMU (elf, quick), or by the guest's own crash kernel (kdump, small)",
    )
    add(
        "--kernels",
        metavar="NAMES",
        help="on each of these kernels, such as 5.10,6.1,6.12: does it build, does it fault",
    )
    add("--gdb", action="store_true", help="boot once more, and stop at the faulting line with gdb")
    add("--keep", metavar="DIR", help="keep serial log, dump and module in this new folder")
    add("--json", action="store_true", help="as JSON: the diagnosis, and how the run went")
    add("--exit-code", action="store_true", help="exit with 10 when a fault was found")


def run_lab(args: argparse.Namespace) -> int:
    """Run it, print the diagnosis and how often it was reproduced, and return the exit code."""
    from pagefault_doctor.lab.temp_folder import temp_folder

    if not 1 <= args.repeat <= _MOST_REPEATS:
        raise UsageError(f"--repeat is 1 to {_MOST_REPEATS}")
    if args.kernels is not None:
        from pagefault_doctor.cli.lab_commands.matrix import run_on_kernels

        return run_on_kernels(args)
    order = order_of(args)
    keep = _keep(args.keep)
    began = time.monotonic()
    with temp_folder() as folder:
        outcome = _carry_out(order, args, folder, keep)
    _print(args, outcome, keep, time.monotonic() - began)
    return ExitCode.FAULT_FOUND if args.exit_code and outcome.reproduced else ExitCode.DONE


def _keep(name: str | None) -> Path | None:
    """Make the folder to keep things in; raises UsageError where it is not a new or empty one."""
    if name is None:
        return None
    folder = Path(name)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise UsageError(f"--keep: {folder} is not empty", "name a new folder")
    except OSError as error:
        raise UsageError(f"--keep: {folder}: {error.strerror}", "name a new folder") from error
    return folder


def _carry_out(
    order: LabOrder, args: argparse.Namespace, folder: Path, keep: Path | None
) -> LabOutcome:
    from pagefault_doctor.lab import requirements
    from pagefault_doctor.lab.temp_folder import write_file

    progress = LabProgress()
    home = keep or folder
    run = prepare(order, args.timeout, folder, home, progress, kdump=args.dump == "kdump")
    drgn = any(row.path for row in requirements.check() if row.need.name == "drgn")
    attempts = _attempts(run, args.repeat, home / "vmcore" if keep or drgn else None)
    shown = next((a for a in attempts if a.reproduced), attempts[-1])
    if keep:
        write_file(keep / "serial.log", shown.console.encode())
    began = time.monotonic()
    log = _located(shown.log, home, f"{keep}/serial.log" if keep else "serial.log")
    vmlinux = requirements.find_vmlinux(run.release, order.stock)
    dump = ToolReading()
    if shown.vmcore and drgn:
        dump = _read_dump(dump_case(shown.vmcore, vmlinux, home, log))
    facts = {fact.name: fact for fact in dump.facts}
    opinion = with_explanations(diagnose((log,), facts), (log,), facts)
    progress("read", time.monotonic() - began, "console and dump" if dump.facts else "console")
    return LabOutcome(
        attempts=attempts,
        shown=shown,
        log=log,
        opinion=opinion,
        dump=dump,
        stop=stop_at(run, log) if args.gdb and log.reports else None,
        release=run.release,
        modules=tuple(module.name for module in run.modules),
        seconds=progress.seconds,
    )


def _attempts(run: LabRun, times: int, vmcore: Path | None) -> tuple[Attempt, ...]:
    """Try so many times; only the first guest that faults is dumped, if it panics."""
    attempts: list[Attempt] = []
    for number in range(1, times + 1):
        if times > 1:
            print_message(f"guest {number} of {times}")
        seen = any(attempt.reproduced for attempt in attempts)
        attempts.append(run.attempt(None if seen else vmcore))
    return tuple(attempts)


def _located(log: KernelLog, module_dir: Path, source: str) -> KernelLog:
    from pagefault_doctor.cli.inputs import reports_with_source

    reports = reports_with_source(log.reports, module_dir)
    return msgspec.structs.replace(log, reports=reports, source=source)


def dump_case(vmcore: Path, vmlinux: str, module_dir: Path, log: KernelLog) -> Case:
    """Return the case of a dump, with the module of the log's main report as the suspect."""
    main = Case(logs=(log,)).main_report
    given = {
        "given.vmcore": str(vmcore.absolute()),
        "given.module_dir": str(module_dir.absolute()),
        "given.vmlinux": vmlinux,
        "suspect.module": main.module if main else None,
    }
    source = Source("pfdoctor lab run")
    facts = {name: Fact(name, value, source) for name, value in given.items() if value}
    return Case(facts=facts, logs=(log,))


def _read_dump(case: Case) -> ToolReading:
    """Return what drgn reads out of the dump; a dump that it cannot read gives nothing."""
    from pagefault_doctor.hosts.local import LocalHost
    from pagefault_doctor.tools import TOOLS
    from pagefault_doctor.tools.tool import read_output

    drgn, host, reading = TOOLS["drgn"], LocalHost(), ToolReading()
    while isinstance(command := drgn.plan(case), Command):
        result = host.run(command)
        reading = read_output(drgn, result, case)
        case = msgspec.structs.replace(
            case,
            facts=case.facts | {fact.name: fact for fact in reading.facts},
            results={drgn.id: (*case.done(drgn.id), result)},
        )
    return reading


def _print(
    args: argparse.Namespace, outcome: LabOutcome, keep: Path | None, seconds: float
) -> None:
    source, reports, opinion = outcome.log.source, outcome.log.reports, outcome.opinion
    if args.json:
        from pagefault_doctor.report.document import diagnosis_document, encode

        document = diagnosis_document(source, reports, opinion)
        document |= {"lab": _as_dict(outcome, keep, seconds)}
        print_document(encode(document, indent=2) + "\n")
        return
    from pagefault_doctor.report.diagnosis import diagnosis_text

    width = min(shutil.get_terminal_size((100, 24)).columns, 120)
    print_document(diagnosis_text(source, reports, opinion, width))
    for finding in outcome.dump.findings:
        if finding.mark is Mark.BAD:
            print_line(f"dump: {finding.text}")
    if isinstance(outcome.stop, GdbStop):
        for text, _ in stop_sentences(outcome.stop):
            print_line(f"gdb: {text}")
    for note in _notes(outcome):
        print_line(f"note: {note}")
    print_line()
    print_line(f"{_summary(outcome)}; {outcome.release}, {seconds:.1f} s in all")
    if keep:
        print_line(f"kept in {keep}: {', '.join(sorted(path.name for path in keep.iterdir()))}")


def _notes(outcome: LabOutcome) -> tuple[str, ...]:
    """Return the notes of all attempts, each once, and why gdb saw nothing."""
    notes = dict.fromkeys(note for a in outcome.attempts for note in a.notes)
    return (*notes, outcome.stop) if isinstance(outcome.stop, str) else tuple(notes)


def _summary(outcome: LabOutcome) -> str:
    what, tries = " and ".join(outcome.modules), len(outcome.attempts)
    if not outcome.reproduced:
        return f"not reproduced: {what} in {tries} new guest{'s'[: tries > 1]}, no fault reported"
    panicked = sum(attempt.panicked for attempt in outcome.attempts)
    end = f"{panicked} panicked" if panicked else "none panicked"
    return f"reproduced {outcome.reproduced} of {tries}: {what}, {end}"


def _as_dict(outcome: LabOutcome, keep: Path | None, seconds: float) -> dict[str, Any]:
    return {
        "runs": len(outcome.attempts),
        "reproduced": outcome.reproduced,
        "panicked": sum(attempt.panicked for attempt in outcome.attempts),
        "kernel": outcome.release,
        "modules": outcome.modules,
        "dump": {fact.name: fact.value for fact in outcome.dump.facts},
        "gdb": outcome.stop if isinstance(outcome.stop, GdbStop) else None,
        "notes": _notes(outcome),
        "seconds": outcome.seconds | {"total": round(seconds, 2)},
        "kept": str(keep) if keep else None,
    }
