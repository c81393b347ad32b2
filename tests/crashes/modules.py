"""The modules of seeds and bystanders, built for one kernel."""

from __future__ import annotations

import shutil
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from crashes.seed import FOLDER, Seed, bystanders, talk
from pagefault_doctor.lab import module
from pagefault_doctor.lab.module import Module
from pagefault_doctor.lab.stock import Stock
from pagefault_doctor.model.errors import PfDoctorError

SOURCE: Final = "/usr/src/crashes"
"""The folder of the sources, as assertions in the logs name it."""

_KBUILD: Final = "ccflags-y := -g0\nobj-m := {}\n"
"""Without debug information, which no log shows."""

_BUILD_TIMEOUT: Final = 900.0


def build_modules(chosen: list[Seed], stock: Stock, release: str, home: Path) -> dict[str, Module]:
    """Return the modules of seeds and bystanders, by name; what does not build is told."""
    groups: dict[str, list[Path]] = defaultdict(list)
    groups["bystanders"] = list(bystanders())
    for seed in chosen:
        if seed.is_module and seed.source:
            groups[seed.cause].append(seed.source)
    with ThreadPoolExecutor(2) as pool:
        built = pool.map(
            lambda name: _build_group(groups[name], stock, release, home / name), groups
        )
        return {m.name: m for group in built for m in group}


def _build_group(sources: list[Path], stock: Stock, release: str, home: Path) -> list[Module]:
    """Build modules together, or one by one where that fails."""
    try:
        return list(_build(sources, stock, release, home))
    except PfDoctorError as error:
        if len(sources) == 1:
            talk(f"{sources[0].stem} does not build: {error}")
            return []
        parts = (_build_group([s], stock, release, home / s.stem) for s in sources)
        return [module for part in parts for module in part]


def _build(sources: list[Path], stock: Stock, release: str, home: Path) -> tuple[Module, ...]:
    given = home / "given"
    given.mkdir(parents=True)
    for path in (FOLDER / "seed.h", *sources):
        shutil.copy(path, given)
    (given / "Kbuild").write_text(_KBUILD.format(" ".join(f"{p.stem}.o" for p in sources)))
    built, named = home / "built", Path(SOURCE)
    return module.build(given, release, built, named, stock, timeout=_BUILD_TIMEOUT)
