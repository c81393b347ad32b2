"""Builds the programs among the seeds, for the root file system of a guest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from crashes.seed import Seed
from pagefault_doctor.hosts.local import LocalHost
from pagefault_doctor.lab.cpio import CpioEntry, program
from pagefault_doctor.lab.machine import Machine
from pagefault_doctor.model.command import Command
from pagefault_doctor.model.errors import PfDoctorError

_FLAGS: Final = ("-O1", "-Wall")
_STATIC: Final = ("-static",)
_BARE: Final = ("-nostdlib", "-fPIC", "-Wl,--build-id=none")
"""For a program with a library of its own: the libc of the guest may be older than the compiler's,
and its loader is there for the shell."""

_TIMEOUT: Final = 120.0


def build_programs(chosen: Iterable[Seed], machine: Machine, home: Path) -> Iterator[CpioEntry]:
    """Yield the programs among these seeds and their libraries. Raises PfDoctorError."""
    for seed in chosen:
        if seed.program and seed.source:
            yield from _built(seed, seed.source, machine, home)


def _built(seed: Seed, source: Path, machine: Machine, home: Path) -> Iterator[CpioEntry]:
    home.mkdir(parents=True, exist_ok=True)
    made = home / seed.name
    link: tuple[str, ...] = _STATIC
    if seed.library:
        library = home / f"lib{seed.name}.so"
        shared = (*_BARE, "-shared", f"-Wl,-soname,{library.name}")
        _compile(source.with_name(seed.library), library, machine, shared)
        yield program(f"usr/lib/{library.name}", library.read_bytes())
        link = (*_BARE, str(library), "-Wl,-rpath,/usr/lib")
    _compile(source, made, machine, (*seed.flags, *link))
    yield program(f"usr/bin/{seed.name}", made.read_bytes())


def _compile(source: Path, made: Path, machine: Machine, flags: tuple[str, ...]) -> None:
    argv = (machine.gcc, *_FLAGS, "-o", str(made), str(source), *flags)
    result = LocalHost().run(Command(argv=argv, tool="lab", timeout=_TIMEOUT))
    if not result.ok:
        raise PfDoctorError(f"{source.name} does not build", result.errors)
