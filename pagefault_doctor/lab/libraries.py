"""The shared libraries of a guest's programs, and where a program looks for each."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from pagefault_doctor.lab.machine import USUAL, Stock

_LISTED: Final = re.compile(r"(?:=> )?(/\S+) \(0x")
"""One line of ldd: `libc.so.6 => /lib/.../libc.so.6 (0x...)`, or the loader alone."""

_FOLDERS: Final = ("/lib/{}-linux-gnu", "/usr/lib/{}-linux-gnu", "/lib", "/usr/lib")
"""Where Debian keeps libraries, {} being the architecture as uname names it."""


def libraries(program: Path, stock: Stock = USUAL) -> Iterator[tuple[str, Path]]:
    """Give what a program of a stock needs, its loader too: the guest's path, and ours.

    What is no program, or needs nothing, gives nothing.
    """
    if stock.root == Path("/"):
        yield from ((place, Path(place)) for place in _listed(program))
    else:
        yield from _needed(program, stock)


def _listed(program: Path) -> list[str]:
    """Return what this machine's own loader would load, as ldd(1) names it."""
    listing = subprocess.run(
        ("ldd", str(program)), capture_output=True, text=True, timeout=30, check=False
    )
    return _LISTED.findall(listing.stdout)


def _needed(program: Path, stock: Stock) -> Iterator[tuple[str, Path]]:
    """Follow the names in the files themselves: no loader of ours runs them."""
    folders = [place.format(stock.machine.uname) for place in _FOLDERS]
    waiting, seen = [program], set[str]()
    while waiting:
        for name in _names(waiting.pop()):
            if name in seen:
                continue
            seen.add(name)
            places = [name] if name.startswith("/") else [f"{place}/{name}" for place in folders]
            found = next(((p, stock.path(p)) for p in places if stock.path(p).exists()), None)
            if found:
                waiting.append(found[1])
                yield found


def _names(file: Path) -> list[str]:
    """Return the loader and the libraries that an ELF file names."""
    from elftools.common.exceptions import ELFError
    from elftools.elf.dynamic import DynamicSegment
    from elftools.elf.elffile import ELFFile
    from elftools.elf.segments import InterpSegment

    with file.open("rb") as stream:
        try:
            elf = ELFFile(stream)
            segments = tuple(elf.iter_segments())
            loaders = [s.get_interp_name() for s in segments if isinstance(s, InterpSegment)]
            dynamic = (s for s in segments if isinstance(s, DynamicSegment))
            tags = (tag for segment in dynamic for tag in segment.iter_tags("DT_NEEDED"))
            return loaders + [tag.needed for tag in tags]  # type: ignore[attr-defined]
        except ELFError:
            return []
