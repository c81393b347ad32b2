"""What differs between guests: one row for each architecture, and where its parts lie here.

A guest of this machine's own architecture is made of what is installed here, under /. The parts of
another one lie in a folder of their own, laid out like a root file system, which `pfdoctor lab
fetch` fills and in which nothing is ever run but by a guest.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

import msgspec

from pagefault_doctor.model.errors import UsageError


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """An architecture: its names, the virtual machine for it, and the tools that build for it.

    `arch` is its name in reports, `uname` that of `uname -m`, `debian` that of packages, `kbuild`
    that of the kernel's build, `elf` that of pyelftools for its files. `console` and `agent` are
    the names of the two serial ports in the guest, `agent_port` what QEMU is told of the second,
    which it knows as "agent". `argument` is the register of a function's first argument. `linked`:
    gdb applies no relocations to the debug information of its modules, which have to be linked
    first. `kdump`: its kernel loads a capture kernel from a file.
    """

    arch: str
    uname: str
    debian: str
    kbuild: str
    elf: str
    qemu: str
    qemu_package: str
    board: str
    cpu: str
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
        """Whether this machine is of that architecture."""
        return os.uname().machine == self.uname

    @property
    def kernel_package(self) -> str:
        """The Debian package of the kernel that is booted."""
        return f"linux-image-cloud-{self.debian}"

    @property
    def build_env(self) -> dict[str, str]:
        """What the kernel's build must be told to build for it here."""
        return {} if self.native else {"ARCH": self.kbuild, "CROSS_COMPILE": self.cross}

    @property
    def gcc(self) -> str:
        """The compiler that builds for it here."""
        return "gcc" if self.native else f"{self.cross}gcc"

    @property
    def linker(self) -> str:
        """What links a module before gdb reads it; empty where that needs none."""
        return "" if not self.linked else "ld" if self.native else f"{self.cross}ld"

    @property
    def gdb(self) -> str:
        """The gdb that knows its instructions; Debian's plain one knows its own alone."""
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
    # SMAP and SMEP, as every machine has that is not older than 2015.
    cpu="qemu64,+smap,+smep",
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
    # The first of Arm's own with PAN, which forbids the kernel the memory of programs (ARMv8.2).
    cpu="cortex-a76",
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

DEFAULT: Final = next((machine for machine in MACHINES if machine.native), X86_64)
"""What a guest is of that nobody wants otherwise."""

SHARED: Final = Path("/var/cache/pfdoctor/lab")
"""Where the parts of other architectures and kernels may lie for every user of this machine."""


class Stock(msgspec.Struct, frozen=True):
    """What guests of a machine are made of: kernels, headers and programs under `root`."""

    machine: Machine
    root: Path = Path("/")

    @property
    def remedy(self) -> str:
        """What brings its parts where they lie in a folder of their own."""
        arch = self.machine.arch
        return "make lab-setup" if self.machine.native else f"pfdoctor lab fetch {arch}"

    def path(self, place: str) -> Path:
        """Return where a path of the guest's own distribution is on this machine."""
        return self.root / place.lstrip("/")

    def kernel(self, release: str = "") -> Path | None:
        """Return the image of a kernel that may be read, or of the newest with modules, if any."""
        if release:
            path = self.path(f"boot/vmlinuz-{release}")
            return path if os.access(path, os.R_OK) else None
        images = self.path("boot").glob("vmlinuz-*")
        usable = (p for p in images if self.path(f"lib/modules/{release_of(p)}").is_dir())
        return max(usable, key=_numbers, default=None)

    def vmlinux(self) -> Path | None:
        """Return the newest kernel's file with debug information, if it is here."""
        kernel = self.kernel()
        path = self.path(f"usr/lib/debug/boot/vmlinux-{release_of(kernel)}") if kernel else None
        return path if path and path.exists() else None

    def build_folder(self, release: str) -> Path:
        """Return the folder of the headers that modules for a kernel are built with."""
        return self.path(f"lib/modules/{release}/build")


def release_of(kernel: Path) -> str:
    """Return the release of a kernel image, going by its name."""
    return kernel.name.removeprefix("vmlinuz-")


def machine_of(arch: str) -> Machine:
    """Return the machine of that name, the default one for none; raises UsageError."""
    if not arch:
        return DEFAULT
    for machine in MACHINES:
        if arch in (machine.arch, machine.uname, machine.debian, machine.elf):
            return machine
    known = ", ".join(machine.arch for machine in MACHINES)
    raise UsageError(f"the lab has no guest of the architecture {arch}", f"it has {known}")


def stock_of(machine: Machine, root: str | None = None, kernel: str = "") -> Stock:
    """Return what guests of a machine are made of here: under `root`, or where it lies by default.

    That is / for this machine's own architecture. The parts of another one, and of a guest with the
    `kernel` of a Debian package that nobody installs (`kernel.sh` lays it out), are looked for in
    the user's cache, then in the shared one.
    """
    if root:
        return Stock(machine, Path(root).absolute())
    if machine.native and not kernel:
        return Stock(machine)
    name = kernel or machine.arch
    places = (cache() / name, SHARED / name)
    return Stock(machine, next((place for place in places if place.is_dir()), places[0]))


def cache() -> Path:
    """Return the user's folder for the parts of other architectures."""
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Path(home, "pfdoctor", "lab")


def _numbers(path: Path) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", path.name)]


USUAL: Final = stock_of(DEFAULT)
"""What guests are made of that nobody wants otherwise."""
