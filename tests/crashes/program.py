"""Builds the programs among the seeds, for the root file system of a guest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from crashes.seed import Seed
from pagefault_doctor.hosts.local import LocalHost
from pagefault_doctor.lab.cpio import CpioEntry, program
from pagefault_doctor.lab.module import build_program
from pagefault_doctor.lab.stock import Stock
from pagefault_doctor.model.command import Command
from pagefault_doctor.model.errors import PfDoctorError

_FLAGS: Final = ("-O1", "-Wall")
_STATIC: Final = ("-static",)
_BARE: Final = ("-nostdlib", "-fPIC", "-Wl,--build-id=none")
"""For a program with a library of its own: the libc of the guest may be older than the compiler's,
and its loader is there for the shell."""

_TIMEOUT: Final = 120.0


def build_programs(chosen: Iterable[Seed], stock: Stock, home: Path) -> Iterator[CpioEntry]:
    """Yield the programs among these seeds and their libraries. Raises PfDoctorError."""
    for seed in chosen:
        if not seed.program or not seed.source:
            continue
        if seed.library:
            yield from _with_library(seed, seed.source, home)
        else:
            flags = (*_FLAGS, *seed.flags, *_STATIC)
            made = build_program(seed.source, seed.name, stock, flags)
            yield program(f"usr/bin/{seed.name}", made)


def _with_library(seed: Seed, source: Path, home: Path) -> Iterator[CpioEntry]:
    """Yield a program and its library, for this machine's architecture."""
    home.mkdir(parents=True, exist_ok=True)
    made, library = home / seed.name, home / f"lib{seed.name}.so"
    shared = (*_BARE, "-shared", f"-Wl,-soname,{library.name}")
    _compile(source.with_name(seed.library or ""), library, shared)
    yield program(f"usr/lib/{library.name}", library.read_bytes())
    _compile(source, made, (*seed.flags, *_BARE, str(library), "-Wl,-rpath,/usr/lib"))
    yield program(f"usr/bin/{seed.name}", made.read_bytes())


def _compile(source: Path, made: Path, flags: tuple[str, ...]) -> None:
    argv = ("gcc", *_FLAGS, "-o", str(made), str(source), *flags)
    result = LocalHost().run(Command(argv=argv, tool="lab", timeout=_TIMEOUT))
    if not result.ok:
        raise PfDoctorError(f"{source.name} does not build", result.errors)
