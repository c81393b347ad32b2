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
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import Any, Final

import msgspec

sys.path.insert(0, str(Path(__file__).parents[1]))

from crashes.corpus import LOGS, pack
from crashes.guests import Guests
from crashes.modules import SOURCE, build_modules
from crashes.program import build_programs
from crashes.seed import Seed, seeds, talk
from pagefault_doctor.lab import initramfs, module
from pagefault_doctor.lab.cpio import archive
from pagefault_doctor.lab.kernels import kernel_stock
from pagefault_doctor.lab.machine import DEFAULT_MACHINE, machine_of
from pagefault_doctor.lab.stock import Stock, release_of
from pagefault_doctor.lab.temp_folder import temp_folder
from pagefault_doctor.model.diagnosis import RootCause

SLUB_DEBUG: Final = "slub_debug=FZPU"

CORPUS: Final = {
    **{("x86_64", kernel): None for kernel in ("5.10", "6.1", "6.12", "7.2")},
    ("arm64", "6.1"): 40,
    ("armhf", "6.12"): 25,
    ("i386", "6.1"): 25,
    ("mips64el", "6.1"): 25,
    ("ppc64el", "6.12"): 25,
    ("riscv64", "6.12"): 25,
    ("s390x", "6.12"): 25,
}
"""The kernels of the corpus, by architecture and name, and how many seeds run on each at least.

None is all, also with slub_debug. What the folder has besides is packed as well.
"""

_COMPILER: Final = re.compile(r"Linux version \S+ \([^)]*\) \(([^()]*(?:\([^()]*\)[^()]*)*)\)")
"""The compiler in the first line of a kernel (linux_banner in init/version.c)."""

_PLACE: Final = re.compile(r"\S*/tests/crashes/seeds/")
"""Where a source lay when it was compiled, as an assertion of a program names it."""

_SHIPPED: Final = ("mce_inject", "hwpoison_inject", "scsi_debug", "sd_mod")
"""Modules of the kernel that a trigger may insert, where it has them."""

_TROUBLE: Final = re.compile(
    r"BUG|Oops|panic|WARNING|cut here|[Cc]all [Tt]race|Unable to handle|Internal error|general prot"
    r"|segfault|traps:|trap|signal|process fault|sending SIG|unhandled exception|Out of memory"
    r"|oom-kill|blocked for|stall|lockup"
    r"|Hardware Error|PCIe Bus Error|EDAC|Memory failure|corrupt|double free|nobody cared"
    r"|Corrected|rror:|Uhhuh|[Mm]edium error|I/O error|disagrees about|Unknown symbol|version magic"
    r"|Invalid module|Unable to mount root|No working init|exports duplicate"
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


def runs_of(chosen: list[Seed], slub_debug: bool) -> list[Run]:
    """Return the runs of seeds, with those with slub_debug where they are wanted."""
    plain = [Run(seed) for seed in chosen]
    return plain + [Run(seed, slub_debug=True) for seed in chosen if slub_debug and seed.slub_debug]


def truth(seed: Seed) -> dict[str, Any]:
    """Return what a right answer says, in the fields of the public corpus."""
    return {
        "root_cause_class": seed.cause,
        "root_cause_also": seed.also.cause,
        "attribution": seed.who,
        "attribution_also": seed.also.who,
        "module": seed.module,
        "module_also": seed.also.module,
        "function": seed.function,
        "function_also": seed.also.function,
    }


def crash(run: Run, guests: Guests, out: Path) -> str:
    """Crash one seed, write its log and how it was made, and return a line about it."""
    machine, began = guests.stock.machine, time.monotonic()
    console, boot_lines, notes = guests.crash(run.seed, run.append)
    made = {
        "kernel": guests.release,
        "compiler": next(iter(_COMPILER.findall(console)), None),
        "arch": machine.arch,
        "machine": f"{machine.qemu} {machine.board} {machine.cpu(guests.release)}",
        "arguments": run.append,
        "boot_lines": boot_lines,
        "failed": notes,
        "digest": run.seed.digest,
    }
    (out / f"{run.name}.log").write_text(console)
    silent = label(run, made, out)
    return f"{run.name:28} {time.monotonic() - began:5.1f} s{'  SILENT' * silent}"


def label(run: Run, made: dict[str, Any], out: Path) -> bool:
    """Write what is true of a log beside it, and return whether the log is silent."""
    seed = run.seed
    lines = (out / f"{run.name}.log").read_text().splitlines()[made["boot_lines"] :]
    silent = not any(map(_TROUBLE.search, lines))
    seeded = {
        "seed": f"{seed.cause}/{seed.name}",
        "where": seed.where,
        "line": f"{seed.name}.c:{seed.line_number}" if seed.line_number else None,
        "trigger": seed.trigger,
        "inject": seed.inject,
        "silent": silent,
        "failed": [_PLACE.sub(f"{SOURCE}/", note) for note in made["failed"]],
    }
    case = {"id": run.name, "expected": truth(seed), "made": made | seeded}
    (out / f"{run.name}.json").write_text(json.dumps(case, indent=1) + "\n")
    return silent


def is_done(run: Run, out: Path) -> bool:
    """Return whether the log of a run is there, and of the seed as it is now."""
    path = out / f"{run.name}.json"
    return path.exists() and json.loads(path.read_text())["made"]["digest"] == run.seed.digest


def spread(chosen: list[Seed], most: int) -> list[Seed]:
    """Return so many seeds, in turn of each cause."""
    turn = {cause: count() for cause in RootCause}
    return sorted(chosen, key=lambda seed: next(turn[seed.cause]))[:most]


def _fill(arch: str, kernel: str, runs: list[Run], jobs: int, out: Path) -> None:
    """Crash what was not crashed on a kernel yet, as the folder has it."""
    machine = machine_of(arch)
    stock = kernel_stock(machine, kernel)
    out.mkdir(parents=True, exist_ok=True)
    if left := [run for run in runs if not is_done(run, out)]:
        with temp_folder() as home:
            _crash_all(left, stock, jobs, out, home)


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
        name = f"{arch}-{kernel}"
        talk(f"== {name}")
        chosen = _for_arch(list(seeds()), arch)
        runs = runs_of(chosen if most is None else spread(chosen, most), most is None)
        _fill(arch, kernel, runs, jobs, folder / name)
        there = [run for run in runs_of(chosen, slub_debug=True) if is_done(run, folder / name)]
        for run in there:
            told = json.loads((folder / name / f"{run.name}.json").read_text())
            label(run, told["made"], folder / name)
        pack(folder / name, [run.name for run in there], LOGS / f"{name}.tar.xz")


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
        _fill(args.arch, args.kernel, runs_of(chosen, args.slub_debug), args.jobs, args.folder)


def _crash_all(runs: list[Run], stock: Stock, jobs: int, out: Path, home: Path) -> None:
    kernel = stock.kernel()
    assert kernel
    release = release_of(kernel)
    chosen = list(dict.fromkeys(run.seed for run in runs))
    modules = build_modules(chosen, stock, release, home)
    shipped = module.kernel_modules(release, _SHIPPED, stock)
    files = shipped | initramfs.module_files(release, tuple(modules.values()), stock)
    programs = archive(build_programs(chosen, stock, home / "programs"))
    guests = Guests(stock, initramfs.build(release, files, stock=stock) + programs, home)
    there = [run for run in runs if not run.seed.is_module or run.seed.name in modules]
    with ThreadPoolExecutor(jobs) as pool:
        for line in pool.map(lambda run: crash(run, guests, out), there):
            talk(line)


if __name__ == "__main__":
    main()
