"""The kernels of the lab: those that are here and that can be fetched, and the nearest to a log's.

`pfdoctor lab kernels list --json` prints them, as Debian's suites have them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from pagefault_doctor.model.pattern import regex

_NAME: Final = regex(r"[0-9A-Za-z][\w.+~-]{0,63}")
_VERSION: Final = regex(r"(\d{1,2})\.(\d{1,3})(?![\d])")
_FLAVOUR: Final = regex(r".*\d-([a-z][\w-]*)$")
"""What a distribution builds beside each other: amd64, cloud-amd64, generic."""
_CLOUD: Final = "cloud"
_MINORS: Final = 20
"""Linux goes on with the next major version after some 20 minor ones."""


class LabKernel(msgspec.Struct, frozen=True):
    """A kernel by the lab's name for it. `release` is empty where it has to be fetched first."""

    name: str
    release: str = ""

    @property
    def is_here(self) -> bool:
        """Whether a guest can boot it at once."""
        return bool(self.release)


class _Listed(msgspec.Struct, frozen=True):
    name: str
    release: str = ""


class Listing(msgspec.Struct, frozen=True):
    """What `pfdoctor lab kernels list --json` prints."""

    kernels: tuple[_Listed, ...]
    fetchable: tuple[str, ...] = ()


def listing(output: str) -> Listing | None:
    """Return the kernels that are there and can be fetched, with sound names; None if damaged."""
    try:
        said = msgspec.json.decode(output, type=Listing)
    except (msgspec.DecodeError, RecursionError):
        return None
    return Listing(
        tuple(kernel for kernel in said.kernels if _NAME.fullmatch(kernel.name)),
        tuple(name for name in said.fetchable if _NAME.fullmatch(name)),
    )


def nearest(release: str, there: Listing, *, drivers: bool = False) -> LabKernel | None:
    """Return the kernel of a log's release, else the nearest by version; None without any.

    Of the same version, one of the same flavour counts first, then one that is here; with
    `drivers`, those for the cloud, which lack most of them, come after all of that version. Of a
    log that does not tell its release it is the first one here.
    """
    found = tuple(_all(there))
    if exact := next(
        (kernel for kernel in found if kernel.is_here and kernel.release == release), None
    ):
        return exact
    wanted = _ordinal(release)
    if wanted is None:
        return next(iter(found), None)
    numbered = [kernel for kernel in found if _ordinal(kernel.release or kernel.name) is not None]

    def distance(kernel: LabKernel) -> tuple[int, bool, bool]:
        versions = abs((_ordinal(kernel.release or kernel.name) or 0) - wanted)
        flavour = _flavour(kernel.release)
        return versions, drivers and _CLOUD in flavour, flavour != _flavour(release)

    return min(numbered, key=distance, default=None)


def _all(there: Listing) -> Iterator[LabKernel]:
    for kernel in there.kernels:
        yield LabKernel(kernel.name, kernel.release or kernel.name)
    yield from (LabKernel(name) for name in there.fetchable)


def _flavour(release: str) -> str:
    match = _FLAVOUR.match(release)
    return match[1] if match else ""


def _ordinal(release: str) -> int | None:
    """Return a number that grows with the version: 5.19 and 6.0 are one apart."""
    match = _VERSION.match(release)
    return int(match[1]) * _MINORS + int(match[2]) if match else None
