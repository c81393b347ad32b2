"""How large Debian's packages are, as its package manager knows them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Final

import msgspec

from pagefault_doctor.hosts.local import LocalHost
from pagefault_doctor.model.command import Command

_META: Final = 100
"""KiB below which a package holds nothing but the wish for others."""

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9+.-]+")


class Package(msgspec.Struct, frozen=True):
    """A package that could be installed: its version, bytes to fetch, KiB it takes on the disk."""

    version: str
    download: int
    installed: int
    depends: tuple[str, ...]

    @property
    def told(self) -> str:
        """Its version and sizes, for a person; decimal megabytes, as apt tells them."""
        fetch, takes = megabytes(self.download), megabytes(self.installed * 1024)
        return f"{self.version}; {fetch} MB to fetch, {takes} MB on the disk"


def ask(names: Collection[str]) -> dict[str, Package]:
    """Return what apt-cache knows of these packages; nothing of any where there is no apt.

    A package that only wants others counts with those that it names.
    """
    known = _show(names)
    metas = {name: p for name, p in known.items() if p.installed < _META}
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
    return dict(read(LocalHost().run(Command(argv=argv, tool="lab", timeout=20.0)).output))


def read(output: str) -> Iterator[tuple[str, Package]]:
    """Give each package that `apt-cache show` tells of; the sizes as deb-control(5) has them."""
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
