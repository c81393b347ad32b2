"""A program's own fault."""

from __future__ import annotations

from collections.abc import Iterator

from pagefault_doctor.diagnosis.context import Context
from pagefault_doctor.model.diagnosis import Evidence
from pagefault_doctor.model.report import Kind, Report

_MESSAGES = (
    ("init_killed", "space.init", "the first process ended, which the kernel cannot survive"),
    ("no_root", "space.boot", "the kernel found no root file system where it was told to look"),
    ("no_init", "space.boot", "the kernel found no first process that it can run"),
)
_ABOVE = (
    ("ramdisk_error", "the initial ramdisk did not fit or is damaged: its file, or ramdisk_size"),
    ("unpack_error", "the initramfs is damaged or did not fit: its file, or memory"),
    ("rdinit_error", "the initramfs has no such program: was it packed whole, as cpio?"),
    ("init_error", "the program that the kernel was to start first cannot be run"),
    (
        "partition",
        "the kernel sees disks: the name in root= is not that of one of their partitions",
    ),
    ("partition_list", "the kernel sees no disk: its driver is missing, or the initramfs with it"),
)
"""Details, and what each tells of a machine that does not start (`init/do_mounts.c`,
`init/main.c`)."""
_ENDED = {
    126: "the first program found one that it may not run",
    127: "the first program did not find another, or its interpreter or a library",
}
"""Exit codes of shells (POSIX, 2.8.2)."""
_KILLED = {
    4: "an instruction that this processor does not have (SIGILL)",
    6: "its own check (SIGABRT)",
    7: "memory or a file that could not be read (SIGBUS)",
    9: "someone (SIGKILL)",
    11: "a bad pointer of its own (SIGSEGV)",
}


def _told(report: Report, context: Context) -> Iterator[Evidence]:
    """Weigh what the lines above a panic tell, or the exit code of the first process."""
    name, text = next(((n, t) for n, t in _ABOVE if n in report.details), ("", ""))
    if not name and "init_killed" in report.details:
        name, text = "exitcode", _end_of_init(int(report.details.get("exitcode", "0"), 16))
    if text:
        yield context.evidence("space.told", text, name)


def _end_of_init(code: int) -> str:
    """Return how the first process ended, by its wait status (`kernel/exit.c`, do_exit)."""
    signal, status = code & 0x7F, code >> 8 & 0xFF
    if signal:
        return f"the first process was ended by {_KILLED.get(signal, f'signal {signal}')}"
    return _ENDED.get(status, f"the first process returned {status}: it must never end")


def weigh(report: Report, context: Context) -> Iterator[Evidence]:
    """Weigh whether a program, not the kernel, is at fault."""
    if report.kind in (Kind.USER_SEGFAULT, Kind.USER_TRAP):
        who = report.comm or "a program"
        yield context.evidence("space.segfault", f"the fault happened in {who}, outside the kernel")
    elif found := context.first_evidence(_MESSAGES):
        yield found
        yield from _told(report, context)
