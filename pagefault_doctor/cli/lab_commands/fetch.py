"""`pfdoctor lab fetch`: download the files for guests of another architecture, with consent."""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path
from typing import Final

from pagefault_doctor.cli.consent import ask_consent
from pagefault_doctor.cli.stderr import print_message
from pagefault_doctor.cli.stdout import print_document, print_line
from pagefault_doctor.files.private_folder import make_private_folder
from pagefault_doctor.lab.machine import Machine, machine_of
from pagefault_doctor.lab.stock import stock_of, user_cache
from pagefault_doctor.model.command import Command, Risk
from pagefault_doctor.model.errors import ExitCode, MissingError, PfDoctorError, UsageError

SCRIPT: Final = Path(__file__).parents[2] / "lab" / "fetch.sh"
"""The script that downloads and unpacks the packages."""

_OUR_FOLDERS: Final = 2
"""How many parts at the end of the path of the cache are pfdoctor's own."""

DOWNLOAD_MB: Final = 330
"""MB to download: package lists 20, debug information 262, kernel 35, programs 20."""

DISK_MB: Final = 550
"""MB in the folder afterwards."""

UNPACKING_MB: Final = 1000
"""MB needed while unpacking."""

TIMEOUT: Final = 1800.0
"""Seconds for the download on a slow connection."""


def add_fetch_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare options and arguments."""
    parser.add_argument("arch", metavar="ARCH", help="such as arm64")
    parser.add_argument("--yes", action="store_true", help="do it without asking")
    parser.add_argument("--root", metavar="DIR", help="into this folder, not the user's cache")
    parser.add_argument(
        "--sources", metavar="FILE", help="a .list or .sources file of apt; else this machine's own"
    )


def run_fetch(args: argparse.Namespace) -> int:
    """Download the files if the person agrees, and return the exit code."""
    machine = machine_of(args.arch)
    if machine.native:
        raise UsageError(f"{machine.arch} is this machine's own", "pfdoctor lab doctor")
    if not machine.has_cloud:
        raise UsageError(f"kernels of {machine.arch} are fetched by name", stock_of(machine).remedy)
    root = Path(args.root).absolute() if args.root else user_cache() / machine.arch
    check_programs()
    _check_target(root)
    if not (root / "complete").exists():
        _print_plan(machine, root)
        if not args.yes and not ask_consent("Fetch them"):
            print_message("nothing was fetched")
            return ExitCode.DONE
    if not args.root:
        make_cache(root.parent, _OUR_FOLDERS, "name a folder of your own with --root")
    return _fetch(machine, root, args.sources)


def make_cache(folder: Path, parts: int, remedy: str) -> None:
    """Make a folder for what is fetched, private from its last `parts` on.

    Raises PfDoctorError with the remedy where that fails.
    """
    try:
        make_private_folder(folder, parts)
    except OSError as error:
        raise PfDoctorError(f"cannot use {folder}: {error.strerror}", remedy) from error


def check_programs() -> None:
    """Raise MissingError where packages of Debian cannot be fetched here."""
    for program in ("apt-get", "dpkg-deb", "depmod"):
        if not shutil.which(program, path="/usr/bin:/bin:/usr/sbin:/sbin"):
            raise MissingError(f"{program} is not here", "fetch it on a Debian, then give --root")


def _check_target(root: Path) -> None:
    if root.exists() and any(root.iterdir()) and not (root / "complete").exists():
        raise UsageError(f"{root} has something else in it", "name a new folder")
    existing = next(folder for folder in (root, *root.parents) if folder.is_dir())
    free = shutil.disk_usage(existing).free >> 20
    if free < UNPACKING_MB:
        raise PfDoctorError(
            f"{existing} has {free} MB to spare", f"about {UNPACKING_MB} are needed"
        )


def _print_plan(machine: Machine, root: Path) -> None:
    print_line(f"Kernel, headers, debug information and programs of Debian for {machine.arch}:")
    print_line(
        f"  about {DOWNLOAD_MB} MB to download with apt, {DISK_MB} MB on the disk, in {root}"
    )
    print_line("  They are unpacked there; nothing is installed on this machine.")


def _fetch(machine: Machine, root: Path, sources: str | None) -> int:
    from pagefault_doctor.hosts.local import LocalHost

    more = (str(Path(sources).absolute()),) if sources else ()
    argv = ("sh", str(SCRIPT), str(root), machine.debian, *more)
    command = Command(argv=argv, tool="lab", risk=Risk.CHANGE, timeout=TIMEOUT)
    result = LocalHost().run(command, print_output)
    if not result.ok:
        message = result.errors.strip().splitlines()[-1:] or [result.status.value]
        raise PfDoctorError(
            f"it could not be fetched: {message[0]}", "try again, or name --sources"
        )
    return ExitCode.DONE


def print_output(text: str) -> None:
    """Print what a script says, at once."""
    print_document(text)
    sys.stdout.flush()
