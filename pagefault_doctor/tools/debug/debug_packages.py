"""The packages with a kernel's debug files: apt, dnf or a debuginfod server, and their sizes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec

from pagefault_doctor.model.pattern import regex
from pagefault_doctor.tools.key_value import number_in

APT_NAMES: Final = (
    "linux-image-{}-dbg",
    "linux-image-unsigned-{}-dbgsym",
    "linux-image-{}-dbgsym",
)
"""Debian's name, then Ubuntu's; the last often only depends on the one before. {}: release."""

DNF_NAMES: Final = ("kernel-debuginfo-{}",)
"""Fedora's name. {}: release."""

_PACKAGE = regex(r"[A-Za-z0-9][A-Za-z0-9.+_~-]{0,200}")
_VERSION = regex(r"[0-9][A-Za-z0-9.+:~-]{0,100}")
_FIELD = regex(r"(Package|Version|Size|Installed-Size): (\S+)")
_DNF_ROW = regex(r"([A-Za-z0-9][A-Za-z0-9.+_~^:-]{0,200}) (\d{1,15}) (\d{1,15})")
_DNF_FORMAT: Final = "%{name}-%{version}-%{release}.%{arch} %{downloadsize} %{installsize}\n"

_APT_QUERY: Final = ("apt-cache", "show", "--no-all-versions")
_DNF_QUERY: Final = ("dnf", "-q", "repoquery", "--enablerepo=*debug*", "--qf", _DNF_FORMAT)


class DebugPackage(msgspec.Struct, frozen=True):
    """A package that can be downloaded.

    `what` is its name for its source, `folder` its folder in the cache. `download` and `unpacked`
    are sizes in bytes, 0 if unknown. `line` is the line number in the source's output.
    """

    what: str
    folder: str
    download: int = 0
    unpacked: int = 0
    line: int | None = None


class PackageSource(msgspec.Struct, frozen=True):
    """A package manager of a distribution family: its programs and the names of its packages.

    `query` is the command that shows packages, before their names; `packages` reads its output.
    """

    id: str
    family: str
    programs: tuple[str, ...]
    names: tuple[str, ...]
    query: tuple[str, ...]
    packages: Callable[[str], tuple[DebugPackage, ...]]

    def best(self, output: str, release: str) -> DebugPackage | None:
        """Return the first package, in the order of the names, or None."""
        wanted = [name.replace("{}", release) for name in self.names]
        found = self.packages(output)
        ranked = ((n, o) for n in wanted for o in found if o.what.startswith((f"{n}=", f"{n}-")))
        return next((offer for _, offer in ranked), None)


def apt_packages(output: str) -> tuple[DebugPackage, ...]:
    """Return the packages in the output of `apt-cache show` (deb-control(5)).

    Size is in bytes, Installed-Size in KiB.
    """
    packages = []
    fields: dict[str, str] = {}
    first_line = 1
    for number, line in enumerate((*output.split("\n"), ""), 1):
        if match := _FIELD.fullmatch(line):
            fields[match[1]] = match[2]
            first_line = number if match[1] == "Package" else first_line
        elif not line:
            packages += [package] if (package := _apt_package(fields, first_line)) else []
            fields = {}
    return tuple(packages)


def _apt_package(fields: dict[str, str], line: int) -> DebugPackage | None:
    name, version = fields.get("Package", ""), fields.get("Version", "")
    if not _PACKAGE.fullmatch(name) or not _VERSION.fullmatch(version):
        return None
    folder = f"{name}_{version.replace(':', '%3a')}"
    size, unpacked = (number_in(fields.get(key, "")) or 0 for key in ("Size", "Installed-Size"))
    return DebugPackage(f"{name}={version}", folder, size, unpacked << 10, line)


def _dnf_packages(output: str) -> tuple[DebugPackage, ...]:
    matches = ((n, _DNF_ROW.fullmatch(line)) for n, line in enumerate(output.split("\n"), 1))
    return tuple(
        DebugPackage(m[1], m[1].replace(":", "%3a"), int(m[2]), int(m[3]), n)
        for n, m in matches
        if m
    )


PACKAGE_SOURCES: Final = (
    PackageSource(
        *("apt", "debian", ("apt-cache", "apt-get", "dpkg-deb")),
        *(APT_NAMES, _APT_QUERY, apt_packages),
    ),
    PackageSource("dnf", "fedora", ("dnf", "rpmkeys"), DNF_NAMES, _DNF_QUERY, _dnf_packages),
)
"""Package managers. The sizes from dnf repoquery are in bytes (dnf(8))."""

DEBUGINFOD: Final = "debuginfod-find"
"""The client of debuginfod servers; each server is named in DEBUGINFOD_URLS."""


def size_text(count: int) -> str:
    """Return a number of bytes as text: 283 MB, 1.8 GB."""
    for unit, name in ((10**9, "GB"), (10**6, "MB"), (10**3, "kB")):
        if count >= unit:
            return f"{count / unit:.1f} {name}" if count < 10 * unit else f"{count // unit} {name}"
    return f"{count} bytes"
