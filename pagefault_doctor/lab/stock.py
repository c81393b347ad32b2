"""The kernels, headers and programs of guests: where they lie on this machine.

A guest of this machine's architecture uses the files installed under /. For another architecture,
or another kernel, there is a separate folder, laid out like a root file system, which
`pfdoctor lab kernels fetch` fills. Nothing in that folder runs outside a guest and a build.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from pagefault_doctor.files.home_folder import NoHomeError, user_folder
from pagefault_doctor.lab.machine import DEFAULT_MACHINE, Machine
from pagefault_doctor.model.errors import MissingError

SHARED_CACHE: Final = Path("/var/cache/pfdoctor/lab")
"""The files of other architectures and kernels, shared by all users of this machine."""

_USUAL_SUITES: Final = ("trixie", "bookworm")
"""Suites whose kernel is proposed, where none is here."""

_IMAGES: Final = ("vmlinuz-", "vmlinux-")
"""How the name of a kernel's image begins: where it is not packed, it is called vmlinux."""


class Stock(msgspec.Struct, frozen=True):
    """The kernels, headers and programs of guests, under `root` (a sysroot)."""

    machine: Machine
    root: Path = Path("/")

    @property
    def remedy(self) -> str:
        """The command that installs missing files of this stock."""
        option = "" if self.machine.native else f" --arch {self.machine.arch}"
        if self.has_compiler:
            return f"pfdoctor lab kernels fetch {self.root.name}{option} --debug"
        if self.machine.native:
            return "make lab-setup"
        suite = next(name for name in _USUAL_SUITES if name in self.machine.suites)
        return f"pfdoctor lab kernels fetch {suite}{option}"

    @property
    def builder(self) -> Path:
        """The root to build in: that of a kernel of another architecture is of this machine's."""
        return self.root if self.machine.native else self.root / "builder"

    @property
    def has_compiler(self) -> bool:
        """Whether modules are built with a compiler and make of its own, as `kernels.py` has it."""
        return self.root != Path("/") and os.path.lexists(self.builder / "usr/bin/make")

    @property
    def compiler(self) -> str:
        """The compiler in the root to build in."""
        return "gcc" if self.machine.native else f"{self.machine.cross}gcc"

    @property
    def has_library(self) -> bool:
        """Whether programs are built in a root of its own, with its C library."""
        folders = ("usr/include", f"usr/{self.machine.cross.rstrip('-')}/include")
        there = (self.builder / folder / "stdio.h" for folder in folders)
        return self.has_compiler and any(path.exists() for path in there)

    def path(self, place: str) -> Path:
        """Return the local path of a path in the guest's distribution."""
        return self.root / place.lstrip("/")

    def kernel(self, release: str = "") -> Path | None:
        """Return the image of a kernel release, or of the newest kernel with modules, or None.

        An image that this user cannot read does not count.
        """
        if release:
            paths = (self.path(f"boot/{prefix}{release}") for prefix in _IMAGES)
            return next((path for path in paths if os.access(path, os.R_OK)), None)
        images = [path for prefix in _IMAGES for path in self.path("boot").glob(f"{prefix}*")]
        usable = (p for p in images if self.path(f"lib/modules/{release_of(p)}").is_dir())
        return max(usable, key=_version_numbers, default=None)

    def vmlinux(self) -> Path | None:
        """Return the newest kernel's file with debug information, or None."""
        kernel = self.kernel()
        path = self.path(f"usr/lib/debug/boot/vmlinux-{release_of(kernel)}") if kernel else None
        return path if path and path.exists() else None

    def build_folder(self, release: str) -> Path:
        """Return the folder of the headers that modules for a kernel release are built with."""
        root = self.builder if self.has_compiler else self.root
        return root / f"lib/modules/{release}/build"


def release_of(kernel: Path) -> str:
    """Return the release of a kernel image, from its file name."""
    return kernel.name.removeprefix("vmlinuz-").removeprefix("vmlinux-")


def caches() -> tuple[Path, ...]:
    """Return the folders with files of other kernels and architectures, the user's before all's."""
    with suppress(MissingError):
        return (user_cache(), SHARED_CACHE)
    return (SHARED_CACHE,)


def user_cache() -> Path:
    """Return the user's folder for the files of other kernels and architectures.

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


DEFAULT_STOCK: Final = Stock(DEFAULT_MACHINE)
"""This machine's own stock, that of guests by default."""
