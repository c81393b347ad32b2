"""The architectures of guests: their names, their virtual machines, what builds for them."""

from __future__ import annotations

import os
import re
from typing import Final

import msgspec

from pagefault_doctor.model.errors import UsageError


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """An architecture: its names, its virtual machine, and the tools that build for it.

    `arch` is its name on the command line, `uname` in `uname -m`, `debian` in packages, `kbuild` in
    the kernel's build, `elf` in pyelftools; `libraries` names the folders of its libraries. Of the
    `flavours` of Debian's kernel the first that there is is taken; `suites` are those of Debian
    that have one.

    `cpus` are QEMU's models with the version of Linux from which on each is used, the newest first.
    `console` and `agent` are the two ports in the guest; `console_port` and `agent_port` are QEMU's
    options for them, whose chardevs are "console" and "agent"; `agent_module` is the path of the
    kernel's module for the second one, which can also be built in. `memory` is the least in MiB
    that it boots with, `most_cpus` what the board can have. `crash_devices` pass a panic and the
    dump's note to QEMU; `last_line` means that its kernel prints a line after it has stopped in a
    panic. `command_line` is the size of the kernel's command line with its NUL. `limits` tells what
    the guests cannot do.

    `cross_package` has the compiler whose name begins with `cross`. `argument` is the register of a
    function's first argument. `linked` means that gdb does not apply relocations to the debug
    information of modules of this architecture, so they are linked first. `kdump` means that its
    kernel can load a capture kernel from a file.
    """

    arch: str
    uname: str
    debian: str
    kbuild: str
    elf: str
    libraries: str
    flavours: tuple[str, ...]
    suites: tuple[str, ...]
    qemu: str
    qemu_package: str
    board: str
    cpus: tuple[tuple[tuple[int, int], str], ...]
    console: str
    agent: str
    agent_port: tuple[str, ...]
    agent_module: str = ""
    console_port: tuple[str, ...] = ("-serial", "chardev:console")
    memory: int = 0
    most_cpus: int = 2
    crash_devices: tuple[str, ...] = ("pvpanic-pci", "vmcoreinfo")
    last_line: bool = True
    command_line: int = 2048
    limits: str = ""
    cross: str
    cross_package: str
    argument: str
    linked: bool
    kdump: bool = False

    @property
    def native(self) -> bool:
        """Whether this machine has that architecture."""
        return os.uname().machine == self.uname

    @property
    def kernel_package(self) -> str:
        """The Debian package of the kernel that is booted."""
        return f"linux-image-{self.flavours[0]}"

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


_ALL_SUITES: Final = (
    *("bullseye", "bookworm", "trixie"),
    *("bookworm-backports", "trixie-backports", "forky", "sid"),
)

X86_64: Final = Machine(
    arch="x86_64",
    uname="x86_64",
    debian="amd64",
    kbuild="x86_64",
    elf="x64",
    libraries="x86_64-linux-gnu",
    flavours=("cloud-amd64", "amd64"),
    suites=_ALL_SUITES,
    qemu="qemu-system-x86_64",
    qemu_package="qemu-system-x86",
    board="q35",
    # With SMAP and SMEP, like every x86 machine since about 2015. Without cmpxchg16b, after
    # which the flags were found wrong in QEMU 7.2: a kernel whose slab allocator uses it then dies
    # of a double fault or of a trap while it boots, now and then.
    cpus=(((6, 12), "EPYC,-cx16"), ((0, 0), "qemu64,+smap,+smep,-cx16")),
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
    libraries="aarch64-linux-gnu",
    flavours=("cloud-arm64", "arm64"),
    suites=_ALL_SUITES,
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
)

ARMHF: Final = Machine(
    arch="armhf",
    uname="armv7l",
    debian="armhf",
    kbuild="arm",
    elf="ARM",
    libraries="arm-linux-gnueabihf",
    flavours=("armmp-lpae", "armmp"),
    suites=("bullseye", "bookworm", "trixie", "bookworm-backports", "forky", "sid"),
    qemu="qemu-system-arm",
    qemu_package="qemu-system-arm",
    board="virt",
    cpus=(((0, 0), "cortex-a15"),),
    console="ttyAMA0",
    agent="ttyS0",
    agent_port=("-device", "pci-serial,chardev=agent"),
    command_line=1024,
    cross="arm-linux-gnueabihf-",
    cross_package="gcc-arm-linux-gnueabihf",
    argument="r0",
    linked=True,
)

I386: Final = Machine(
    arch="i386",
    uname="i686",
    debian="i386",
    kbuild="i386",
    elf="x86",
    libraries="i386-linux-gnu",
    flavours=("686-pae", "686"),
    # Debian 13 has no kernel for it any more, and that of the backports has no headers.
    suites=("bullseye", "bookworm"),
    qemu="qemu-system-i386",
    qemu_package="qemu-system-x86",
    board="q35",
    cpus=(((0, 0), "qemu64,+smap,+smep"),),
    console="ttyS0",
    agent="ttyS1",
    agent_port=("-serial", "chardev:agent"),
    cross="i686-linux-gnu-",
    cross_package="gcc-i686-linux-gnu",
    argument="eax",
    linked=False,
)

RISCV64: Final = Machine(
    arch="riscv64",
    uname="riscv64",
    debian="riscv64",
    kbuild="riscv",
    elf="RISC-V",
    libraries="riscv64-linux-gnu",
    flavours=("riscv64",),
    # It is part of Debian since 13.
    suites=("trixie", "forky", "sid"),
    qemu="qemu-system-riscv64",
    qemu_package="qemu-system-misc",
    board="virt",
    cpus=(((0, 0), "rv64"),),
    console="ttyS0",
    agent="ttyS1",
    agent_port=("-device", "pci-serial,chardev=agent"),
    # QEMU takes no vmcoreinfo on this board before 8.1.
    crash_devices=("pvpanic-pci",),
    command_line=1024,
    cross="riscv64-linux-gnu-",
    cross_package="gcc-riscv64-linux-gnu",
    argument="a0",
    linked=True,
)

PPC64EL: Final = Machine(
    arch="ppc64el",
    uname="ppc64le",
    debian="ppc64el",
    kbuild="powerpc",
    elf="64-bit PowerPC",
    libraries="powerpc64le-linux-gnu",
    flavours=("powerpc64le",),
    suites=("bookworm", "trixie", "bookworm-backports", "forky", "sid"),
    qemu="qemu-system-ppc64",
    qemu_package="qemu-system-ppc",
    # The firmware within QEMU: it is quicker than SLOF.
    board="pseries,x-vof=on",
    cpus=(((0, 0), "power9"),),
    console="hvc0",
    agent="hvc1",
    agent_port=("-serial", "chardev:agent"),
    memory=1024,
    crash_devices=(),
    cross="powerpc64le-linux-gnu-",
    cross_package="gcc-powerpc64le-linux-gnu",
    argument="r3",
    linked=True,
)

S390X: Final = Machine(
    arch="s390x",
    uname="s390x",
    debian="s390x",
    kbuild="s390",
    elf="IBM S/390",
    libraries="s390x-linux-gnu",
    flavours=("s390x",),
    suites=("bookworm", "trixie", "bookworm-backports", "forky", "sid"),
    qemu="qemu-system-s390x",
    qemu_package="qemu-system-misc",
    board="s390-ccw-virtio",
    cpus=(((0, 0), "max"),),
    console="ttysclp0",
    console_port=("-device", "sclpconsole,chardev=console"),
    # Linux writes its messages to each console of the SCLP.
    agent="vport0p1",
    agent_port=("-device", "virtio-serial", "-device", "virtserialport,chardev=agent"),
    agent_module="kernel/drivers/char/virtio_console.ko",
    crash_devices=(),
    # It stops in its panic before it would print that it has (panic() in kernel/panic.c).
    last_line=False,
    command_line=896,
    cross="s390x-linux-gnu-",
    cross_package="gcc-s390x-linux-gnu",
    argument="r2",
    linked=True,
)

MIPS64EL: Final = Machine(
    arch="mips64el",
    uname="mips64",
    debian="mips64el",
    kbuild="mips",
    elf="MIPS",
    libraries="mips64el-linux-gnuabi64",
    flavours=("5kc-malta",),
    # Debian 13 has no kernel for it any more.
    suites=("bookworm", "bookworm-backports"),
    qemu="qemu-system-mips64el",
    qemu_package="qemu-system-mips",
    board="malta",
    cpus=(((0, 0), "5KEf"),),
    console="ttyS0",
    agent="ttyS1",
    agent_port=("-serial", "chardev:agent"),
    most_cpus=1,
    crash_devices=(),
    # The board's firmware in QEMU passes 256 bytes, with the initramfs's place.
    command_line=200,
    limits="QEMU writes no dump of their memory",
    cross="mips64el-linux-gnuabi64-",
    cross_package="gcc-mips64el-linux-gnuabi64",
    argument="a0",
    linked=True,
)

MACHINES: Final = (X86_64, ARM64, ARMHF, I386, RISCV64, PPC64EL, S390X, MIPS64EL)
"""All architectures that guests can have."""

DEFAULT_MACHINE: Final = next((machine for machine in MACHINES if machine.native), X86_64)
"""The architecture of a guest by default."""


def machine_of(arch: str) -> Machine:
    """Return the machine of that name, the default one for an empty name. Raises UsageError."""
    if not arch:
        return DEFAULT_MACHINE
    for machine in MACHINES:
        if arch in (machine.arch, machine.uname, machine.debian, machine.elf):
            return machine
    known = ", ".join(machine.arch for machine in MACHINES)
    raise UsageError(f"the lab has no guest of the architecture {arch}", f"it has {known}")
