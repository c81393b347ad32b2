"""The architectures of guests, and where the files of each lie on this machine.

A guest of this machine's architecture uses the files installed under /. For another architecture
there is a separate folder, laid out like a root file system, which `pfdoctor lab fetch` fills.
Nothing in that folder runs outside a guest.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from pagefault_doctor.files.home_folder import NoHomeError, user_folder
from pagefault_doctor.model.errors import MissingError, UsageError


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """An architecture: its names, its virtual machine, and the tools that build for it.

    `cpus` are QEMU's models with the version of Linux from which on each is used, the newest first.
    `arch` is its name in reports, `uname` in `uname -m`, `debian` in packages, `kbuild` in the
    kernel's build, `elf` in pyelftools. `console` and `agent` are the two serial ports in the
    guest; `agent_port` is the QEMU option for the second one, whose chardev is "agent". `argument`
    is the register of a function's first argument. `linked` means that gdb does not apply
    relocations to the debug information of modules of this architecture, so they are linked first.
    `kdump` means that its kernel can load a capture kernel from a file.
    """

    arch: str
    uname: str
    debian: str
    kbuild: str
    elf: str
    qemu: str
    qemu_package: str
    board: str
    cpus: tuple[tuple[tuple[int, int], str], ...]
    console: str
    agent: str
    agent_port: tuple[str, ...]
    cross: str
    cross_package: str
    argument: str
    linked: bool
    kdump: bool

    @property
    def native(self) -> bool:
        """Whether this machine has that architecture."""
        return os.uname().machine == self.uname

    @property
    def kernel_package(self) -> str:
        """The Debian package of the kernel that is booted."""
        return f"linux-image-cloud-{self.debian}"

    @property
    def build_env(self) -> dict[str, str]:
        """The environment of a kernel build for this architecture."""
        return {} if self.native else {"ARCH": self.kbuild, "CROSS_COMPILE": self.cross}

    @property
    def gcc(self) -> str:
        """The compiler for this architecture."""
        return "gcc" if self.native else f"{self.cross}gcc"

    @property
    def linker(self) -> str:
        """The program that links a module before gdb reads it; empty if that is not needed."""
        return "" if not self.linked else "ld" if self.native else f"{self.cross}ld"

    def cpu(self, release: str) -> str:
        """Return the model of QEMU's `-cpu` for a kernel."""
        numbers = [int(number) for number in re.findall(r"\d+", release)[:2]]
        version = (numbers[0], numbers[1]) if len(numbers) == 2 else (0, 0)
        return next(model for first, model in self.cpus if version >= first)

    @property
    def gdb(self) -> str:
        """The gdb for this architecture; Debian's plain gdb supports only its own."""
        return "gdb" if self.native else "gdb-multiarch"


X86_64: Final = Machine(
    arch="x86_64",
    uname="x86_64",
    debian="amd64",
    kbuild="x86_64",
    elf="x64",
    qemu="qemu-system-x86_64",
    qemu_package="qemu-system-x86",
    board="q35",
    # With SMAP and SMEP, like every x86 machine since about 2015. Linux 6.12 dies of a double fault
    # while it boots on qemu64 of QEMU 7.2.
    cpus=(((6, 12), "EPYC"), ((0, 0), "qemu64,+smap,+smep")),
    console="ttyS0",
    agent="ttyS1",
    agent_port=("-serial", "chardev:agent"),
    cross="x86_64-linux-gnu-",
    cross_package="gcc-x86-64-linux-gnu",
    argument="rdi",
    linked=False,
    kdump=True,
)

ARM64: Final = Machine(
    arch="arm64",
    uname="aarch64",
    debian="arm64",
    kbuild="arm64",
    elf="AArch64",
    qemu="qemu-system-aarch64",
    qemu_package="qemu-system-arm",
    board="virt",
    # An ARMv8.2 core: it has PAN, which keeps the kernel from accessing user memory.
    cpus=(((0, 0), "cortex-a76"),),
    console="ttyAMA0",
    agent="ttyS0",
    agent_port=("-device", "pci-serial,chardev=agent"),
    cross="aarch64-linux-gnu-",
    cross_package="gcc-aarch64-linux-gnu",
    argument="x0",
    linked=True,
    kdump=False,
)

MACHINES: Final = (X86_64, ARM64)
"""All architectures that guests can have."""

DEFAULT_MACHINE: Final = next((machine for machine in MACHINES if machine.native), X86_64)
"""The architecture of a guest by default."""

SHARED_CACHE: Final = Path("/var/cache/pfdoctor/lab")
"""The files of other architectures and kernels, shared by all users of this machine."""


class Stock(msgspec.Struct, frozen=True):
    """The kernels, headers and programs of guests, under `root` (a sysroot)."""

    machine: Machine
    root: Path = Path("/")

    @property
    def remedy(self) -> str:
        """The command that installs missing files of this stock."""
        if self.has_compiler:
            return f"pfdoctor lab kernels fetch {self.root.name} --debug"
        arch = self.machine.arch
        return "make lab-setup" if self.machine.native else f"pfdoctor lab fetch {arch}"

    @property
    def has_compiler(self) -> bool:
        """Whether modules are built with a compiler and make of its own, as `kernels.py` has it."""
        return self.root != Path("/") and os.path.lexists(self.root / "usr/bin/make")

    def path(self, place: str) -> Path:
        """Return the local path of a path in the guest's distribution."""
        return self.root / place.lstrip("/")

    def kernel(self, release: str = "") -> Path | None:
        """Return the image of a kernel release, or of the newest kernel with modules, or None.

        An image that this user cannot read does not count.
        """
        if release:
            path = self.path(f"boot/vmlinuz-{release}")
            return path if os.access(path, os.R_OK) else None
        images = self.path("boot").glob("vmlinuz-*")
        usable = (p for p in images if self.path(f"lib/modules/{release_of(p)}").is_dir())
        return max(usable, key=_version_numbers, default=None)

    def vmlinux(self) -> Path | None:
        """Return the newest kernel's file with debug information, or None."""
        kernel = self.kernel()
        path = self.path(f"usr/lib/debug/boot/vmlinux-{release_of(kernel)}") if kernel else None
        return path if path and path.exists() else None

    def build_folder(self, release: str) -> Path:
        """Return the folder of the headers that modules for a kernel release are built with."""
        return self.path(f"lib/modules/{release}/build")


def release_of(kernel: Path) -> str:
    """Return the release of a kernel image, from its file name."""
    return kernel.name.removeprefix("vmlinuz-")


def machine_of(arch: str) -> Machine:
    """Return the machine of that name, the default one for an empty name. Raises UsageError."""
    if not arch:
        return DEFAULT_MACHINE
    for machine in MACHINES:
        if arch in (machine.arch, machine.uname, machine.debian, machine.elf):
            return machine
    known = ", ".join(machine.arch for machine in MACHINES)
    raise UsageError(f"the lab has no guest of the architecture {arch}", f"it has {known}")


def stock_of(machine: Machine, root: str | None = None, kernel: str = "") -> Stock:
    """Return the stock for guests of a machine: under `root`, or at its default location.

    That is / for this machine's own architecture. The files of another architecture, or of a
    `kernel` from a Debian package that is not installed (unpacked by `kernel.sh`), are searched in
    the user's cache, then in the shared one.
    """
    if root:
        return Stock(machine, Path(root).absolute())
    if machine.native and not kernel:
        return Stock(machine)
    name = kernel or machine.arch
    places = [SHARED_CACHE / name]
    with suppress(MissingError):
        places.insert(0, user_cache() / name)
    return Stock(machine, next((place for place in places if place.is_dir()), places[0]))


def user_cache() -> Path:
    """Return the user's folder for the files of other architectures.

    Raises MissingError where the user has no folder for such files.
    """
    try:
        return user_folder("XDG_CACHE_HOME", ".cache") / "pfdoctor/lab"
    except NoHomeError as error:
        raise MissingError(
            "there is no folder for the lab's files: no home folder is known",
            "set HOME or XDG_CACHE_HOME",
        ) from error


def _version_numbers(path: Path) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", path.name)]


DEFAULT_STOCK: Final = stock_of(DEFAULT_MACHINE)
"""The stock of guests by default."""
