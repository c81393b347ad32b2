"""kdump inside the guest: its own crash kernel saves the dump, as on a real machine.

The guest boots with reserved memory and loads the same kernel into it with kexec(8). On a panic
that kernel starts with a small initramfs, whose makedumpfile(8) writes the dump to a disk.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from pagefault_doctor.hosts.local import LocalHost
from pagefault_doctor.lab.cpio import archive, character_device, file, folder, link, program
from pagefault_doctor.lab.initramfs import MERGED, merged_path, with_libraries
from pagefault_doctor.lab.module import kernel_modules
from pagefault_doctor.model.command import Command
from pagefault_doctor.model.errors import PfDoctorError

INIT: Final = Path(__file__).with_name("capture.sh")
"""The capture kernel's /init."""

KERNEL_ARG: Final = "crashkernel=160M"
"""Reserves the memory of the capture kernel."""

MEMORY: Final = 640
"""MiB of a guest with a crash kernel; without its reserved part more than an ordinary guest."""

DISK: Final = 640
"""MiB of the disk; the sparse file takes only what is written."""

_LOAD: Final = (
    *("kexec", "-p", "-s", "/boot/vmlinuz", "--initrd=/boot/capture"),
    "--append=console=ttyS0 nr_cpus=1 irqpoll reset_devices panic=1",
)

LOAD: Final = Command(argv=_LOAD, tool="lab", timeout=60.0, why="load the capture kernel")
"""Loads the capture kernel into the reserved memory."""

_APPLETS: Final = ("echo", "insmod", "mount", "reboot", "sh", "sync", "tail", "tr")

_CAPTURE_DONE: Final = re.compile(r"pfdoctor capture: exit code (\d+), (.*)")


def guest_files(kernel: Path, release: str) -> dict[str, bytes]:
    """Return the files that the guest needs to load its capture kernel: path and contents."""
    return {"/boot/vmlinuz": kernel.read_bytes(), "/boot/capture": _capture_initramfs(release)}


def _capture_initramfs(release: str) -> bytes:
    """Return the initramfs of the capture kernel, with its modules in dependency order.

    In another order there would be no disk, and `>/dev/vda` would create a plain file.
    """
    modules = kernel_modules(release, ("virtio_pci", "virtio_blk"))
    listing = "".join(f"/{merged_path(path)}\n" for path in modules)
    return archive(
        (
            *(link(name, f"usr/{name}") for name in MERGED),
            *(folder(name) for name in ("dev", "proc", "tmp")),
            character_device("dev/console", 5, 1),
            program("init", INIT.read_bytes()),
            file("modules", listing.encode()),
            *with_libraries(("busybox", "makedumpfile")),
            *(link(f"usr/bin/{name}", "busybox") for name in _APPLETS),
            *(file(merged_path(path), data) for path, data in modules.items()),
        )
    )


def collect(console: str, disk: Path, vmcore: Path) -> None:
    """Write the dump from the disk to a new file, as kdump leaves it. Raises PfDoctorError."""
    done = _CAPTURE_DONE.search(console)
    if done is None:
        raise PfDoctorError("the capture kernel wrote none")
    if done[1] != "0":
        raise PfDoctorError(f"in the capture kernel: {done[2]}")
    script = 'exec makedumpfile -R "$1" <"$2"'
    argv = ("sh", "-c", script, "sh", str(vmcore.absolute()), str(disk))
    result = LocalHost().run(Command(argv=argv, tool="lab", timeout=120.0))
    if not result.ok:
        messages = (result.errors + result.output).strip().splitlines()
        raise PfDoctorError(f"makedumpfile -R: {messages[-1] if messages else result.status.value}")
