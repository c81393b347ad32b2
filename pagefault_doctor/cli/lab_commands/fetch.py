"""`pfdoctor lab fetch`: what guests of another architecture are made of, with consent."""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path
from typing import Final

from pagefault_doctor.cli.stderr import say
from pagefault_doctor.lab.machine import Machine, machine_of, user_cache
from pagefault_doctor.model.command import Command, Risk
from pagefault_doctor.model.errors import ExitCode, MissingError, PfDoctorError, UsageError

SCRIPT: Final = Path(__file__).parents[2] / "lab" / "fetch.sh"

TRAFFIC: Final = 330
"""MB that are downloaded: lists of packages 20, debug information 262, kernel 35, programs 20."""

KEPT: Final = 550
"""MB that lie in the folder afterwards."""

PEAK: Final = 1000
"""MB that are needed while it is unpacked."""

LONGEST: Final = 1800.0
"""Seconds that it may take, on a slow line."""


def add_fetch_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare options and arguments."""
    parser.add_argument("arch", metavar="ARCH", help="such as arm64")
    parser.add_argument("--yes", action="store_true", help="do it without asking")
    parser.add_argument("--root", metavar="DIR", help="into this folder, not the user's cache")
    parser.add_argument(
        "--sources", metavar="FILE", help="a .list or .sources file of apt; else this machine's own"
    )


def run_fetch(args: argparse.Namespace) -> int:
    """Fetch it where the person agrees, and return the exit code."""
    machine = machine_of(args.arch)
    if machine.native:
        raise UsageError(f"{machine.arch} is this machine's own", "pfdoctor lab doctor")
    root = Path(args.root).absolute() if args.root else user_cache() / machine.arch
    _check(root)
    if not (root / "complete").exists():
        _tell(machine, root)
        if not args.yes and not _agreed():
            say("nothing was fetched")
            return ExitCode.DONE
    return _fetch(machine, root, args.sources)


def _check(root: Path) -> None:
    for program in ("apt-get", "dpkg-deb", "depmod"):
        if not shutil.which(program, path="/usr/bin:/bin:/usr/sbin:/sbin"):
            raise MissingError(f"{program} is not here", "fetch it on a Debian, then give --root")
    if root.exists() and any(root.iterdir()) and not (root / "complete").exists():
        raise UsageError(f"{root} has something else in it", "name a new folder")
    there = next(folder for folder in (root, *root.parents) if folder.is_dir())
    free = shutil.disk_usage(there).free >> 20
    if free < PEAK:
        raise PfDoctorError(f"{there} has {free} MB to spare", f"about {PEAK} are needed")


def _tell(machine: Machine, root: Path) -> None:
    print(f"Kernel, headers, debug information and programs of Debian for {machine.arch}:")
    print(f"  about {TRAFFIC} MB to download with apt, {KEPT} MB on the disk, in {root}")
    print("  They are unpacked there; nothing is installed on this machine.")


def _agreed() -> bool:
    try:
        return input("Fetch them? y/n: ").strip().lower() in ("y", "yes")
    except EOFError:
        print("(no answer)")
        return False


def _fetch(machine: Machine, root: Path, sources: str | None) -> int:
    from pagefault_doctor.hosts.local import LocalHost

    more = (str(Path(sources).absolute()),) if sources else ()
    argv = ("sh", str(SCRIPT), str(root), machine.debian, *more)
    command = Command(argv=argv, tool="lab", risk=Risk.CHANGE, timeout=LONGEST)
    result = LocalHost().run(command, lambda text: print(text, end="", flush=True))
    if not result.ok:
        said = result.errors.strip().splitlines()[-1:] or [result.status.value]
        raise PfDoctorError(f"it could not be fetched: {said[0]}", "try again, or name --sources")
    return ExitCode.DONE
