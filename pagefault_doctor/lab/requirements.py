"""The lab's requirements on this machine: what is installed, what is missing, and its package."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Collection
from contextlib import suppress
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Final

import msgspec

from pagefault_doctor.hosts.program import environment
from pagefault_doctor.lab import initramfs
from pagefault_doctor.lab.stock import DEFAULT_STOCK, Stock, release_of
from pagefault_doctor.model.errors import MissingError

_VMLINUX: Final = (
    "/usr/lib/debug/boot/vmlinux-{}",
    "/usr/lib/debug/lib/modules/{}/vmlinux",
    "/lib/modules/{}/build/vmlinux",
)


_SECTION_NAMES: Final = 1 << 16
"""Bytes at the end of a vmlinux that have the names of its sections."""


class Use(StrEnum):
    """What a requirement is needed for; without those of `boot` the lab cannot run."""

    BOOT = "boot"
    BUILD = "build"
    DUMP = "dump"
    KDUMP = "kdump"
    DEBUG = "debug"


class Requirement(msgspec.Struct, frozen=True):
    """One program or file that the lab uses.

    `package` is Debian's; `megabytes` is roughly its size on the disk, with dependencies. `find`
    takes a kernel release and returns the path, or an empty string. `fetched` means that for a
    guest of another architecture it comes with its kernel (`pfdoctor lab kernels fetch`).
    """

    name: str
    use: Use
    purpose: str
    package: str
    megabytes: int
    find: Callable[[str], str]
    fetched: bool = False


class RequirementState(msgspec.Struct, frozen=True):
    """A requirement on this machine: its path, or the remedy if it is missing.

    `package` is the package that has it, for the kernel that the lab would boot.
    """

    need: Requirement
    path: str
    remedy: str
    package: str = ""


def requirements_of(stock: Stock) -> tuple[Requirement, ...]:
    """Return the requirements of guests of a stock; {} in a package is the kernel's release.

    Sizes are those of Debian 12, for machines without apt.
    """
    machine = stock.machine
    gcc = ("gcc", 130) if machine.native else (machine.cross_package, 170)
    builders: tuple[Requirement, ...] = (
        _local_program(machine.gcc, Use.BUILD, "to build a module", *gcc),
        _local_program("make", Use.BUILD, "to build a module", "make", 2),
    )
    if stock.has_compiler:
        builders = (_local_program("unshare", Use.BUILD, "to build in it", "util-linux", 15),)
    gdb = ("gdb", 13) if machine.native else ("gdb-multiarch", 20)
    needs = (
        _local_program(machine.qemu, Use.BOOT, "the virtual machine", machine.qemu_package, 80),
        _guest_program(stock, "busybox", "the guest's small tools", "busybox-static", 2),
        _guest_program(stock, "dash", "the guest's shell", "dash", 1),
        _guest_program(stock, "kmod", "inserts the module", "kmod", 1),
        Requirement(
            *("kernel", Use.BOOT, "what is booted", machine.kernel_package, 103),
            partial(_kernel, stock),
            fetched=True,
        ),
        Requirement(
            *("headers", Use.BUILD, "to build a module", "linux-headers-{}", 60),
            partial(_headers, stock),
            fetched=True,
        ),
        *builders,
        _local_program("drgn", Use.DUMP, "reads the dump, quickly", "python3-drgn", 2),
        _local_program("crash", Use.DUMP, "reads the dump by hand", "crash", 12),
        _local_program("kexec", Use.KDUMP, "loads the crash kernel", "kexec-tools", 1),
        _local_program("makedumpfile", Use.KDUMP, "writes the dump", "makedumpfile", 1),
        _local_program(machine.gdb, Use.DEBUG, "stops at a line", *gdb),
        Requirement(
            *("vmlinux", Use.DUMP, "names lines in the dump", "linux-image-{}-dbg", 1714),
            partial(find_vmlinux, stock=stock),
            fetched=True,
        ),
    )
    return needs if machine.kdump else tuple(n for n in needs if n.name not in _NATIVE_ONLY)


_NATIVE_ONLY: Final = ("crash", "kexec", "makedumpfile")
"""Programs that only handle dumps and kernels of their own architecture."""


def _local_program(name: str, use: Use, purpose: str, package: str, megabytes: int) -> Requirement:
    """Return the requirement of a program that runs on this machine."""

    def find(release: str) -> str:
        return shutil.which(name, path=environment()["PATH"]) or ""

    return Requirement(name, use, purpose, package, megabytes, find)


def _guest_program(
    stock: Stock, name: str, purpose: str, package: str, megabytes: int
) -> Requirement:
    """Return the requirement of a program that runs in the guest."""

    def find(release: str) -> str:
        found = initramfs.find_program(name, stock)
        return str(found) if found else ""

    return Requirement(name, Use.BOOT, purpose, package, megabytes, find, fetched=True)


def _kernel(stock: Stock, release: str) -> str:
    path = stock.kernel()
    return str(path) if release and path and os.access(path, os.R_OK) else ""


def _headers(stock: Stock, release: str) -> str:
    path = stock.build_folder(release)
    return str(path) if release and (path / "Makefile").exists() else ""


def find_vmlinux(release: str, stock: Stock) -> str:
    """Return the path of the kernel with debug information, or an empty string."""
    paths = (stock.path(place.format(release)) for place in _VMLINUX)
    return next((str(path) for path in paths if release and _has_debug_information(path)), "")


def _has_debug_information(path: Path) -> bool:
    """Return whether a vmlinux has it: that in Debian's headers is for BTF alone."""
    if not path.exists() or path.parent.name != "build":
        return path.exists()
    with suppress(OSError), path.open("rb") as file:
        file.seek(max(path.stat().st_size - _SECTION_NAMES, 0))
        return b".debug_info" in file.read(_SECTION_NAMES)
    return False


def check(stock: Stock = DEFAULT_STOCK) -> tuple[RequirementState, ...]:
    """Return the state of every requirement, for the kernel that the lab would boot."""
    kernel = stock.kernel()
    release = release_of(kernel) if kernel else ""
    return tuple(_state(need, stock, release) for need in requirements_of(stock))


def _state(need: Requirement, stock: Stock, release: str) -> RequirementState:
    path = need.find(release)
    package = need.package.format(release or f"cloud-{stock.machine.debian}")
    return RequirementState(
        need, path, "" if path else _remedy(need, stock, release, package), package
    )


def _remedy(need: Requirement, stock: Stock, release: str, package: str) -> str:
    if need.fetched and stock.root != Path("/"):
        return stock.remedy
    if need.name == "kernel" and release:
        return "it may not be read by you; try it with sudo"
    return f"apt install {package}"


def require(rows: Collection[RequirementState], *uses: Use) -> None:
    """Raise MissingError if a requirement of these uses is missing."""
    missing = [row for row in rows if not row.path and row.need.use in uses]
    if missing:
        names = ", ".join(row.need.name for row in missing)
        remedy = "; ".join(dict.fromkeys(row.remedy for row in missing))
        raise MissingError(f"the lab lacks {names}", f"{remedy} (all: pfdoctor lab doctor)")


def find_kernel(release: str = "", stock: Stock = DEFAULT_STOCK) -> Path:
    """Return the kernel image to boot: of that release, or the newest. Raises MissingError."""
    kernel = stock.kernel(release)
    if kernel is None:
        wanted = f"linux-image-{release}" if release else stock.machine.kernel_package
        what = f"no kernel {release} that can be booted" if release else "no kernel to boot"
        remedy = f"apt install {wanted}"
        if stock.root != Path("/"):
            remedy = stock.remedy
        if release:
            remedy += ", or give the module's source with --source DIR"
        raise MissingError(what, remedy)
    return kernel
