"""The seeds: what crashes, how it is made to, and what a right answer says (README.md)."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path
from typing import Any, Final

import msgspec

from pagefault_doctor.model.diagnosis import Attribution, RootCause

FOLDER: Final = Path(__file__).parent / "seeds"
BYSTANDERS: Final = "bystanders"

_OF_CAUSE: Final = {
    RootCause.USER_SPACE: Attribution.USER_SPACE,
    RootCause.HARDWARE: Attribution.HARDWARE,
    RootCause.OOM: Attribution.MEMORY_PRESSURE,
    RootCause.NONE: Attribution.NONE,
}
"""Who has to act where a seed does not say it; else the module."""


class Also(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Further answers that an expert would accept."""

    cause: tuple[RootCause, ...] = ()
    who: tuple[Attribution, ...] = ()
    module: tuple[str | None, ...] = ()
    function: tuple[str, ...] = ()


class Seed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A planted fault or a situation. README.md says what each field means."""

    name: str
    cause: RootCause
    where: str
    who: Attribution
    module: str | None
    function: str | None = None
    line: str | None = None
    also: Also = Also()
    trigger: tuple[str, ...] = ()
    wait: float = 3
    bystanders: tuple[str, ...] = ("abacus",)
    kernel_args: tuple[str, ...] = ()
    insert: bool = True
    inject: tuple[str, ...] = ()
    boots: bool = True
    init: str | None = None
    arch: tuple[str, ...] = ()
    slub_debug: bool = False
    program: bool = False
    flags: tuple[str, ...] = ()
    library: str | None = None

    @property
    def is_module(self) -> bool:
        """Whether its source is a module."""
        return self.source is not None and not self.program

    @property
    def source(self) -> Path | None:
        """Its source file, or None for a situation without one."""
        path = FOLDER / self.cause / f"{self.name}.c"
        return path if path.exists() else None

    @property
    def digest(self) -> str:
        """The SHA-256 of its source and what is inserted, run and passed to the kernel with it."""
        made_from = (self.trigger, self.bystanders, self.kernel_args, self.inject, self.flags)
        text = self.source.read_bytes() if self.source else b""
        return hashlib.sha256(text + repr((made_from, self.insert, self.init)).encode()).hexdigest()

    @property
    def line_number(self) -> int | None:
        """The number of its faulting line, from 1."""
        if self.line is None or self.source is None:
            return None
        lines = self.source.read_text().splitlines()
        return next(n for n, text in enumerate(lines, 1) if text.strip() == self.line)


def load(path: Path) -> Seed:
    """Return the seed of a YAML file. Raises msgspec.ValidationError where a field is wrong."""
    import yaml

    given: dict[str, Any] = yaml.safe_load(path.read_text())
    cause = RootCause(path.parent.name)
    is_module = path.with_suffix(".c").exists() and not given.get("program")
    given = {"who": _OF_CAUSE.get(cause, Attribution.MODULE), **given}
    given = {"module": path.stem if is_module else None, **given}
    return msgspec.convert({"name": path.stem, "cause": cause, **given}, Seed)


def seeds() -> tuple[Seed, ...]:
    """Return all seeds, by cause and name."""
    return tuple(load(path) for path in sorted(FOLDER.glob("*/*.yaml")))


def bystanders() -> tuple[Path, ...]:
    """Return the sources of the modules without a fault."""
    return tuple(sorted((FOLDER / BYSTANDERS).glob("*.c")))


def talk(text: str) -> None:
    """Print how far it got."""
    print(text, file=sys.stderr, flush=True)
