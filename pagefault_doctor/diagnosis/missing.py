"""What of a report is not in the text, what it would decide, and what brings it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from pagefault_doctor.diagnosis.context import Context
from pagefault_doctor.diagnosis.history import CRASHES
from pagefault_doctor.model.diagnosis import Missing
from pagefault_doctor.model.pattern import regex
from pagefault_doctor.model.report import Kind, Report

_TRACED: Final = frozenset(Kind) - {
    *(Kind.HARDWARE, Kind.REBOOT, Kind.INFO, Kind.LEAK),
    *(Kind.USER_SEGFAULT, Kind.USER_TRAP, Kind.OOM_KILL),
}
"""Kinds that the kernel prints a call trace with."""
_WITHOUT_VERSION: Final = (Kind.HARDWARE, Kind.HUNG_TASK, Kind.OOM_KILL, Kind.REBOOT, Kind.LEAK)
"""Kinds for which no other version of the kernel is the first thing to try."""
_OF_START: Final = frozenset({"init_killed", "no_init", "no_root"})
"""Details of a start that failed for what is on the disk, or not."""
_BOARDS: Final = ("arm", "mips", "riscv64", "riscv", "xtensa", "sh", "m68k")
"""Architectures whose machines mostly have a serial console and no journal."""


KERNEL_LOG: Final = "journalctl -k -b -1"
_VERSION: Final = "uname -a"

HEADLINE: Final = Missing(
    "headline",
    "the line above the first one here, with BUG:, Oops:, Unable to handle or WARNING:",
    "it says what happened, and at which address",
    KERNEL_LOG,
)
ADDRESS: Final = Missing(
    "address",
    "the end of the headline, with the address that could not be used",
    "NULL, an error code, freed memory and garbage differ by it",
    KERNEL_LOG,
)
REGISTERS: Final = Missing(
    "registers",
    "the registers and the Code: line below the headline",
    "they show which pointer was bad, and what it held",
    KERNEL_LOG,
)
TRACE: Final = Missing(
    "trace",
    "the call trace below the registers, down to the end trace mark",
    "it shows who called, and with that whose code is to blame",
    KERNEL_LOG,
)
VERSION: Final = Missing(
    "version",
    "the version of the kernel",
    "whether it is fixed in a newer one depends on it",
    _VERSION,
)
REPORT: Final = Missing(
    "report",
    "the report above the panic",
    "the panic only follows from it",
    f"{KERNEL_LOG}; ls /var/lib/systemd/pstore",
)

_WITHOUT_CODE: Final = msgspec.structs.replace(
    REGISTERS, what="the registers below the Code: line, and that line to its end"
)
_CONSOLE: Final = "picocom -g console.log /dev/ttyUSB0"
AFTER_PANIC: Final = (
    "the console of that crash (serial line, netconsole), /var/lib/systemd/pstore, or a photo: a"
    " panic reaches no journal"
)
AFTER_LOADING: Final = "dmesg, on that machine: if it still runs, only the loading died"
_BEFORE_INIT: Final = (
    "a serial line (console=ttyS0,115200; of a virtual machine on its host), or photos of the"
    " screens with boot_delay=200: no journal runs yet"
)
_TRACELESS: Final = regex(r"ring \S+ timeout|GPU (?:reset|HANG|recovery)|workqueue lockup")
"""Headlines of hangs under which no trace is printed (`drivers/gpu/drm`, `kernel/workqueue.c`)."""
_OF_CRASH: Final = regex(r"^\s*#\d+ \[")
"""A frame as the bt of crash prints it."""


def to_bring(context: Context) -> Iterator[Missing]:
    """Yield what is missing with what brings it from where the text came from."""
    # Why the first process ended is in its own words, not in a report.
    needless: tuple[Missing, ...] = ()
    if not _OF_START.isdisjoint(context.report.details):
        needless = (
            (REPORT, TRACE, VERSION) if "init_killed" in context.report.details else (VERSION,)
        )
    if _TRACELESS.search(context.report.message):
        needless = (TRACE,)
    if context.report.kind in _WITHOUT_VERSION:
        needless = (VERSION,)
    for part in missing(context.report):
        if part not in needless:
            yield part if part is VERSION else _from_there(part, context)


def is_before_init(report: Report) -> bool:
    """Whether the kernel was still starting, as its first task, so that no journal ran yet."""
    return report.pid == 1 and (report.comm or "").startswith("swapper")


def _from_there(part: Missing, context: Context) -> Missing:
    report = context.report
    if context.rejoined:
        bring = "the log as a file, attached: a mail or a terminal broke the lines of this text"
    elif "typed_crash" in report.details or _OF_CRASH.match(report.details.get("headless", "")):
        bring = "log (in crash, beside bt)"
    elif "typed_module" in report.details:
        bring = AFTER_LOADING
    elif is_before_init(report):
        bring = _BEFORE_INIT
    elif report.kind is Kind.PANIC:
        bring = AFTER_PANIC
    elif report.arch in _BOARDS and not report.wall_clock:
        bring = f"{_CONSOLE} (the serial console, from the start on), or {part.how}"
    else:
        return part
    return msgspec.structs.replace(part, how=bring)


def missing(report: Report) -> Iterator[Missing]:
    """Yield what a report of its kind has and this one lacks, what would help most first."""
    if "headless" in report.details:
        yield HEADLINE
    elif report.kind is Kind.PAGE_FAULT and not (report.fault and report.fault.address):
        yield ADDRESS
    if report.kind is Kind.PANIC and "trace" not in report.cited:
        yield REPORT
    if report.kind in CRASHES and not report.registers:
        yield _WITHOUT_CODE if "code" in report.cited else REGISTERS
    told = "trace" in report.cited or "bare_backtrace" in report.details
    if report.kind in _TRACED and not told:
        yield TRACE
    if not report.kernel_release and report.is_kernel_fault:
        yield VERSION
