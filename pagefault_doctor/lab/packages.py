"""The size of Debian packages, as apt-cache prints it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Final

import msgspec

from pagefault_doctor.hosts.local import LocalHost
from pagefault_doctor.model.command import Command

_METAPACKAGE_KIB: Final = 100
"""A package smaller than this many KiB is a metapackage: it only depends on others."""

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9+.-]+")


class Package(msgspec.Struct, frozen=True):
    """A package that can be installed: version, bytes to download, KiB on the disk."""

    version: str
    download: int
    installed: int
    depends: tuple[str, ...]

    @property
    def summary(self) -> str:
        """Version and sizes as text; decimal megabytes, like apt."""
        fetch, takes = megabytes(self.download), megabytes(self.installed * 1024)
        return f"{self.version}; {fetch} MB to fetch, {takes} MB on the disk"


def query(names: Collection[str]) -> dict[str, Package]:
    """Return the packages that apt-cache knows, by name; empty without apt.

    The size of a metapackage includes the packages that it depends on.
    """
    known = _show(names)
    metas = {name: p for name, p in known.items() if p.installed < _METAPACKAGE_KIB}
    wanted = _show({other for p in metas.values() for other in p.depends} - set(known))
    for name, meta in metas.items():
        parts = [p for other in meta.depends if (p := wanted.get(other) or known.get(other))]
        known[name] = msgspec.structs.replace(
            meta,
            download=meta.download + sum(p.download for p in parts),
            installed=meta.installed + sum(p.installed for p in parts),
        )
    return known


def _show(names: Collection[str]) -> dict[str, Package]:
    if not names:
        return {}
    argv = ("apt-cache", "show", "--no-all-versions", *sorted(names))
    return dict(parse(LocalHost().run(Command(argv=argv, tool="lab", timeout=20.0)).output))


def parse(output: str) -> Iterator[tuple[str, Package]]:
    """Yield each package in the output of `apt-cache show`; sizes as in deb-control(5)."""
    for paragraph in output.split("\n\n"):
        fields = dict(
            line.split(": ", 1)
            for line in paragraph.splitlines()
            if ": " in line and not line.startswith(" ")
        )
        if {"Package", "Version", "Size", "Installed-Size"} <= set(fields):
            sizes = fields["Size"], fields["Installed-Size"]
            if all(size.isdecimal() and len(size) < 16 for size in sizes):
                depends = (
                    _NAME.match(word.strip()) for word in fields.get("Depends", "").split(",")
                )
                names = tuple(found[0] for found in depends if found)
                package = Package(fields["Version"], int(sizes[0]), int(sizes[1]), names)
                yield fields["Package"], package


def megabytes(size: int) -> int:
    """Return bytes as decimal megabytes, at least one."""
    return max(1, round(size / 1_000_000))
