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
from pagefault_doctor.lab.stock import DEFAULT_STOCK, Stock, caches, release_of, user_cache
from pagefault_doctor.model.errors import MissingError, UsageError

STABLE: Final = {"5.10": "bullseye", "6.1": "bookworm", "6.12": "trixie"}
"""Versions that a suite keeps for good, as https://www.debian.org/releases/ lists the suites."""

MOVING: Final = ("forky", "sid", "trixie-backports", "bookworm-backports")
"""Suites whose kernel changes, the nearest to a release first."""

_VERSION: Final = re.compile(r"\d{1,2}\.\d{1,3}(?:\.\d{1,4})?", re.ASCII)
_FLAVOURED: Final = re.compile(r"(?P<version>[\d.]+)-(?P<flavour>[a-z].*|686.*)", re.ASCII)
_FOLDER: Final = "kernels"


class KernelName(msgspec.Struct, frozen=True):
    """What a person calls a kernel: `name` is that of its folder.

    `version` is how its release begins, empty for any; the first of `suites` that has such a kernel
    is taken, of the first of `flavours` that it has.
    """

    name: str
    version: str
    suites: tuple[str, ...]
    flavours: tuple[str, ...]


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

    Either can end in a flavour: `6.1-amd64`. Raises UsageError for what is neither, and for a suite
    without a kernel for that machine.
    """
    for flavour in machine.flavours:
        if text.endswith(f"-{flavour}"):
            plain = kernel_name(text.removesuffix(f"-{flavour}"), machine)
            return KernelName(f"{plain.name}-{flavour}", plain.version, plain.suites, (flavour,))
    for version, suite in STABLE.items():
        if text in (version, suite) and suite in machine.suites:
            return KernelName(version, version, (suite,), machine.flavours)
    places = tuple(suite for suite in (*MOVING, *STABLE.values()) if suite in machine.suites)
    stable = [version for version, suite in STABLE.items() if suite in places]
    is_there = not stable or numbers_of(text) >= numbers_of(stable[0])
    if text in MOVING and text in places:
        return KernelName(text, "", (text,), machine.flavours)
    if _VERSION.fullmatch(text) and is_there:
        return KernelName(text, text, places, machine.flavours)
    known = ", ".join((*stable, *places))
    problem = f"no kernel is called {text}"
    if _VERSION.fullmatch(text):
        problem = f"Debian has no kernel {text} for {machine.arch}"
    elif text in MOVING or text in STABLE.values():
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
    if machine.native and (own := DEFAULT_STOCK.kernel()):
        release = release_of(own)
        name = next((version for version in STABLE if fits(release, version)), release)
        here[name] = KernelHere(name, release)
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


def kernel_stock(machine: Machine, text: str, own: Stock = DEFAULT_STOCK) -> Stock:
    """Return the stock with the kernel that a person calls `text`: a name, or a whole release.

    That is `own`, this machine's, where it is of that architecture and its kernel fits; an empty
    name is the usual one. Raises MissingError where it was not fetched, UsageError where nothing is
    called that.
    """
    if not text:
        return usual_stock(machine)
    kernel = own.kernel() if machine.native and own.machine == machine else None
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
    of, option = ("", "") if machine.native else (f" for {machine.arch}", f" --arch {machine.arch}")
    remedy = f"pfdoctor lab kernels fetch {name.name}{option}"
    raise MissingError(f"no kernel {text}{of} is here", remedy)


def usual_stock(machine: Machine) -> Stock:
    """Return the stock of a machine's guests by default.

    For this machine's architecture that is this machine itself; for another one the newest kernel
    that was fetched.
    """
    if machine.native:
        return Stock(machine)
    fetched = [kernel.folder for kernel in fetched_kernels(machine)]
    return Stock(machine, fetched[-1] if fetched else caches()[0] / _FOLDER / machine.arch / "none")


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
    """Return whether a release is of a version, which may be as short as `6`.

    A version can end in a flavour: `6.1-amd64` is not of the release `6.1.0-9-cloud-amd64`.
    """
    if named := _FLAVOURED.fullmatch(version):
        rest = release.removesuffix(f"-{named['flavour']}")
        numbered = rest.rpartition("-")[2][:1].isdigit()
        return rest != release and numbered and fits(rest, named["version"])
    return release == version or release.startswith((f"{version}.", f"{version}-", f"{version}+"))


def numbers_of(release: str) -> list[int]:
    """Return the numbers in a release, by which kernels are put in order."""
    return [int(number) for number in re.findall(r"\d+", release)]
