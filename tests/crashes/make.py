"""Crash the seeds in guests, and keep what their consoles say.

    python tests/crashes/make.py --all FOLDER
    python tests/crashes/make.py [--arch ARCH] --kernel NAME [--seed NAME]... [--slub-debug] FOLDER

FOLDER gets NAME.log and NAME.json for each seed; those that are there already are left as they are.
With --all it gets such a folder for each kernel of the corpus, and logs/ is packed from them.
A guest is booted once for each set of kernel arguments; each seed goes on from its saved state.
Nothing is ever loaded into this machine's own kernel.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import Any, Final

import msgspec

sys.path.insert(0, str(Path(__file__).parents[1]))

from crashes.corpus import LOGS, pack
from crashes.program import build_programs
from crashes.seed import FOLDER, Seed, bystanders, seeds
from pagefault_doctor.lab import initramfs, module
from pagefault_doctor.lab.cpio import archive, character_device, folder, program
from pagefault_doctor.lab.guest import GuestHost
from pagefault_doctor.lab.kernels import kernel_stock
from pagefault_doctor.lab.machine import (
    DEFAULT_MACHINE,
    Stock,
    machine_of,
    release_of,
    stock_of,
)
from pagefault_doctor.lab.module import Module
from pagefault_doctor.lab.temp_folder import temp_folder
from pagefault_doctor.lab.vm import Setup, VirtualMachine
from pagefault_doctor.model.command import Command
from pagefault_doctor.model.diagnosis import RootCause
from pagefault_doctor.model.errors import PfDoctorError

SOURCE: Final = "/usr/src/crashes"
"""The folder of the sources, as assertions in the logs name it."""

SLUB_DEBUG: Final = "slub_debug=FZPU"

CORPUS: Final = {
    **{("x86_64", kernel): None for kernel in ("5.10", "6.1", "6.12", "7.2")},
    ("arm64", "6.1"): 40,
}
"""The kernels of the corpus, by architecture and name, and how many seeds run on each: None is all,
also with slub_debug."""

_COMPILER: Final = re.compile(r"Linux version \S+ \([^)]*\) \(([^()]*(?:\([^()]*\)[^()]*)*)\)")
"""The compiler in the first line of a kernel (linux_banner in init/version.c)."""

_SHIPPED: Final = ("mce_inject", "hwpoison_inject", "scsi_debug", "sd_mod")
"""Modules of the kernel that a trigger may insert, where it has them."""

_DEVICES: Final = {
    "x86_64": ("pcie-root-port,id=root1", "e1000e,id=nic1,bus=root1,romfile="),
}
"""Devices of QEMU that a seed may inject errors into."""

_KBUILD: Final = "ccflags-y := -g0\nobj-m := {}\n"
_BUILD_TIMEOUT: Final = 900.0
_BOOT_TIMEOUT: Final = 240.0
_TRIGGER_TIMEOUT: Final = 40.0
_MOST_OF_A_FLOOD: Final = 12.0
"""Seconds after which the console of a guest that never stops reporting is taken as it is."""


_TROUBLE: Final = re.compile(
    r"BUG|Oops|panic|WARNING|cut here|[Cc]all [Tt]race|Unable to handle|Internal error|general prot"
    r"|segfault|traps:|trap|signal|Out of memory|oom-kill|blocked for|stall|lockup|Hardware Error"
    r"|PCIe Bus Error|EDAC|Memory failure|corrupt|double free|nobody cared|Corrected|rror:"
    r"|Uhhuh|[Mm]edium error|I/O error"
)
"""What a line has in which a kernel reports trouble; a log without any is silent."""


class Run(msgspec.Struct, frozen=True):
    """A seed, and whether the kernel checks its slabs."""

    seed: Seed
    slub_debug: bool = False

    @property
    def name(self) -> str:
        """The name of its files."""
        return f"{self.seed.name}-slub-debug" if self.slub_debug else self.seed.name

    @property
    def append(self) -> str:
        """What is added to the kernel's command line."""
        return " ".join((*self.seed.kernel_args, *((SLUB_DEBUG,) if self.slub_debug else ())))


class Guests:
    """Guests of one kernel with all seeds on board: booted once, then resumed for each seed."""

    def __init__(self, stock: Stock, image: bytes, home: Path) -> None:
        kernel = stock.kernel()
        assert kernel
        self.stock, self.kernel, self.release = stock, kernel, release_of(kernel)
        self._image, self._home = image, home
        self._lock, self._booted = threading.Lock(), dict[str, tuple[Setup, str]]()

    def crash(self, seed: Seed, append: str) -> tuple[str, int, tuple[str, ...]]:
        """Return the console, how many of its lines are the boot's, and what failed otherwise."""
        if not seed.boots:
            return self._die_early(seed, append), 0, ()
        setup, boot = self._setup(append)
        with VirtualMachine(setup, self._image) as machine:
            guest, notes = GuestHost(machine, boot_timeout=_BOOT_TIMEOUT), list[str]()
            for argv in self._commands(seed):
                result = guest.run(Command(argv=argv, tool="lab", timeout=_TRIGGER_TIMEOUT))
                if not result.ok:
                    said = (result.errors.strip().splitlines() or [result.status.value])[0]
                    notes.append(f"{' '.join(argv)}: {said}")
                if result.exit_code is None or machine.panicked():
                    break
            for event in seed.inject:
                machine.inject(event)
            machine.wait_for_panic(seed.wait + _MOST_OF_A_FLOOD, seed.wait)
            console = machine.console()
        return boot + console, boot.count("\n"), tuple(notes)

    def _commands(self, seed: Seed) -> Iterable[tuple[str, ...]]:
        inserted = (*seed.bystanders, *((seed.name,) if seed.is_module and seed.insert else ()))
        yield from (("modprobe", name) for name in inserted)
        yield from (("sh", "-c", line) for line in seed.trigger)

    def _setup(self, append: str) -> tuple[Setup, str]:
        """Return the setup of a guest that is up, and the console of its boot."""
        with self._lock:
            if append not in self._booted:
                self._booted[append] = self._boot(append)
            return self._booted[append]

    def _boot(self, append: str) -> tuple[Setup, str]:
        setup = self._plain_setup(append)
        state = self._home / f"state{len(self._booted)}"
        began = time.monotonic()
        with VirtualMachine(setup, self._image) as machine:
            GuestHost(machine, boot_timeout=_BOOT_TIMEOUT)
            time.sleep(1)
            machine.save(state)
            console = machine.console()
        talk(f"booted {self.release} {append} in {time.monotonic() - began:.0f} s")
        return msgspec.structs.replace(setup, state=state), console

    def _die_early(self, seed: Seed, append: str) -> str:
        image = self._image
        if seed.init is not None:
            entries = [folder("dev"), character_device("dev/console", 5, 1)]
            if seed.init:
                entries.append(program("init", seed.init.encode()))
            image = archive(entries)
        with VirtualMachine(self._plain_setup(append), image) as machine:
            machine.start()
            machine.wait_for_panic(_BOOT_TIMEOUT)
            return machine.console()

    def _plain_setup(self, append: str) -> Setup:
        devices = _DEVICES.get(self.stock.machine.arch, ())
        return Setup(kernel=self.kernel, stock=self.stock, append=append, devices=devices)


def build(chosen: list[Seed], stock: Stock, release: str, home: Path) -> dict[str, Module]:
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


def truth(seed: Seed, slub_debug: bool) -> dict[str, Any]:
    """Return what a right answer says, in the fields of the public corpus."""
    both = (seed.also, seed.also_with_slub_debug) if slub_debug else (seed.also,)
    return {
        "root_cause_class": seed.cause,
        "root_cause_also": [cause for also in both for cause in also.cause],
        "attribution": seed.who,
        "attribution_also": [who for also in both for who in also.who],
        "module": seed.module,
        "module_also": [name for also in both for name in also.module],
        "function": seed.function,
        "function_also": [name for also in both for name in also.function],
    }


def crash(run: Run, guests: Guests, out: Path) -> str:
    """Crash one seed, write its log and its truth, and return a line about it."""
    seed, machine, began = run.seed, guests.stock.machine, time.monotonic()
    console, boot_lines, notes = guests.crash(seed, run.append)
    lines = console.splitlines()[boot_lines:]
    first = next((line for line in lines if _TROUBLE.search(line)), None)
    made = {
        "seed": f"{seed.cause}/{seed.name}",
        "where": seed.where,
        "line": f"{seed.name}.c:{seed.line_number}" if seed.line_number else None,
        "kernel": guests.release,
        "compiler": next(iter(_COMPILER.findall(console)), None),
        "arch": machine.arch,
        "machine": f"{machine.qemu} {machine.board} {machine.cpu(guests.release)}",
        "arguments": run.append,
        "trigger": seed.trigger,
        "inject": seed.inject,
        "boot_lines": boot_lines,
        "silent": first is None,
        "failed": notes,
    }
    case = {"id": run.name, "expected": truth(seed, run.slub_debug), "made": made}
    (out / f"{run.name}.log").write_text(console)
    (out / f"{run.name}.json").write_text(json.dumps(case, indent=1) + "\n")
    return f"{run.name:28} {time.monotonic() - began:5.1f} s  {first or 'SILENT'}"


def talk(text: str) -> None:
    """Print how far it got."""
    print(text, file=sys.stderr, flush=True)


def spread(chosen: list[Seed], most: int) -> list[Seed]:
    """Return so many seeds, in turn of each cause."""
    turn = {cause: count() for cause in RootCause}
    return sorted(chosen, key=lambda seed: next(turn[seed.cause]))[:most]


def _fill(
    arch: str, kernel: str, chosen: list[Seed], slub_debug: bool, jobs: int, out: Path
) -> None:
    """Crash the seeds on a kernel, but for those that are in the folder already."""
    machine = machine_of(arch)
    stock = kernel_stock(machine, kernel, stock_of(machine))
    runs = [Run(seed) for seed in chosen]
    runs += [Run(seed, slub_debug=True) for seed in chosen if slub_debug and seed.slub_debug]
    runs = [run for run in runs if not (out / f"{run.name}.json").exists()]
    out.mkdir(parents=True, exist_ok=True)
    if runs:
        with temp_folder() as home:
            _crash_all(runs, stock, jobs, out, home)


def _chosen(names: list[str]) -> list[Seed]:
    chosen = [seed for seed in seeds() if not names or seed.name in names]
    if unknown := set(names) - {seed.name for seed in chosen}:
        sys.exit(f"no seed is called {', '.join(sorted(unknown))}")
    return chosen


def _for_arch(chosen: list[Seed], arch: str) -> list[Seed]:
    return [seed for seed in chosen if not seed.arch or arch in seed.arch]


def _fill_corpus(jobs: int, folder: Path) -> None:
    LOGS.mkdir(exist_ok=True)
    for (arch, kernel), most in CORPUS.items():
        talk(f"== {arch}, {kernel}")
        chosen = _for_arch(list(seeds()), arch)
        if most is not None:
            chosen = spread(chosen, most)
        name = f"{arch}-{kernel}"
        _fill(arch, kernel, chosen, most is None, jobs, folder / name)
        pack(folder / name, LOGS / f"{name}.tar.xz")


def main() -> None:
    """Crash what was asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--all", action="store_true", help="every kernel of the corpus")
    what.add_argument("--kernel", help="as pfdoctor lab kernels calls it")
    parser.add_argument("--arch", default=DEFAULT_MACHINE.arch)
    parser.add_argument("--seed", action="append", default=[])
    parser.add_argument("--slub-debug", action="store_true", help="with slub_debug too")
    parser.add_argument("--jobs", type=int, default=2, help="guests at a time")
    parser.add_argument("folder", type=Path)
    args = parser.parse_args()
    if args.all:
        _fill_corpus(args.jobs, args.folder)
    else:
        chosen = _for_arch(_chosen(args.seed), machine_of(args.arch).arch)
        _fill(args.arch, args.kernel, chosen, args.slub_debug, args.jobs, args.folder)


def _crash_all(runs: list[Run], stock: Stock, jobs: int, out: Path, home: Path) -> None:
    kernel = stock.kernel()
    assert kernel
    release = release_of(kernel)
    chosen = list(dict.fromkeys(run.seed for run in runs))
    modules = build(chosen, stock, release, home)
    shipped = module.kernel_modules(release, _SHIPPED, stock)
    files = shipped | initramfs.module_files(release, tuple(modules.values()), stock)
    programs = archive(build_programs(chosen, stock.machine, home / "programs"))
    guests = Guests(stock, initramfs.build(release, files, stock=stock) + programs, home)
    there = [run for run in runs if not run.seed.is_module or run.seed.name in modules]
    with ThreadPoolExecutor(jobs) as pool:
        for line in pool.map(lambda run: crash(run, guests, out), there):
            talk(line)


if __name__ == "__main__":
    main()
