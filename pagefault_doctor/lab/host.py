"""The box of a case as a host: a guest that is ill, booted anew where it must be, and a desk.

The person meets a machine called lab whose module faults. Behind it are guests, one after another:
the first crashes and leaves a dump; the next falls ill and lives on, to be looked at. Before
anything is tried out, a fresh one takes its place. Where a guest's kernel panics, its memory and
log are saved as kdump would, and a fresh guest is booted, as the box would reboot.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import msgspec

from pagefault_doctor.hosts.host import OnOutput
from pagefault_doctor.lab import desk, initramfs
from pagefault_doctor.lab.guest import GuestHost
from pagefault_doctor.lab.module import shipped
from pagefault_doctor.lab.patient import Patient
from pagefault_doctor.lab.vm import Setup, VirtualMachine, release_of
from pagefault_doctor.model.command import Command, Result, ResultStatus
from pagefault_doctor.model.errors import PfDoctorError

TRIAL: Final = "dmesg-before"
"""The tool that begins a trial, of the faulty module or the fixed one: on a clean kernel."""

REBOOTS: Final = (("reboot",), ("systemctl", "reboot"))

CRASHES: Final = "/var/crash"

CUT_SHORT: Final = "cut short: the kernel panicked, and the machine was booted anew"

_PATIENCE: Final = 10.0
"""Seconds in which a guest with oops=panic has to panic after its last trigger."""

_GRACE: Final = 1.5
"""Seconds in which a guest that is to live on may show that it does not."""


class LabHost:
    """The box of a case. Nothing is booted before the first command; `close` ends it.

    `folder` is where dumps are kept while it lasts.
    """

    live = True
    name = GuestHost.name

    def __init__(self, patient: Patient, folder: Path) -> None:
        self.patient = patient
        self.release = release_of(patient.kernel)
        self.desk = desk.Desk(self.name, {**patient.places, CRASHES: folder / "crash"})
        self._guest: GuestHost | None = None
        self._clean = False
        self._delivered: dict[str, bytes] = {}
        self._image = b""

    def run(
        self,
        command: Command,
        on_output: OnOutput | None = None,
        cancel: threading.Event | None = None,
    ) -> Result:
        """Run a command in the guest, or at the desk where its tool belongs there.

        What the lab itself does first is told through `on_output`. Never raises: a lab that cannot
        be had gives `failed` with the reason, a guest that panics `signaled`.
        """
        began = time.monotonic()
        say = on_output or (lambda text: None)
        cancel = cancel or threading.Event()
        try:
            if self._guest is None:
                self.fall_ill(say, cancel)
            if command.tool in desk.TOOLS:
                return self.desk.run(command, on_output, cancel)
            if command.argv in REBOOTS:
                self._boot(say, cancel)
                seconds = time.monotonic() - began
                return Result(command=command, status=ResultStatus.OK, exit_code=0, seconds=seconds)
            if command.tool == TRIAL and not self._clean:
                self._boot(say, cancel)
            return self._in_guest(command, say, cancel)
        except _Cancelled:
            return Result(command=command, status=ResultStatus.CANCELLED)
        except PfDoctorError as error:
            return Result(command=command, status=ResultStatus.FAILED, errors=str(error))

    def close(self) -> None:
        """End the guest, if one runs."""
        if self._guest:
            self._guest.close()
        self._guest = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def fall_ill(self, say: OnOutput, cancel: threading.Event) -> str:
        """Crash a box and let the next one fault; return the console of the one that crashed.

        The first panics at its fault, and its memory is kept as kdump would. A fault that the
        kernel survives even with oops=panic leaves no dump. The next one lives on where it can.
        """
        guest = self._boot(say, cancel, "oops=panic")
        self._provoke(say)
        if guest.machine.wait_for_panic(_PATIENCE):
            self._save_dump(guest, say)
        console = guest.machine.console()
        guest = self._boot(say, cancel)
        self._provoke(say)
        if guest.machine.wait_for_panic(_GRACE):
            self._save_log(guest)
            self._boot(say, cancel)
        return console

    def _provoke(self, say: OnOutput) -> None:
        """Do all that makes the guest fault."""
        assert self._guest
        self._clean = False
        loads = (("modprobe", module.name) for module in self.patient.modules)
        for argv in (*loads, *self.patient.trigger):
            command = Command(argv=argv, tool="lab")
            say(f"lab: {command.text}\n")
            if self._guest.run(command).exit_code is None:
                return

    def _in_guest(self, command: Command, say: OnOutput, cancel: threading.Event) -> Result:
        assert self._guest
        self._deliver(command)
        self._clean = self._clean and command.tool == TRIAL
        result = self._guest.run(command, say, cancel)
        if command.tool == "box":
            return self.desk.with_programs(result)
        if result.exit_code is None and self._guest.machine.panicked():
            return self._after_panic(result, say, cancel)
        return result

    def _after_panic(self, result: Result, say: OnOutput, cancel: threading.Event) -> Result:
        """Do what kdump and a watchdog would, and tell the last words of the guest."""
        assert self._guest
        say("lab: the kernel panicked\n")
        self._save_dump(self._guest, say)
        self._save_log(self._guest)
        self._boot(say, cancel)
        errors = f"{CUT_SHORT}\n{result.errors}"
        return msgspec.structs.replace(result, status=ResultStatus.SIGNALED, errors=errors)

    def _save_dump(self, guest: GuestHost, say: OnOutput) -> None:
        path = self._kept("dump")
        guest.machine.dump(path)
        say(f"lab: {path.stat().st_size >> 20} MiB of its memory saved under {CRASHES}\n")

    def _save_log(self, guest: GuestHost) -> None:
        self._kept("dmesg").write_text(guest.machine.console())

    def _kept(self, name: str) -> Path:
        """Return the path of a new file of a crash, named as kdump-tools does."""
        stamp = time.strftime("%Y%m%d%H%M")
        folder = self.desk.path(f"{CRASHES}/{stamp}")
        folder.mkdir(parents=True, exist_ok=True)
        return folder / f"{name}.{stamp}"

    def _boot(self, say: OnOutput, cancel: threading.Event, *more_args: str) -> GuestHost:
        """Put a newly booted guest in the place of the present one."""
        self.close()
        began = time.monotonic()
        say(f"lab: booting {self.release}\n")
        append = " ".join((*self.patient.kernel_args, *more_args))
        machine = VirtualMachine(Setup(kernel=self.patient.kernel, append=append), self._built())
        self._guest = guest = _started(machine, cancel.is_set)
        self._clean, self._delivered = True, {}
        for module in self.patient.modules:
            if module.name != self.patient.suspect:
                guest.run(Command(argv=("modprobe", module.name), tool="lab"))
        say(f"lab: up in {time.monotonic() - began:.1f} s\n")
        return guest

    def _built(self) -> bytes:
        """Return the archive that every guest boots."""
        if not self._image:
            modules = self.patient.modules
            files = {initramfs.module_path(self.release, m.name): m.data for m in modules}
            own = {module.name.replace("-", "_") for module in modules}
            needed = (name for module in modules for name in module.depends if name not in own)
            needed_files = shipped(self.release, tuple(dict.fromkeys(needed)))
            self._image = initramfs.build(self.release, needed_files | files)
        return self._image

    def _deliver(self, command: Command) -> None:
        """Give the guest the files of the source folder that a command names, as they are now."""
        assert self._guest
        for word in command.argv:
            if not word.startswith(f"{self.patient.source}/"):
                continue
            path = self.desk.path(word)
            data = path.read_bytes() if path.is_file() else b""
            if data and self._delivered.get(word) != data:
                self._guest.put(word, data)
                self._delivered[word] = data


class _Cancelled(Exception):
    """The person does not want to wait for the guest."""


def _started(machine: VirtualMachine, cancelled: Callable[[], bool]) -> GuestHost:
    try:
        return GuestHost(machine, cancelled=cancelled)
    except BaseException as error:
        machine.close()
        if cancelled():
            raise _Cancelled from error
        raise
