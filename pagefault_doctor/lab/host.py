"""The box of a case as a host: a guest that is ill, booted anew where it must be, and a desk.

The person meets a machine called lab whose module or hardware faults. Behind it are guests, one
after another: the first crashes and leaves a dump; the next falls ill and lives on, to be looked
at. Before anything is tried out, a fresh one takes its place. Where a guest's kernel panics, its
memory and log are saved as kdump would, and a fresh guest is booted, as the box would reboot.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, Self

import msgspec

from pagefault_doctor.hosts.host import OnOutput
from pagefault_doctor.lab import host_tools, initramfs
from pagefault_doctor.lab.guest import LAST_WORDS, GuestHost
from pagefault_doctor.lab.machine import release_of
from pagefault_doctor.lab.module import shipped
from pagefault_doctor.lab.target import LabTarget
from pagefault_doctor.lab.vm import Setup, VirtualMachine
from pagefault_doctor.model.command import Command, Result, ResultStatus, Risk
from pagefault_doctor.model.errors import PfDoctorError

TRIAL: Final = "dmesg-before"
"""The tool that begins a trial, of the faulty module or the fixed one: on a clean kernel."""

REBOOTS: Final = (("reboot",), ("systemctl", "reboot"))

CRASHES: Final = "/var/crash"

CUT_SHORT: Final = "cut short: the kernel panicked, and the machine was booted anew"

_PATIENCE: Final = 10.0
"""Seconds in which a guest that was provoked may come to its panic."""

_QUIET: Final = 0.6
"""Seconds without a word on the console after which no panic is expected any more."""

_POLLED: Final = 3.0
"""The same after an injected event: a kernel asks for some of them only every second or so."""


class LabHost:
    """The box of a case. Nothing is booted before the first command; `close` ends it.

    `folder` is where dumps are kept while it lasts.
    """

    live = True
    name = GuestHost.name

    def __init__(self, target: LabTarget, folder: Path) -> None:
        self.target = target
        self.release = release_of(target.kernel)
        places = {**target.places, CRASHES: folder / "crash"}
        self.tools_here = host_tools.HostTools(self.name, places, target.stock)
        self._guest: GuestHost | None = None
        self._fell_ill = False
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
            if not self._fell_ill:
                self.fall_ill(say, cancel)
            if is_here(command):
                return self.tools_here.run(command, on_output, cancel)
            if command.argv in REBOOTS:
                self._boot(say, cancel)
                seconds = time.monotonic() - began
                return Result(command=command, status=ResultStatus.OK, exit_code=0, seconds=seconds)
            if command.tool == TRIAL and not self._clean:
                say("lab: a trial begins on a clean kernel\n")
                self._boot(say, cancel)
            return self._in_guest(command, say, cancel)
        except _Cancelled:
            return Result(command=command, status=ResultStatus.CANCELLED)
        except PfDoctorError as error:
            return Result(command=command, status=ResultStatus.FAILED, errors=str(error))

    def knows(self, tool: str) -> bool:
        """Return True: whatever a tool asks is really run."""
        return True

    def run_asking(self, command: Command) -> Result:
        """Run it as any other: in the guest everybody is root, and nobody is asked."""
        return self.run(command)

    def on_terminal(self, command: Command) -> Command:
        """Return what runs an interactive command on our terminal: it belongs to the desk."""
        return self.tools_here.on_terminal(command)

    def close(self) -> None:
        """End the guest, if one runs."""
        if self._guest:
            self._guest.close()
        self._guest = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def fall_ill(self, say: OnOutput, cancel: threading.Event) -> str:
        """Crash a box and let the next one fault; return the console of the one that crashed.

        The first panics at its fault, and its memory is kept as kdump would. A fault that the
        kernel survives even with oops=panic leaves no dump. The next one lives on where it can.
        """
        say("lab: the machine of the case crashes first, and leaves a dump\n")
        guest = self._boot(say, cancel, "oops=panic")
        if self._provoke(guest, say, cancel):
            self._save_dump(guest, say)
        console = guest.machine.console()
        say("lab: it is booted again, and faults once more\n")
        guest = self._boot(say, cancel)
        if self._provoke(guest, say, cancel):
            self._save_log(guest)
            self._boot(say, cancel)
        self._fell_ill = True
        return console

    def _provoke(self, guest: GuestHost, say: OnOutput, cancel: threading.Event) -> bool:
        """Do all that makes the guest fault; return whether its kernel panicked of it."""
        self._clean = False
        loads = (("modprobe", module.name) for module in self.target.modules)
        for argv in (*loads, *self.target.trigger):
            command = Command(argv=argv, tool="lab")
            say(f"lab: {command.text}\n")
            result = guest.run(command, cancel=cancel)
            if cancel.is_set():
                raise _Cancelled
            if result.exit_code is None:
                break
        for event in self.target.inject:
            say(f"lab: the hardware is told: {event}\n")
            guest.machine.inject(event)
            if guest.machine.wait_for_panic(_PATIENCE, _POLLED):
                return True
        return guest.machine.wait_for_panic(_PATIENCE, _QUIET)

    def _in_guest(self, command: Command, say: OnOutput, cancel: threading.Event) -> Result:
        guest = self._guest or self._boot(say, cancel)
        harmless = command.risk is Risk.READ
        self._deliver(guest, command)
        self._clean = self._clean and harmless
        result = guest.run(command, say, cancel)
        if command.risk is Risk.CRASH:
            guest.machine.wait_for_panic(_PATIENCE, _QUIET)
        if guest.machine.panicked():
            after = self._after_panic(guest, result, say, cancel)
            return self._in_guest(command, say, cancel) if harmless else after
        return self.tools_here.with_programs(result) if command.tool == "box" else result

    def _after_panic(
        self, guest: GuestHost, result: Result, say: OnOutput, cancel: threading.Event
    ) -> Result:
        """Do what kdump and a watchdog would; return the result with the guest's last words."""
        say("lab: the kernel panicked\n")
        self._save_dump(guest, say)
        self._save_log(guest)
        words = guest.machine.console().splitlines()[-LAST_WORDS:]
        self._boot(say, cancel)
        return msgspec.structs.replace(
            result,
            status=ResultStatus.SIGNALED,
            exit_code=None,
            errors="\n".join((CUT_SHORT, *words)),
        )

    def _save_dump(self, guest: GuestHost, say: OnOutput) -> None:
        path = self._kept("dump")
        guest.machine.dump(path)
        say(f"lab: {path.stat().st_size >> 20} MiB of its memory saved under {CRASHES}\n")

    def _save_log(self, guest: GuestHost) -> None:
        self._kept("dmesg").write_text(guest.machine.console())

    def _kept(self, name: str) -> Path:
        """Return the path of a new file of a crash, named as kdump-tools does."""
        stamp = time.strftime("%Y%m%d%H%M")
        folder = self.tools_here.path(f"{CRASHES}/{stamp}")
        folder.mkdir(parents=True, exist_ok=True)
        return folder / f"{name}.{stamp}"

    def _boot(self, say: OnOutput, cancel: threading.Event, *more_args: str) -> GuestHost:
        """Put a newly booted guest in the place of the present one."""
        self.close()
        began = time.monotonic()
        say(f"lab: booting {self.release}\n")
        append = " ".join((*self.target.kernel_args, *more_args))
        target = self.target
        setup = Setup(kernel=target.kernel, stock=target.stock, append=append)
        machine = VirtualMachine(setup, self._built())
        self._guest = guest = _started(machine, cancel.is_set)
        self._clean, self._delivered = True, {}
        for module in self.target.modules:
            if module.name != self.target.suspect:
                guest.run(Command(argv=("modprobe", module.name), tool="lab"), cancel=cancel)
        say(f"lab: up in {time.monotonic() - began:.1f} s\n")
        return guest

    def _built(self) -> bytes:
        """Return the archive that every guest boots."""
        if not self._image:
            modules = self.target.modules
            files = {initramfs.module_path(self.release, m.name): m.data for m in modules}
            own = {module.name.replace("-", "_") for module in modules}
            needed = (name for module in modules for name in module.depends if name not in own)
            stock = self.target.stock
            needed_files = shipped(self.release, tuple(dict.fromkeys(needed)), stock)
            self._image = initramfs.build(self.release, needed_files | files, stock=stock)
        return self._image

    def _deliver(self, guest: GuestHost, command: Command) -> None:
        """Give the guest the files of the source folder that a command names, as they are now."""
        if not self.target.source:
            return
        for word in command.argv:
            if not word.startswith(f"{self.target.source}/"):
                continue
            path = self.tools_here.path(word)
            data = path.read_bytes() if path.is_file() else b""
            if data and self._delivered.get(word) != data:
                guest.put(word, data)
                self._delivered[word] = data


def is_here(command: Command) -> bool:
    """Return whether a command for the lab's box runs on this machine, and not in the guest."""
    return command.tool in host_tools.TOOLS


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
