"""Kernels of Debian's suites for guests: how people call them, and those that were fetched.

Each lies in a folder laid out like a root file system, with the compiler that it was built with;
`fetch_kernel.sh` fills it.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from pagefault_doctor.lab.machine import DEFAULT_MACHINE, Machine
from pagefault_doctor.lab.stock import Stock, caches, release_of, stock_of, user_cache
from pagefault_doctor.model.errors import MissingError, UsageError

STABLE: Final = {"5.10": "bullseye", "6.1": "bookworm", "6.12": "trixie"}
"""Versions that a suite keeps for good, as https://www.debian.org/releases/ lists the suites."""

MOVING: Final = ("forky", "sid", "trixie-backports", "bookworm-backports")
"""Suites whose kernel changes, the nearest to a release first."""

_VERSION: Final = re.compile(r"\d{1,2}\.\d{1,3}(?:\.\d{1,4})?", re.ASCII)
_FOLDER: Final = "kernels"


class KernelName(msgspec.Struct, frozen=True):
    """What a person calls a kernel: `name` is that of its folder.

    `version` is how its release begins, empty for any; the first of `suites` that has such a kernel
    is taken.
    """

    name: str
    version: str
    suites: tuple[str, ...]


class FetchedKernel(msgspec.Struct, frozen=True):
    """A kernel that was fetched: its name, its release and its folder."""

    name: str
    release: str
    folder: Path


class KernelHere(msgspec.Struct, frozen=True):
    """A kernel that guests can boot, and its folder; none for this machine's own."""

    name: str
    release: str
    folder: str | None = None

    def stock(self, machine: Machine) -> Stock:
        """Return the stock of guests that boot it."""
        return Stock(machine, Path(self.folder or "/"))


def kernel_name(text: str, machine: Machine = DEFAULT_MACHINE) -> KernelName:
    """Return what a version (`5.10`) or a suite (`trixie`) stands for among a machine's kernels.

    Raises UsageError for what is neither, and for a suite without a kernel for that machine.
    """
    for version, suite in STABLE.items():
        if text in (version, suite) and suite in machine.suites:
            return KernelName(version, version, (suite,))
    places = tuple(suite for suite in (*MOVING, *STABLE.values()) if suite in machine.suites)
    if text in MOVING and text in places:
        return KernelName(text, "", (text,))
    if _VERSION.fullmatch(text):
        return KernelName(text, text, places)
    known = ", ".join((*(v for v, suite in STABLE.items() if suite in places), *places))
    problem = f"no kernel is called {text}"
    if text in MOVING or text in STABLE.values():
        problem = f"Debian's {text} has no kernel for {machine.arch}"
    raise UsageError(problem, f"name a version such as 7.2, or {known}")


def kernel_folder(machine: Machine, name: KernelName) -> Path:
    """Return the user's folder for a kernel. Raises MissingError without a home folder."""
    return user_cache() / _FOLDER / machine.arch / name.name


def fetched_kernels(machine: Machine) -> tuple[FetchedKernel, ...]:
    """Return the kernels for guests of a machine that lie in the user's cache or the shared one."""
    return tuple(sorted(_fetched(machine), key=lambda kernel: numbers_of(kernel.release)))


def kernels_here(machine: Machine) -> tuple[KernelHere, ...]:
    """Return the kernels that guests of a machine can boot, the usual one first, each name once."""
    here: dict[str, KernelHere] = {}
    usual = stock_of(machine)
    if own := usual.kernel():
        release = release_of(own)
        name = next((version for version in STABLE if fits(release, version)), release)
        here[name] = KernelHere(name, release, None if machine.native else str(usual.root))
    for kernel in fetched_kernels(machine):
        here.setdefault(kernel.name, KernelHere(kernel.name, kernel.release, str(kernel.folder)))
    return tuple(here.values())


def unfinished(folder: Path) -> Path:
    """Return where what was downloaded for a folder of kernels waits for the rest."""
    return folder.with_name(f"{folder.name}.partial")


def remove_kernel(machine: Machine, name: KernelName) -> bool:
    """Remove the user's kernel of that name, or what there is of it; return whether there was one.

    Raises OSError where a part cannot be removed.
    """
    folder = kernel_folder(machine, name)
    there = [place for place in (folder, unfinished(folder)) if place.is_dir()]
    for place in there:
        shutil.rmtree(place)
    return bool(there)


def kernel_stock(machine: Machine, text: str, own: Stock) -> Stock:
    """Return the stock with the kernel that a person calls `text`: a name, or a whole release.

    That is `own` where its kernel fits. Raises MissingError where it was not fetched, UsageError
    where nothing is called that.
    """
    kernel = own.kernel()
    if kernel and fits(release_of(kernel), text):
        return own
    fetched = fetched_kernels(machine)
    found = [k for k in fetched if text in (k.release, k.name)] or [
        k for k in fetched if fits(k.release, text)
    ]
    if found:
        return Stock(machine, found[-1].folder)
    name = kernel_name(text, machine)
    again = [k for k in fetched if k.name == name.name]
    if again:
        return Stock(machine, again[-1].folder)
    words, what = f"pfdoctor lab kernels fetch {name.name}", f"no kernel {text} is here"
    if not machine.native:
        words, what = (
            f"{words} --arch {machine.arch}",
            f"no kernel {text} for {machine.arch} is here",
        )
    raise MissingError(what, words)


def usual_stock(machine: Machine) -> Stock:
    """Return the stock of a machine's guests by default.

    For this machine's architecture that is this machine itself; for another one what
    `pfdoctor lab fetch` fetched, else the newest kernel that was fetched.
    """
    usual = stock_of(machine)
    fetched = () if machine.native or usual.kernel() else fetched_kernels(machine)
    return Stock(machine, fetched[-1].folder) if fetched else usual


def _fetched(machine: Machine) -> Iterator[FetchedKernel]:
    seen: set[str] = set()
    for place in caches():
        for folder in sorted((place / _FOLDER / machine.arch).glob("*")):
            with suppress(OSError, UnicodeDecodeError):
                release = (folder / "complete").read_text().strip()
                if folder.name not in seen:
                    seen.add(folder.name)
                    yield FetchedKernel(folder.name, release, folder)


def fits(release: str, version: str) -> bool:
    """Return whether a release is of a version, which may be as short as `6`."""
    return release == version or release.startswith((f"{version}.", f"{version}-", f"{version}+"))


def numbers_of(release: str) -> list[int]:
    """Return the numbers in a release, by which kernels are put in order."""
    return [int(number) for number in re.findall(r"\d+", release)]
