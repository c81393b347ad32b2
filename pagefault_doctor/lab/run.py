"""A lab run: boot a guest, insert the modules, run the triggers, read the console."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from pagefault_doctor import klog
from pagefault_doctor.lab import initramfs
from pagefault_doctor.lab import kdump as guest_kdump
from pagefault_doctor.lab.debug import KERNEL_ARG, BreakPlace, Start, watch
from pagefault_doctor.lab.guest import GuestHost
from pagefault_doctor.lab.module import Module
from pagefault_doctor.lab.stock import release_of
from pagefault_doctor.lab.vm import Setup, VirtualMachine
from pagefault_doctor.model.command import Command, Result
from pagefault_doctor.model.errors import PfDoctorError
from pagefault_doctor.model.log import KernelLog

KERNEL_ARGS: Final = ("oops=panic", "softlockup_panic=1")
"""Kernel arguments of every run: after a panic the guest stops and can be dumped."""

QUIET_SECONDS: Final = 0.6
"""Seconds without console output after which nothing more is expected."""

BOOT_TIMEOUT: Final = 60.0
"""Seconds for a guest to boot; a slow machine takes 10."""

FOREIGN_BOOT_TIMEOUT: Final = 240.0
"""Seconds for a guest of another architecture, which is emulated: 10, where little else runs."""

MAX_CONSOLE_WAIT: Final = 5.0
"""Seconds to wait after the last trigger while the console keeps printing."""

MIN_FREE_BYTES: Final = 64 << 20
"""Bytes that must stay free on the disk after a dump."""

PartDone = Callable[[str, float, str], None]
"""Called after each part of a run with its name, its seconds, and a short result."""


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """The result of one guest.

    `log` is its console, with the reports from the insertion on. `vmcore` is set if its memory was
    dumped; `refused` is the error of the first module that was not loaded, though the kernel lived;
    `notes` are other problems that the person should know.
    """

    console: str
    log: KernelLog
    panicked: bool
    vmcore: Path | None = None
    refused: str = ""
    notes: tuple[str, ...] = ()

    @property
    def reproduced(self) -> bool:
        """Whether the kernel reported a fault."""
        return bool(self.log.reports)


class LabRun:
    """Guests of one kernel with the same modules and triggers, booted one after another.

    `triggers` are argument lists that run in the guest after all modules were inserted. `timeout`
    is the time of a guest in seconds, from its boot to the end of its last trigger. With `kdump`
    the guest's own capture kernel writes the dump, else QEMU does.
    """

    def __init__(
        self,
        setup: Setup,
        modules: tuple[Module, ...],
        triggers: tuple[tuple[str, ...], ...],
        timeout: float,
        part_done: PartDone,
        *,
        kdump: bool = False,
    ) -> None:
        self._kdump = kdump
        self._setup = msgspec.structs.replace(
            setup, append=" ".join((*KERNEL_ARGS, setup.append)).strip()
        )
        self._capture = msgspec.structs.replace(
            self._setup,
            append=f"{self._setup.append} {guest_kdump.KERNEL_ARG}",
            memory=guest_kdump.MEMORY,
            disk=guest_kdump.DISK,
        )
        self._loads = tuple(("modprobe", module.name) for module in modules)
        self._triggers = triggers
        self.modules = modules
        self.release = release_of(setup.kernel)
        self.stock = setup.stock
        self._timeout = timeout
        self._part_done = part_done
        began = time.monotonic()
        self._image = _image(setup, modules, kdump)
        part_done("pack", time.monotonic() - began, f"initramfs of {len(self._image) >> 20} MiB")

    def attempt(self, vmcore: Path | None) -> Attempt:
        """Boot a guest, insert the modules, run the triggers, and return the result.

        If `vmcore` is given and the guest panics, its memory is written there. Raises PfDoctorError
        if the guest does not boot.
        """
        began = time.monotonic()
        until = began + self._timeout
        capture = self._kdump and vmcore is not None
        with VirtualMachine(self._capture if capture else self._setup, self._image) as machine:
            guest = self._boot(machine)
            if capture:
                _load_capture(guest)
            self._report("boot", began, self.release)
            before = machine.console().count("\n")
            began = time.monotonic()
            failed = self._provoke(guest, until)
            _wait_until_quiet(machine, until)
            panicked = machine.panicked()
            self._report("insert", began, "the kernel panicked" if panicked else "no panic")
            dumped = self._dump(machine, vmcore) if vmcore and panicked else ""
            console = machine.console()
        notes = tuple(map(_failure_text, failed))
        return Attempt(
            console=console,
            log=_read_console(console, before),
            panicked=panicked,
            vmcore=vmcore if panicked and not dumped else None,
            refused=self._refused(failed, console.splitlines()[before:]),
            notes=(*notes, dumped) if dumped else notes,
        )

    def boot(self) -> float:
        """Boot a guest and end it; return the seconds until it answered.

        Raises PfDoctorError if it does not boot.
        """
        began = time.monotonic()
        with VirtualMachine(self._setup, self._image) as machine:
            self._boot(machine)
            return time.monotonic() - began

    def debug(self, place: BreakPlace, start: Start, *, vmlinux: str, by_hand: bool) -> Result:
        """Boot a guest, insert and trigger while gdb waits at the place; return gdb's result."""
        began = time.monotonic()
        until = began + self._timeout
        append = f"{self._setup.append} {KERNEL_ARG}"
        setup = msgspec.structs.replace(self._setup, append=append)
        with VirtualMachine(setup, self._image) as machine:
            guest = self._boot(machine)
            self._report("boot", began, "once more, for gdb")
            began = time.monotonic()

            def provoke() -> None:
                self._provoke(guest, until)
                _wait_until_quiet(machine, until)

            result = watch(
                guest, self.modules, place, provoke, start, vmlinux=vmlinux, by_hand=by_hand
            )
        self._report("gdb", began, f"at {place.function}+{place.offset:#x}")
        return result

    def _boot(self, machine: VirtualMachine) -> GuestHost:
        own = BOOT_TIMEOUT if self.stock.machine.native else FOREIGN_BOOT_TIMEOUT
        timeout = min(own, self._timeout)
        try:
            return GuestHost(machine, boot_timeout=timeout)
        except PfDoctorError as error:
            last_line = machine.console().strip().rpartition("\n")[2] or "its console is silent"
            raise PfDoctorError(error.problem, f"last it said: {last_line}") from error

    def _provoke(self, guest: GuestHost, until: float) -> tuple[Result, ...]:
        """Insert and trigger until the guest ends; return what failed other than by a panic."""
        failed: list[Result] = []
        for argv in (*self._loads, *self._triggers):
            seconds_left = max(until - time.monotonic(), 1)
            result = guest.run(Command(argv=argv, tool="lab", timeout=seconds_left))
            if guest.machine.panicked():
                break
            if not result.ok:
                failed.append(result)
            if result.exit_code is None:
                break
        return tuple(failed)

    def _refused(self, failed: tuple[Result, ...], console: list[str]) -> str:
        """Return the error of the first module that was not loaded, with what the kernel said."""
        loads = (r for r in failed if r.command.argv in self._loads and r.exit_code is not None)
        result = next(loads, None)
        if result is None:
            return ""
        name = result.command.argv[-1].replace("-", "_")
        said = [line.rpartition(f"] {name}: ")[2] for line in console if f"] {name}: " in line]
        return "; ".join((_last_message(result), *said[-1:]))

    def _dump(self, machine: VirtualMachine, vmcore: Path) -> str:
        """Write the memory to `vmcore`; return the reason if that fails, else an empty string."""
        began = time.monotonic()
        size = self._setup.guest_memory << 20
        if shutil.disk_usage(vmcore.parent).free < size + MIN_FREE_BYTES:
            return f"no dump: {vmcore.parent} has not {size >> 20} MiB to spare"
        try:
            if self._kdump:
                guest_kdump.collect(machine.console(), machine.disk, vmcore)
            else:
                machine.dump(vmcore)
        except PfDoctorError as error:
            return f"no dump: {error}"
        self._report("dump", began, f"{vmcore.stat().st_size >> 20} MiB")
        return ""

    def _report(self, name: str, began: float, words: str) -> None:
        self._part_done(name, time.monotonic() - began, words)


def _load_capture(guest: GuestHost) -> None:
    result = guest.run(guest_kdump.LOAD)
    if not result.ok:
        message = (result.errors.strip().splitlines() or [result.status.value])[-1]
        raise PfDoctorError(f"the guest could not load its capture kernel: {message}")


def _image(setup: Setup, modules: tuple[Module, ...], kdump: bool) -> bytes:
    release, stock = release_of(setup.kernel), setup.stock
    files = initramfs.module_files(release, modules, stock)
    if not kdump:
        return initramfs.build(release, files, stock=stock)
    files |= guest_kdump.guest_files(setup.kernel, release)
    return initramfs.build(release, files, ("kexec",), stock)


def _wait_until_quiet(machine: VirtualMachine, until: float) -> None:
    """Wait until the console is quiet: a fault may come later, from a timer or a thread."""
    machine.wait_for_panic(min(until - time.monotonic(), MAX_CONSOLE_WAIT), QUIET_SECONDS)


def _read_console(console: str, before: int) -> KernelLog:
    """Return the console as a log, without reports that begin in its first `before` lines."""
    log = klog.read(console.encode(), "serial.log")
    reports = tuple(report for report in log.reports if report.span.first_line > before)
    return msgspec.structs.replace(log, reports=reports)


def _last_message(result: Result) -> str:
    """Return what a program that failed said last, else how it ended."""
    lines = [line for line in result.errors.splitlines() if line.strip()]
    return lines[-1].strip() if lines else _failure_text(result)


def _failure_text(result: Result) -> str:
    message = next((line for line in result.errors.splitlines() if line.strip()), "")
    how = f"exit code {result.exit_code}" if result.exit_code else result.status.value
    return f"{result.command.text}: {how}" + (f", {message.strip()}" if message else "")
