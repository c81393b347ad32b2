"""A run of the lab: a guest is booted, modules are inserted, triggers pulled, the console read."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from pagefault_doctor import klog
from pagefault_doctor.lab import initramfs
from pagefault_doctor.lab import kdump as in_guest
from pagefault_doctor.lab.debug import KERNEL_ARG, BreakPlace, Start, watch
from pagefault_doctor.lab.guest import GuestHost
from pagefault_doctor.lab.machine import release_of
from pagefault_doctor.lab.module import Module, shipped
from pagefault_doctor.lab.vm import Setup, VirtualMachine
from pagefault_doctor.model.command import Command, Result
from pagefault_doctor.model.errors import PfDoctorError
from pagefault_doctor.model.log import KernelLog

ALWAYS: Final = ("oops=panic", "softlockup_panic=1")
"""Kernel arguments of every run: a guest that stands still can be dumped."""

QUIET: Final = 0.6
"""Seconds without a word on the console after which nothing more is expected."""

LONGEST_BOOT: Final = 60.0
"""Seconds in which a guest has to come up; a slow machine takes 10."""

LONGEST_WAIT: Final = 5.0
"""Seconds that a talkative console is listened to after the last trigger."""

SPARE: Final = 64 << 20
"""Bytes that a dump must leave free on the disk."""

Tell = Callable[[str, float, str], None]
"""Told of each part that is over: its name, its seconds, and a few words."""


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """What one guest did.

    `log` is its console as read, with the reports that came after the insertion began. `vmcore` is
    set where its memory was dumped; `notes` say what else the person should know.
    """

    console: str
    log: KernelLog
    panicked: bool
    vmcore: Path | None = None
    notes: tuple[str, ...] = ()

    @property
    def reproduced(self) -> bool:
        """Whether the kernel reported a fault."""
        return bool(self.log.reports)


class LabRun:
    """Guests of one kernel with the same modules and triggers, booted one after another.

    `triggers` are argument lists that run in the guest after all modules were inserted. `timeout`
    is how many seconds a guest has, from its boot to the end of its last trigger. With `kdump` the
    guest's own capture kernel writes the dump, else QEMU does.
    """

    def __init__(
        self,
        setup: Setup,
        modules: tuple[Module, ...],
        triggers: tuple[tuple[str, ...], ...],
        timeout: float,
        tell: Tell,
        *,
        kdump: bool = False,
    ) -> None:
        self._kdump = kdump
        self._setup = msgspec.structs.replace(
            setup, append=" ".join((*ALWAYS, setup.append)).strip()
        )
        self._capture = msgspec.structs.replace(
            self._setup,
            append=f"{self._setup.append} {in_guest.KERNEL_ARG}",
            memory=in_guest.MEMORY,
            disk=in_guest.DISK,
        )
        self._commands = (*(("modprobe", m.name) for m in modules), *triggers)
        self.modules = modules
        self.release = release_of(setup.kernel)
        self.stock = setup.stock
        self._timeout = timeout
        self._tell = tell
        began = time.monotonic()
        self._image = _image(setup, modules, kdump)
        tell("pack", time.monotonic() - began, f"initramfs of {len(self._image) >> 20} MiB")

    def attempt(self, vmcore: Path | None) -> Attempt:
        """Boot a guest, do it all, and return what came of it.

        Where `vmcore` is given and the guest panics, its memory is written there. Raises
        PfDoctorError where the guest does not boot.
        """
        began = time.monotonic()
        until = began + self._timeout
        capture = self._kdump and vmcore is not None
        with VirtualMachine(self._capture if capture else self._setup, self._image) as machine:
            guest = self._boot(machine)
            if capture:
                _load_capture(guest)
            self._told("boot", began, self.release)
            before = machine.console().count("\n")
            began = time.monotonic()
            notes = self._provoke(guest, until)
            _listen(machine, until)
            panicked = machine.panicked()
            self._told("insert", began, "the kernel panicked" if panicked else "no panic")
            dumped = self._dump(machine, vmcore) if vmcore and panicked else ""
            console = machine.console()
        return Attempt(
            console=console,
            log=_read(console, before),
            panicked=panicked,
            vmcore=vmcore if panicked and not dumped else None,
            notes=(*notes, dumped) if dumped else notes,
        )

    def debug(self, place: BreakPlace, start: Start, *, vmlinux: str, by_hand: bool) -> Result:
        """Boot a guest, do it all while gdb watches the place, and return gdb's result."""
        began = time.monotonic()
        until = began + self._timeout
        append = f"{self._setup.append} {KERNEL_ARG}"
        setup = msgspec.structs.replace(self._setup, append=append)
        with VirtualMachine(setup, self._image) as machine:
            guest = self._boot(machine)
            self._told("boot", began, "once more, for gdb")
            began = time.monotonic()

            def provoke() -> None:
                self._provoke(guest, until)
                _listen(machine, until)

            watched = watch(
                guest, self.modules, place, provoke, start, vmlinux=vmlinux, by_hand=by_hand
            )
        self._told("gdb", began, f"at {place.function}+{place.offset:#x}")
        return watched

    def _boot(self, machine: VirtualMachine) -> GuestHost:
        patience = min(LONGEST_BOOT, self._timeout)
        try:
            return GuestHost(machine, boot_timeout=patience)
        except PfDoctorError as error:
            said = machine.console().strip().rpartition("\n")[2] or "its console is silent"
            problem = f"the guest did not boot in {patience:.0f} s"
            raise PfDoctorError(problem, f"last it said: {said}") from error

    def _provoke(self, guest: GuestHost, until: float) -> tuple[str, ...]:
        """Insert and trigger up to the guest's end; return what went wrong beside a panic."""
        notes: list[str] = []
        for argv in self._commands:
            left = max(until - time.monotonic(), 1)
            result = guest.run(Command(argv=argv, tool="lab", timeout=left))
            if guest.machine.panicked():
                break
            if not result.ok:
                notes.append(_told_of(result))
            if result.exit_code is None:
                break
        return tuple(notes)

    def _dump(self, machine: VirtualMachine, vmcore: Path) -> str:
        """Write the memory; return why not, where it cannot be."""
        began = time.monotonic()
        size = self._setup.memory << 20
        if shutil.disk_usage(vmcore.parent).free < size + SPARE:
            return f"no dump: {vmcore.parent} has not {size >> 20} MiB to spare"
        try:
            if self._kdump:
                in_guest.collect(machine.console(), machine.disk, vmcore)
            else:
                machine.dump(vmcore)
        except PfDoctorError as error:
            return f"no dump: {error}"
        self._told("dump", began, f"{vmcore.stat().st_size >> 20} MiB")
        return ""

    def _told(self, name: str, began: float, words: str) -> None:
        self._tell(name, time.monotonic() - began, words)


def _load_capture(guest: GuestHost) -> None:
    result = guest.run(in_guest.LOAD)
    if not result.ok:
        said = (result.errors.strip().splitlines() or [result.status.value])[-1]
        raise PfDoctorError(f"the guest could not load its capture kernel: {said}")


def _image(setup: Setup, modules: tuple[Module, ...], kdump: bool) -> bytes:
    release, stock = release_of(setup.kernel), setup.stock
    files = {initramfs.module_path(release, m.name): m.data for m in modules}
    own = {m.name.replace("-", "_") for m in modules}
    wanted = dict.fromkeys(name for m in modules for name in m.depends if name not in own)
    files |= shipped(release, tuple(wanted), stock)
    if not kdump:
        return initramfs.build(release, files, stock=stock)
    files |= in_guest.guest_files(setup.kernel, release)
    return initramfs.build(release, files, ("kexec",), stock)


def _listen(machine: VirtualMachine, until: float) -> None:
    """Wait until the console has been quiet for a while: faults may come from a timer or thread."""
    until = min(until, time.monotonic() + LONGEST_WAIT)
    heard, quiet_since = -1, time.monotonic()
    while not machine.panicked() and time.monotonic() < until:
        said = len(machine.console())
        if said != heard:
            heard, quiet_since = said, time.monotonic()
        elif time.monotonic() - quiet_since > QUIET:
            return
        time.sleep(0.1)


def _read(console: str, before: int) -> KernelLog:
    """Read the console; what the kernel reported in its first `before` lines is not meant."""
    log = klog.read(console.encode(), "serial.log")
    meant = tuple(report for report in log.reports if report.span.first_line > before)
    return msgspec.structs.replace(log, reports=meant)


def _told_of(result: Result) -> str:
    said = next((line for line in result.errors.splitlines() if line.strip()), "")
    how = f"exit code {result.exit_code}" if result.exit_code else result.status.value
    return f"{result.command.text}: {how}" + (f", {said.strip()}" if said else "")
