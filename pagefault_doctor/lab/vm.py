"""A disposable virtual machine: QEMU, a kernel, an initramfs, two serial ports."""

from __future__ import annotations

import contextlib
import math
import os
import shlex
import shutil
import signal
import socket
import subprocess
import time
import weakref
from pathlib import Path
from typing import Any, Final

import msgspec

from pagefault_doctor.files.regular_file import read_regular
from pagefault_doctor.hosts.guard import folder_guard
from pagefault_doctor.hosts.host import Closing
from pagefault_doctor.hosts.program import environment
from pagefault_doctor.lab.accelerator import accelerator
from pagefault_doctor.lab.console import Console
from pagefault_doctor.lab.machine import Machine
from pagefault_doctor.lab.qmp import ENDED, ENDS, PANICKED, Qmp, connect, end_of, paused
from pagefault_doctor.lab.stock import DEFAULT_STOCK, Stock, release_of
from pagefault_doctor.lab.temp_folder import socket_folder, unused_path
from pagefault_doctor.model import untrusted
from pagefault_doctor.model.errors import MissingError, PfDoctorError, UsageError

_PANIC_LINES: Final = (b"---[ end Kernel panic", b"pfdoctor capture: exit code ")
"""Printed by a kernel that has panicked and stopped, and by a capture kernel when it is done.

QEMU also reports a panic, but not if a capture kernel follows, or before pvpanic is loaded.
"""

_MAX_LOG_BYTES: Final = 16384
"""Bytes that are kept of QEMU's own messages (`run_qemu.sh`)."""

_MAX_LINE: Final = 1000
"""Characters of QEMU's last message in an error."""

_START_TIMEOUT: Final = 10.0
"""Seconds for QEMU to make its sockets."""

_FULL_SPEED: Final = 1 << 40
"""Bytes a second at which a state is written at most: as fast as it can be."""

_STATE_TIMEOUT: Final = 60.0
"""Seconds to write or read the state of a guest."""

_END_TIMEOUT: Final = 2.0
"""Seconds for a QEMU that cannot start to write why, and to end."""

_LAST_LINE_TIMEOUT: Final = 10.0
"""Seconds for a kernel to print its last line after QEMU has reported its panic.

A dump taken while the kernel still prints has a stack that cannot be unwound.
"""


class Setup(msgspec.Struct, frozen=True, kw_only=True):
    """What to boot: `memory` in MiB; `append` is added to the kernel's command line.

    Some architectures get more memory or fewer `cpus`: `guest_memory` is what the guest has.

    `stock` has the kernel and the guest's files. `disk` is the size of an empty disk in MiB, 0 for
    none. `devices` are values of QEMU's `-device`. `state` is a file that `VirtualMachine.save`
    wrote of a machine with the same setup: this one goes on from there instead of booting.
    """

    kernel: Path
    stock: Stock = DEFAULT_STOCK
    memory: int = 384
    cpus: int = 2
    append: str = ""
    disk: int = 0
    devices: tuple[str, ...] = ()
    state: Path | None = None

    @property
    def guest_memory(self) -> int:
        """MiB of the guest's memory."""
        return max(self.memory, self.stock.machine.memory)


class VirtualMachine(Closing):
    """A virtual machine, paused before its first instruction until `start`.

    It owns a temporary folder. Both are removed on `close`, on garbage collection, and when this
    process ends in any way. `agent` is the connection to the guest's second serial port.
    """

    folder: Path
    agent: socket.socket
    _console: Console
    _qmp: Qmp
    _panic_time: float

    def __init__(self, setup: Setup, initramfs: bytes) -> None:
        qemu = setup.stock.machine.qemu
        if not shutil.which(qemu, path=environment()["PATH"]):
            package = setup.stock.machine.qemu_package
            raise MissingError(f"{qemu} not installed", f"apt install {package}")
        _check_command_line(setup)
        self._setup, self._initramfs = setup, initramfs
        self._open()

    @property
    def guest(self) -> Machine:
        """The architecture of the guest."""
        return self._setup.stock.machine

    @property
    def has_state(self) -> bool:
        """Whether it goes on from a saved state instead of booting."""
        return self._setup.state is not None

    @property
    def disk(self) -> Path:
        """The file behind the guest's disk."""
        return self.folder / "disk"

    def start(self) -> None:
        """Start or resume the guest, once a saved state is read."""
        until = time.monotonic() + _STATE_TIMEOUT
        while self._qmp.execute("query-status")["status"] == "inmigrate":
            if time.monotonic() > until:
                raise PfDoctorError(f"QEMU does not read {self._setup.state} to its end")
            time.sleep(0.05)
        self._qmp.execute("cont")

    def restart(self) -> None:
        """End the guest and boot another in its place, which has nothing of the first."""
        self.close()
        self._open()
        self.start()

    def pause(self) -> None:
        """Stop the guest's processors; `start` resumes them."""
        self._qmp.execute("stop")

    def console(self) -> str:
        """Return the output of the first serial port so far, as harmless text."""
        return untrusted.decode(self._console.text())

    def panicked(self) -> bool:
        """Return whether the guest's kernel has panicked and stopped."""
        console = self._console.text()
        if any(words in console for words in _PANIC_LINES):
            return True
        if PANICKED not in self._qmp.events():
            return False
        if not self.guest.last_line:
            return True
        self._panic_time = self._panic_time or time.monotonic()
        return time.monotonic() > self._panic_time + _LAST_LINE_TIMEOUT

    def end(self, timeout: float = 0.0) -> str:
        """Return why the guest has ended, waiting up to `timeout` seconds; empty while it runs."""
        until = time.monotonic() + timeout
        while not (why := ENDS[PANICKED] if self.panicked() else end_of(self._qmp.events())):
            if time.monotonic() >= until:
                break
            time.sleep(0.05)
        return why

    def paused(self) -> bool:
        """Return whether the guest is stopped, by a debugger or by QEMU."""
        return paused(self._qmp.events())

    def wait_for_panic(self, timeout: float, quiet: float = math.inf) -> bool:
        """Wait up to `timeout` seconds for a panic; return whether it came.

        Gives up earlier if the console prints nothing for `quiet` seconds.
        """
        now = time.monotonic()
        until, last_output, last_length = now + timeout, now, -1
        while not self.panicked():
            now, length = time.monotonic(), self._console.length
            if length != last_length:
                last_length, last_output = length, now
            if now > until or now - last_output > quiet:
                return False
            time.sleep(0.1)
        return True

    def dump(self, path: Path, timeout: float = 60, form: str = "elf") -> None:
        """Pause the guest and write its memory to a new vmcore.

        Raises PfDoctorError, and leaves no part of it, where that fails. `form` is one of QEMU's
        `DumpGuestMemoryFormat`.
        """
        self.pause()
        try:
            self._qmp.execute(
                "dump-guest-memory",
                timeout,
                paging=False,
                format=form,
                protocol=f"file:{path.absolute()}",
            )
        except PfDoctorError:
            path.unlink(missing_ok=True)
            raise

    def save(self, path: Path) -> None:
        """Pause the guest and write its state to a file, for `Setup.state`.

        Raises PfDoctorError where that fails.
        """
        self.pause()
        self._qmp.execute("migrate-set-parameters", **{"max-bandwidth": _FULL_SPEED})
        self._qmp.execute("migrate", uri=f"exec:cat >{shlex.quote(str(path.absolute()))}")
        until = time.monotonic() + _STATE_TIMEOUT
        while (status := self._qmp.execute("query-migrate").get("status")) != "completed":
            if status in ("failed", "cancelled") or time.monotonic() > until:
                path.unlink(missing_ok=True)
                raise PfDoctorError(f"QEMU does not save the guest: {status}")
            time.sleep(0.05)

    def serve_gdb(self) -> Path:
        """Start the gdb stub; return the Unix socket for gdb's `target remote`."""
        path = self._sockets.path / "gdb"
        answer = self._monitor("gdbserver unix:gdb,server=on,wait=off")
        if not path.exists():
            raise PfDoctorError("QEMU does not let gdb connect", answer)
        return path

    def inject(self, event: str) -> None:
        """Inject a hardware event, given as a command of QEMU's monitor: `mce 0 4 ...`.

        Raises PfDoctorError if QEMU does not know it, or has no such hardware.
        """
        answer = self._monitor(event)
        if answer and not answer.startswith("OK"):
            raise PfDoctorError(f"QEMU does not inject {event}", answer)

    def quit(self) -> None:
        """Make QEMU quit at once; the connection to the agent ends."""
        with contextlib.suppress(PfDoctorError, OSError):
            self._qmp.execute("quit")

    def close(self) -> None:
        """End the guest and remove its folder; may be called twice."""
        self._qmp.close()
        self.agent.close()
        self._end()
        self._console.close()
        self._sockets.close()

    def _open(self) -> None:
        """Make the folder and start QEMU, paused, in it."""
        self.folder = unused_path()
        words = _argv(self._setup, self.folder)
        self._guard = folder_guard(self.folder, "lab/run_qemu.sh", words=words)
        self._panic_time = 0.0
        self._end = weakref.finalize(self, _end, self._guard, self.folder)
        try:
            self._sockets = socket_folder(self.folder)
            weakref.finalize(self, self._sockets.close)
            self._fill()
            self._console = Console(connect(self._sockets.path / "console", _START_TIMEOUT))
            self.agent = connect(self._sockets.path / "agent", _START_TIMEOUT)
            self._qmp = Qmp(self._sockets.path / "qmp")
        except BaseException as error:
            message = _last_words(self.folder)
            self._end()
            if isinstance(error, PfDoctorError):
                raise PfDoctorError(error.problem, message or error.remedy) from error
            if isinstance(error, OSError):
                problem = f"the virtual machine could not be started: {error.strerror}"
                raise PfDoctorError(problem, "raise ulimit -n, or free some memory") from error
            raise

    def _fill(self) -> None:
        """Write the files that QEMU boots, then let the guard start QEMU."""
        assert self._guard.stdin
        try:
            (self.folder / "initramfs").write_bytes(self._initramfs)
            with self.disk.open("wb") as disk:
                disk.truncate(self._setup.disk << 20)
            self._guard.stdin.write(b"go\n")
            self._guard.stdin.flush()
        except OSError as error:
            problem = f"the virtual machine has no room in {self.folder.parent}: {error.strerror}"
            raise PfDoctorError(problem, "set TMPDIR to a folder with more room") from error

    def _monitor(self, line: str) -> str:
        """Return the answer of QEMU's human monitor; empty for most commands that succeed."""
        arguments: dict[str, Any] = {"command-line": line}
        return str(self._qmp.execute("human-monitor-command", **arguments) or "").strip()


def _command_line(setup: Setup) -> str:
    return f"console={setup.stock.machine.console} panic=0 {setup.append}".strip()


def _check_command_line(setup: Setup) -> None:
    """Raise UsageError where Linux would cut the kernel's command line."""
    if (size := len(os.fsencode(_command_line(setup)))) >= (
        limit := setup.stock.machine.command_line
    ):
        problem = f"the kernel's command line would have {size} bytes"
        raise UsageError(problem, f"it has less than {limit}: shorten --kernel-arg")


def _argv(setup: Setup, folder: Path) -> tuple[str, ...]:
    guest = setup.stock.machine
    accel = accelerator(guest, setup.kernel)
    drive = ("-drive", "file=disk,if=virtio,format=raw") if setup.disk else ()
    # QEMU runs in the folder: a socket's path may have 107 bytes, and a comma would end an option.
    # After a panic kernel and QEMU both stop and stay, so that the memory can be dumped.
    return (
        *(guest.qemu, "-S", "-nodefaults", "-no-reboot", "-display", "none"),
        *("-action", "panic=none"),
        *(word for device in guest.crash_devices for word in ("-device", device)),
        *("-machine", guest.board, "-accel", accel, "-cpu", guest.cpu(release_of(setup.kernel))),
        *("-m", str(setup.guest_memory), "-smp", str(min(setup.cpus, guest.most_cpus))),
        *(
            "-kernel",
            str(setup.kernel.absolute()),
            "-initrd",
            str(folder / "initramfs"),
            "-append",
            _command_line(setup),
        ),
        *drive,
        *(word for device in setup.devices for word in ("-device", device)),
        *(("-incoming", f"exec:cat {shlex.quote(str(setup.state))}") if setup.state else ()),
        *("-chardev", "socket,id=console,path=console,server=on,wait=off"),
        *guest.console_port,
        *("-chardev", "socket,id=agent,path=agent,server=on,wait=off"),
        *guest.agent_port,
        *("-qmp", "unix:qmp,server=on,wait=off"),
    )


def _last_words(folder: Path) -> str:
    """Return the last line that QEMU said, or an empty text; if it is ending, once it has ended."""
    until = time.monotonic() + _END_TIMEOUT
    while not (folder / ENDED).exists() and time.monotonic() < until:
        time.sleep(0.02)
    try:
        said = read_regular(folder / "qemu.log", _MAX_LOG_BYTES)
    except OSError:  # It never ran, and the error before says so.
        return ""
    lines = untrusted.decode(said).strip().splitlines()
    return lines[-1][:_MAX_LINE] if lines else ""


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
