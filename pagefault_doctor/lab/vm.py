"""A disposable virtual machine: QEMU, a kernel, an initramfs, two serial ports."""

from __future__ import annotations

import contextlib
import math
import os
import shutil
import signal
import socket
import subprocess
import time
import weakref
from pathlib import Path
from typing import Any, Final, Self

import msgspec

from pagefault_doctor.lab.accelerator import accelerator
from pagefault_doctor.lab.machine import USUAL, Machine, Stock
from pagefault_doctor.lab.qmp import ENDS, PANICKED, Qmp, connect, end_of, paused
from pagefault_doctor.lab.temp_folder import guard, unused
from pagefault_doctor.model import untrusted
from pagefault_doctor.model.errors import MissingError, PfDoctorError

_PANIC: Final = (b"---[ end Kernel panic", b"pfdoctor capture: exit code ")
"""Said by a kernel that stands still, and by a capture kernel that has done its work. QEMU tells of
a panic too, but not of one that a capture kernel follows, or that comes before pvpanic is there."""

_LAST_WORDS: Final = 10.0
"""Seconds that a kernel of whose panic QEMU has told may take to say its last line.

A dump of a kernel that is still saying it shows a stack that nobody can unwind.
"""


class Setup(msgspec.Struct, frozen=True, kw_only=True):
    """What to boot: `memory` in MiB; `append` is put on the kernel's command line.

    `stock` is what the kernel and its guest are of. `disk` is the size of an empty disk in MiB, 0
    for none.
    """

    kernel: Path
    stock: Stock = USUAL
    memory: int = 384
    cpus: int = 2
    append: str = ""
    disk: int = 0


class VirtualMachine:
    """A virtual machine, paused before its first instruction until `start`.

    It owns a temporary folder, and is gone with it when closed, when garbage, and when this
    process ends in any way. `agent` is the other end of the guest's second serial port.
    """

    def __init__(self, setup: Setup, initramfs: bytes) -> None:
        qemu = setup.stock.machine.qemu
        if not shutil.which(qemu):
            raise MissingError(f"{qemu} not installed", "make lab-setup")
        self._setup = setup
        self.folder = unused()
        self._guard = guard(self.folder, "lab/run_qemu.sh", *_argv(setup, self.folder))
        self._told = 0.0
        self._end = weakref.finalize(self, _end, self._guard, self.folder)
        try:
            self._fill(initramfs)
            self.agent: socket.socket = connect(self.folder / "agent", 10)
            self._qmp = Qmp(self.folder / "qmp")
        except PfDoctorError as error:
            said = untrusted.decode((self.folder / "qemu.log").read_bytes()).strip()
            self._end()
            raise PfDoctorError(error.problem, said) from error

    @property
    def guest(self) -> Machine:
        """What its guest is of."""
        return self._setup.stock.machine

    @property
    def disk(self) -> Path:
        """The file that its disk is made of."""
        return self.folder / "disk"

    def start(self) -> None:
        """Let it run, or go on."""
        self._qmp.execute("cont")

    def pause(self) -> None:
        """Stop its processors; `start` lets them go on."""
        self._qmp.execute("stop")

    def console(self) -> str:
        """Return everything that came out of the first serial port so far, as harmless text."""
        return untrusted.decode(self._console())

    def panicked(self) -> bool:
        """Return whether its kernel has panicked and stands still."""
        console = self._console()
        if any(words in console for words in _PANIC):
            return True
        if PANICKED not in self._qmp.events():
            return False
        self._told = self._told or time.monotonic()
        return time.monotonic() > self._told + _LAST_WORDS

    def end(self, timeout: float = 0.0) -> str:
        """Say why it is over, or nothing while it runs; `timeout` (in seconds) waits for that."""
        until = time.monotonic() + timeout
        while not (why := ENDS[PANICKED] if self.panicked() else end_of(self._qmp.events())):
            if time.monotonic() >= until:
                break
            time.sleep(0.05)
        return why

    def paused(self) -> bool:
        """Return whether it stands still, for a debugger or because QEMU could not go on."""
        return paused(self._qmp.events())

    def wait_for_panic(self, timeout: float, quiet: float = math.inf) -> bool:
        """Wait until its kernel has panicked; return whether it did in time (in seconds).

        A console that says nothing for `quiet` seconds means that no panic is to come.
        """
        now = time.monotonic()
        until, spoke, heard = now + timeout, now, -1
        while not self.panicked():
            now, said = time.monotonic(), len(self._console())
            if said != heard:
                heard, spoke = said, now
            if now > until or now - spoke > quiet:
                return False
            time.sleep(0.1)
        return True

    def dump(self, path: Path, timeout: float = 60, form: str = "elf") -> None:
        """Pause it and write its memory to a new vmcore; raises PfDoctorError.

        `form` is one of QEMU's `DumpGuestMemoryFormat`.
        """
        self.pause()
        self._qmp.execute(
            "dump-guest-memory",
            timeout,
            paging=False,
            format=form,
            protocol=f"file:{path.absolute()}",
        )

    def serve_gdb(self) -> Path:
        """Let a gdb connect, and return the Unix socket for its `target remote`."""
        path = self.folder / "gdb"
        said = self._monitor(f"gdbserver unix:{path},server=on,wait=off")
        if not path.exists():
            raise PfDoctorError("QEMU does not let gdb connect", said)
        return path

    def inject(self, event: str) -> None:
        """Let its hardware misbehave, as a command line of QEMU's monitor says: `mce 0 4 ...`.

        Raises PfDoctorError where QEMU does not understand it, or has no such hardware.
        """
        if said := self._monitor(event):
            raise PfDoctorError(f"QEMU does not inject {event}", said)

    def quit(self) -> None:
        """End its QEMU at once; whoever talks to the guest hears that it has gone."""
        with contextlib.suppress(PfDoctorError, OSError):
            self._qmp.execute("quit")

    def close(self) -> None:
        """End it and remove its folder; closing twice is fine."""
        self._qmp.close()
        self.agent.close()
        self._end()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def _fill(self, initramfs: bytes) -> None:
        """Write what QEMU boots, now that the folder is guarded, and let QEMU start."""
        assert self._guard.stdin
        try:
            (self.folder / "initramfs").write_bytes(initramfs)
            with self.disk.open("wb") as disk:
                disk.truncate(self._setup.disk << 20)
            self._guard.stdin.write(b"go\n")
            self._guard.stdin.flush()
        except OSError as error:
            raise PfDoctorError(f"the virtual machine has no room: {error.strerror}") from error

    def _monitor(self, line: str) -> str:
        """Return what QEMU's monitor for people answers; nothing where it just obeys."""
        order: dict[str, Any] = {"command-line": line}
        return str(self._qmp.execute("human-monitor-command", **order) or "").strip()

    def _console(self) -> bytes:
        try:
            return (self.folder / "console").read_bytes()
        except FileNotFoundError:
            return b""


def _argv(setup: Setup, folder: Path) -> tuple[str, ...]:
    guest = setup.stock.machine
    accel = accelerator(guest, setup.kernel)
    drive = ("-drive", f"file={folder / 'disk'},if=virtio,format=raw") if setup.disk else ()
    append = f"console={guest.console} panic=0 {setup.append}".strip()
    return (
        *(guest.qemu, "-S", "-nodefaults", "-no-reboot", "-display", "none"),
        *("-action", "panic=none", "-device", "pvpanic-pci"),
        *("-machine", guest.board, "-accel", accel, "-cpu", guest.cpu),
        *("-m", str(setup.memory), "-smp", str(setup.cpus), "-device", "vmcoreinfo"),
        *("-kernel", str(setup.kernel), "-initrd", str(folder / "initramfs"), "-append", append),
        *drive,
        *("-serial", f"file:{folder / 'console'}"),
        *("-chardev", f"socket,id=agent,path={folder / 'agent'},server=on,wait=off"),
        *guest.agent_port,
        *("-qmp", f"unix:{folder / 'qmp'},server=on,wait=off"),
    )


def _end(guard: subprocess.Popen[bytes], folder: Path) -> None:
    if guard.stdin:
        guard.stdin.close()
    try:
        guard.wait(10)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(guard.pid, signal.SIGKILL)
        guard.wait()
    shutil.rmtree(folder, ignore_errors=True)
