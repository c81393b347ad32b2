"""The lab machine as a host: a guest that faults, and this machine's tools for its files.

To the person it is one machine named lab with a faulty module or faulty hardware. Behind it is a
series of guests: the first panics and leaves a dump; the second faults and keeps running, for
inspection. A trial of a module begins in a fresh guest. If a guest's kernel panics, its memory and
log are saved as kdump would, and a fresh guest is booted, as a real machine would reboot.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from pagefault_doctor.hosts.host import Closing, OnOutput
from pagefault_doctor.lab import host_tools, initramfs
from pagefault_doctor.lab.guest import CRASH_CONSOLE_LINES, GuestHost
from pagefault_doctor.lab.stock import release_of
from pagefault_doctor.lab.target import LabTarget
from pagefault_doctor.lab.temp_folder import write_file
from pagefault_doctor.lab.vm import Setup, VirtualMachine
from pagefault_doctor.model.command import Command, Result, ResultStatus, Risk
from pagefault_doctor.model.errors import PfDoctorError

TRIAL_TOOL: Final = "dmesg-before"
"""The tool that begins a trial of the faulty or the fixed module; it needs a clean kernel."""

REBOOTS: Final = (("reboot",), ("systemctl", "reboot"))
"""Commands that boot a fresh guest instead of running in the guest."""

CRASHES: Final = "/var/crash"
"""Where the lab machine has its dumps, as with kdump-tools."""

CUT_SHORT: Final = "cut short: the kernel panicked, and the machine was booted anew"
"""First line of a command's errors if the kernel panicked under it."""

_PANIC_TIMEOUT: Final = 10.0
"""Seconds to wait for a panic after the trigger."""

_QUIET_SECONDS: Final = 0.6
"""Seconds without console output after which no panic is expected."""

_QUIET_SECONDS_INJECTED: Final = 3.0
"""The same after an injected event: the kernel polls for some of them about once a second."""


class LabHost(Closing):
    """The machine of a lab case. The first command boots it; `close` ends it.

    `folder` keeps the crash dumps while the lab runs.
    """

    live = True
    name = GuestHost.name

    def __init__(self, target: LabTarget, folder: Path) -> None:
        self.target = target
        self.release = release_of(target.kernel)
        places = {**target.places, CRASHES: folder / "crash"}
        self.tools_here = host_tools.HostTools(
            self.name, places, target.stock, source=target.source
        )
        self._guest: GuestHost | None = None
        self._has_faulted = False
        self._clean = False
        self._copied_files: dict[str, bytes] = {}
        self._image = b""

    def run(
        self,
        command: Command,
        on_output: OnOutput | None = None,
        cancel: threading.Event | None = None,
    ) -> Result:
        """Run a command in the guest, or on this machine if its tool belongs here.

        `on_output` also gets the lab's own progress lines. Never raises: a lab that cannot run
        gives `failed` with the reason, a guest that panics `signaled`.
        """
        began = time.monotonic()
        progress = on_output or (lambda text: None)
        cancel = cancel or threading.Event()
        try:
            if not self._has_faulted:
                self.crash_and_fault(progress, cancel)
            if runs_here(command):
                return self.tools_here.run(command, on_output, cancel)
            if command.argv in REBOOTS:
                self._boot(progress, cancel)
                seconds = time.monotonic() - began
                return Result(command=command, status=ResultStatus.OK, exit_code=0, seconds=seconds)
            if command.tool == TRIAL_TOOL and not self._clean:
                progress("lab: a trial begins on a clean kernel\n")
                self._boot(progress, cancel)
            return self._in_guest(command, progress, cancel)
        except _Cancelled:
            return Result(command=command, status=ResultStatus.CANCELLED)
        except (PfDoctorError, OSError) as error:
            return Result(command=command, status=ResultStatus.FAILED, errors=str(error))

    def knows(self, tool: str) -> bool:
        """Return True: every command is really run."""
        return True

    def run_asking(self, command: Command) -> Result:
        """Run a command as `run` does: the guest has only root, so nobody asks for a password."""
        return self.run(command)

    def on_terminal(self, command: Command) -> Command:
        """Return the command that runs an interactive tool on this machine's terminal."""
        return self.tools_here.on_terminal(command)

    def close(self) -> None:
        """Shut down the guest, if one runs."""
        if self._guest:
            self._guest.close()
        self._guest = None

    def crash_and_fault(self, progress: OnOutput, cancel: threading.Event) -> str:
        """Crash one guest and let a second one fault; return the console of the first.

        The first panics at its fault, and its memory is saved as kdump would. A fault that the
        kernel survives even with oops=panic leaves no dump. The second keeps running if its kernel
        does.
        """
        progress("lab: the machine of the case crashes first, and leaves a dump\n")
        guest = self._boot(progress, cancel, "oops=panic")
        if self._provoke(guest, progress, cancel):
            self._save_dump(guest, progress)
        console = guest.machine.console()
        progress("lab: it is booted again, and faults once more\n")
        guest = self._boot(progress, cancel)
        if self._provoke(guest, progress, cancel):
            self._save_log(guest)
            self._boot(progress, cancel)
        self._has_faulted = True
        return console

    def _provoke(self, guest: GuestHost, progress: OnOutput, cancel: threading.Event) -> bool:
        """Trigger the fault in a guest; return whether its kernel panicked."""
        self._clean = False
        loads = (("modprobe", module.name) for module in self.target.modules)
        for argv in (*loads, *self.target.trigger):
            command = Command(argv=argv, tool="lab")
            progress(f"lab: {command.text}\n")
            result = guest.run(command, cancel=cancel)
            if cancel.is_set():
                raise _Cancelled
            if result.exit_code is None:
                break
        for event in self.target.inject:
            progress(f"lab: the hardware is told: {event}\n")
            guest.machine.inject(event)
            if guest.machine.wait_for_panic(_PANIC_TIMEOUT, _QUIET_SECONDS_INJECTED):
                return True
        return guest.machine.wait_for_panic(_PANIC_TIMEOUT, _QUIET_SECONDS)

    def _in_guest(self, command: Command, progress: OnOutput, cancel: threading.Event) -> Result:
        guest = self._guest or self._boot(progress, cancel)
        harmless = command.risk is Risk.READ
        self._copy_source_files(guest, command)
        self._clean = self._clean and harmless
        result = guest.run(command, progress, cancel)
        if command.risk is Risk.CRASH:
            guest.machine.wait_for_panic(_PANIC_TIMEOUT, _QUIET_SECONDS)
        if guest.machine.panicked():
            after = self._after_panic(guest, result, progress, cancel)
            return self._in_guest(command, progress, cancel) if harmless else after
        return self.tools_here.with_programs(result) if command.tool == "box" else result

    def _after_panic(
        self, guest: GuestHost, result: Result, progress: OnOutput, cancel: threading.Event
    ) -> Result:
        """Save the dump and the log and reboot; return the result with the end of the console."""
        progress("lab: the kernel panicked\n")
        self._save_dump(guest, progress)
        self._save_log(guest)
        console_tail = guest.machine.console().splitlines()[-CRASH_CONSOLE_LINES:]
        self._boot(progress, cancel)
        return msgspec.structs.replace(
            result,
            status=ResultStatus.SIGNALED,
            exit_code=None,
            errors="\n".join((CUT_SHORT, *console_tail)),
        )

    def _save_dump(self, guest: GuestHost, progress: OnOutput) -> None:
        path = self._crash_file("dump")
        guest.machine.dump(path)
        progress(f"lab: {path.stat().st_size >> 20} MiB of its memory saved under {CRASHES}\n")

    def _save_log(self, guest: GuestHost) -> None:
        write_file(self._crash_file("dmesg"), guest.machine.console().encode())

    def _crash_file(self, name: str) -> Path:
        """Return the path of a new crash file, named as kdump-tools does."""
        stamp = time.strftime("%Y%m%d%H%M")
        folder = self.tools_here.path(f"{CRASHES}/{stamp}")
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            problem = f"{folder} could not be made: {error.strerror}"
            raise PfDoctorError(problem, "set TMPDIR to a folder with more room") from error
        return folder / f"{name}.{stamp}"

    def _boot(self, progress: OnOutput, cancel: threading.Event, *more_args: str) -> GuestHost:
        """Replace the guest by a newly booted one and return it."""
        self.close()
        began = time.monotonic()
        progress(f"lab: booting {self.release}\n")
        append = " ".join((*self.target.kernel_args, *more_args))
        target = self.target
        setup = Setup(kernel=target.kernel, stock=target.stock, append=append)
        machine = VirtualMachine(setup, self._initramfs())
        self._guest = guest = _start_guest(machine, cancel.is_set)
        self._clean, self._copied_files = True, {}
        for module in self.target.modules:
            if module.name != self.target.suspect:
                guest.run(Command(argv=("modprobe", module.name), tool="lab"), cancel=cancel)
        progress(f"lab: up in {time.monotonic() - began:.1f} s\n")
        return guest

    def _initramfs(self) -> bytes:
        """Return the initramfs of every guest."""
        if not self._image:
            stock = self.target.stock
            files = initramfs.module_files(self.release, self.target.modules, stock)
            self._image = initramfs.build(self.release, files, stock=stock)
        return self._image

    def _copy_source_files(self, guest: GuestHost, command: Command) -> None:
        """Copy the source files that a command names into the guest, if they have changed."""
        if not self.target.source:
            return
        for word in command.argv:
            if not word.startswith(f"{self.target.source}/"):
                continue
            path = self.tools_here.path(word)
            data = path.read_bytes() if path.is_file() else b""
            if data and self._copied_files.get(word) != data:
                guest.put(word, data)
                self._copied_files[word] = data


def runs_here(command: Command) -> bool:
    """Return whether a command for the lab machine runs on this machine, not in the guest."""
    return command.tool in host_tools.TOOLS


class _Cancelled(Exception):
    """The person cancelled the wait for the guest."""


def _start_guest(machine: VirtualMachine, cancelled: Callable[[], bool]) -> GuestHost:
    try:
        return GuestHost(machine, cancelled=cancelled)
    except BaseException as error:
        machine.close()
        if cancelled():
            raise _Cancelled from error
        raise
