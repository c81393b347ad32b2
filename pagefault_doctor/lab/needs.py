"""What the lab needs of this machine: what is there, what is missing, which package brings it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Collection
from enum import StrEnum
from pathlib import Path
from typing import Final

import msgspec

from pagefault_doctor.hosts.program import environment
from pagefault_doctor.lab.vm import QEMU, installed_kernel, release_of
from pagefault_doctor.model.errors import MissingError

_VMLINUX: Final = (
    "/usr/lib/debug/boot/vmlinux-{}",
    "/usr/lib/debug/lib/modules/{}/vmlinux",
    "/lib/modules/{}/build/vmlinux",
)


class Use(StrEnum):
    """What something is needed for; without `boot` there is no lab."""

    BOOT = "boot"
    BUILD = "build"
    DUMP = "dump"
    KDUMP = "kdump"
    DEBUG = "debug"


class Need(msgspec.Struct, frozen=True):
    """One thing the lab uses.

    `package` is Debian's, where {} stands for the kernel's release; `megabytes` is roughly what it
    takes on the disk, with what comes along. `find` gives its path, or nothing, for a release.
    """

    name: str
    use: Use
    purpose: str
    package: str
    megabytes: int
    find: Callable[[str], str]


class Row(msgspec.Struct, frozen=True):
    """A need as it stands on this machine: its path, or a remedy.

    `package` is what brings it, for the kernel that the lab would boot.
    """

    need: Need
    path: str
    remedy: str
    package: str = ""


def _program(name: str) -> Callable[[str], str]:
    return lambda release: shutil.which(name, path=environment()["PATH"]) or ""


def _kernel(release: str) -> str:
    path = f"/boot/vmlinuz-{release}"
    return path if release and os.access(path, os.R_OK) else ""


def _headers(release: str) -> str:
    path = Path("/lib/modules", release, "build")
    return str(path) if release and (path / "Makefile").exists() else ""


def _vmlinux(release: str) -> str:
    paths = (place.format(release) for place in _VMLINUX)
    return next((path for path in paths if release and os.path.exists(path)), "")


NEEDS: Final = (
    Need(QEMU, Use.BOOT, "the virtual machine", "qemu-system-x86", 80, _program(QEMU)),
    Need("busybox", Use.BOOT, "the guest's small tools", "busybox-static", 2, _program("busybox")),
    Need("dash", Use.BOOT, "the guest's shell", "dash", 1, _program("dash")),
    Need("kmod", Use.BOOT, "inserts the module", "kmod", 1, _program("kmod")),
    Need("kernel", Use.BOOT, "what is booted", "linux-image-cloud-amd64", 103, _kernel),
    Need("headers", Use.BUILD, "to build a module", "linux-headers-{}", 60, _headers),
    Need("gcc", Use.BUILD, "to build a module", "gcc", 130, _program("gcc")),
    Need("make", Use.BUILD, "to build a module", "make", 2, _program("make")),
    Need("drgn", Use.DUMP, "reads the dump, quickly", "python3-drgn", 2, _program("drgn")),
    Need("crash", Use.DUMP, "reads the dump by hand", "crash", 12, _program("crash")),
    Need("kexec", Use.KDUMP, "loads the crash kernel", "kexec-tools", 1, _program("kexec")),
    Need(
        *("makedumpfile", Use.KDUMP, "writes the dump", "makedumpfile", 1),
        _program("makedumpfile"),
    ),
    Need("gdb", Use.DEBUG, "stops at a line", "gdb", 13, _program("gdb")),
    Need("vmlinux", Use.DUMP, "names lines in the dump", "linux-image-{}-dbg", 1714, _vmlinux),
)
"""Sizes are those of Debian 12, for a machine whose package manager cannot be asked."""


def look() -> tuple[Row, ...]:
    """Return every need as it stands here, for the kernel that the lab would boot."""
    kernel = installed_kernel()
    release = release_of(kernel) if kernel else ""
    return tuple(_row(need, release) for need in NEEDS)


def _row(need: Need, release: str) -> Row:
    path = need.find(release)
    package = need.package.format(release or "cloud-amd64")
    remedy = f"apt install {package}"
    if need.name == "kernel" and release:
        remedy = "it may not be read by you; try it with sudo"
    return Row(need, path, "" if path else remedy, package)


def demand(rows: Collection[Row], *uses: Use) -> None:
    """Raise MissingError for what is missing of these uses."""
    missing = [row for row in rows if not row.path and row.need.use in uses]
    if missing:
        names = ", ".join(row.need.name for row in missing)
        remedy = "; ".join(dict.fromkeys(row.remedy for row in missing))
        raise MissingError(f"the lab lacks {names}", f"{remedy} (all: pfdoctor lab doctor)")


def kernel_of(release: str = "") -> Path:
    """Return the kernel image to boot: of that release, else the newest; raises MissingError."""
    kernel = Path(_kernel(release)) if _kernel(release) else None if release else installed_kernel()
    if kernel is None:
        wanted = f"linux-image-{release}" if release else "linux-image-cloud-amd64"
        what = f"no kernel {release} that can be booted" if release else "no kernel to boot"
        remedy = f"apt install {wanted}"
        if release:
            remedy += ", or give the module's source with --source DIR"
        raise MissingError(what, remedy)
    return kernel
