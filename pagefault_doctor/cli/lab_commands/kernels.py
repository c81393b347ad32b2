"""`pfdoctor lab kernels`: list, download and remove other kernels for guests."""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path
from typing import Final

import msgspec

from pagefault_doctor.cli.consent import ask_consent
from pagefault_doctor.cli.lab_commands.fetch import check_programs, make_cache, print_output
from pagefault_doctor.cli.stderr import print_message
from pagefault_doctor.cli.stdout import print_document, print_line
from pagefault_doctor.hosts.host import OnOutput
from pagefault_doctor.hosts.local import LocalHost
from pagefault_doctor.lab.kernels import (
    MOVING,
    STABLE,
    KernelName,
    fetched_kernels,
    fits,
    kernel_folder,
    kernel_name,
    remove_kernel,
    unfinished,
)
from pagefault_doctor.lab.machine import DEFAULT_MACHINE, Machine, release_of, stock_of
from pagefault_doctor.model.command import Command, Result, Risk
from pagefault_doctor.model.errors import ExitCode, PfDoctorError
from pagefault_doctor.report.document import encode

SCRIPT: Final = Path(__file__).parents[2] / "lab" / "fetch_kernel.sh"

_OUR_FOLDERS: Final = 4
"""How many parts at the end of the folder of kernels are pfdoctor's own."""

_TIMEOUT: Final = 3600.0
"""Seconds for a download on a slow connection."""

_TIMES: Final = 8
"""Bytes on the disk for each that is downloaded: packages, what is in them, and some to spare."""

_DEBUG_BYTES: Final = 2 << 30
"""Bytes on the disk while the debug information is unpacked."""


def add_kernels_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare options and arguments."""
    parser.epilog = (
        "Names are versions (5.10, 6.12, 7.2) or Debian's suites (trixie, forky). A kernel\n"
        "comes with its compiler, checked by apt against Debian's signatures. It is only\n"
        "unpacked into the user's cache: nothing is installed.\n\n"
        "Examples:\n  pfdoctor lab kernels\n  pfdoctor lab kernels fetch 6.12\n"
        "  pfdoctor lab run --source ~/src/faulty --kernel 6.12"
    )
    actions = parser.add_subparsers(dest="kernels", metavar="ACTION")
    listing = actions.add_parser("list", help="the kernels that are here, and that can be fetched")
    listing.add_argument("--json", action="store_true", help="as JSON")
    fetch = actions.add_parser("fetch", help="download a kernel, with consent")
    fetch.add_argument("name", metavar="NAME", help="such as 5.10, 6.12, 7.2 or trixie")
    fetch.add_argument("--debug", action="store_true", help="with its debug information, for dumps")
    fetch.add_argument("--yes", action="store_true", help="do it without asking")
    fetch.add_argument(
        "--sources", metavar="FILE", help="a .list or .sources file of apt; else this machine's own"
    )
    remove = actions.add_parser("remove", help="remove a kernel that was fetched")
    remove.add_argument("name", metavar="NAME", help="as lab kernels lists it")


def run_kernels(args: argparse.Namespace) -> int:
    """Carry out the action and return the exit code."""
    if args.kernels == "fetch":
        return _fetch(DEFAULT_MACHINE, args)
    if args.kernels == "remove":
        return _remove(DEFAULT_MACHINE, kernel_name(args.name))
    return _list(DEFAULT_MACHINE, as_json=args.kernels == "list" and args.json)


class KernelHere(msgspec.Struct, frozen=True):
    """A kernel that guests can boot, and its folder; none for this machine's own."""

    name: str
    release: str
    folder: str | None = None


def _kernels_here(machine: Machine) -> tuple[KernelHere, ...]:
    """Return the kernels that are here, this machine's own first, each name once."""
    here: dict[str, KernelHere] = {}
    if own := stock_of(machine).kernel():
        release = release_of(own)
        name = next((version for version in STABLE if fits(release, version)), release)
        here[name] = KernelHere(name, release)
    for kernel in fetched_kernels(machine):
        here.setdefault(kernel.name, KernelHere(kernel.name, kernel.release, str(kernel.folder)))
    return tuple(here.values())


def _list(machine: Machine, *, as_json: bool) -> int:
    here = _kernels_here(machine)
    names = {kernel.name for kernel in here}
    stable = {version: f"of {suite}" for version, suite in STABLE.items()}
    moving = dict.fromkeys(MOVING, "whatever it has now")
    others = {name: what for name, what in (stable | moving).items() if name not in names}
    if as_json:
        print_document(encode({"kernels": here, "fetchable": list(others)}, indent=2) + "\n")
        return ExitCode.DONE
    for kernel in here:
        place = kernel.folder or "this machine's own"
        print_line(f"v {kernel.name:20}{kernel.release:34}{place}")
    for name, what in others.items():
        print_line(f"x {name:20}{what}")
    print_line()
    print_line("To get one: pfdoctor lab kernels fetch NAME; NAME can be a version, as in 7.2")
    return ExitCode.DONE


def _remove(machine: Machine, name: KernelName) -> int:
    folder = kernel_folder(machine, name)
    try:
        removed = remove_kernel(machine, name)
    except OSError as error:
        raise PfDoctorError(f"{folder} cannot be removed: {error.strerror}") from error
    print_message(f"{folder} {'is removed' if removed else 'is not there'}")
    return ExitCode.DONE


def _fetch(machine: Machine, args: argparse.Namespace) -> int:
    name = kernel_name(args.name)
    check_programs()
    folder = kernel_folder(machine, name)
    make_cache(folder.parent, _OUR_FOLDERS, "set XDG_CACHE_HOME to a folder of yours")
    _check_place(folder)
    wanted = [] if (folder / "complete").exists() else ["fetch"]
    debug_files = (folder / "usr/lib/debug/boot").glob("vmlinux-*")
    if args.debug and not any(path.exists() for path in debug_files):
        wanted.append("debug")
    if not wanted:
        print_message(f"{(folder / 'complete').read_text().strip()} is already in {folder}")
        return ExitCode.DONE
    release, suite, size = _plan(machine, name, folder, args.sources)
    if "fetch" in wanted:
        print_line(f"{release} of Debian's {suite}, with headers, compiler and programs of guests:")
        print_line(f"  {size / 1e6:.0f} MB to download, in {folder}")
    if "debug" in wanted:
        print_line("The debug information of it, some 100 to 400 MB to download")
    print_line("  Nothing is installed on this machine.")
    _check_space(folder, (_TIMES * size if "fetch" in wanted else 0), "debug" in wanted)
    if not args.yes and not ask_consent("Fetch it"):
        print_message("nothing was fetched")
        shutil.rmtree(unfinished(folder), ignore_errors=True)
        return ExitCode.DONE
    for what in wanted:
        _run(what, machine, name, folder, args.sources, print_output)
    return ExitCode.DONE


def _check_place(folder: Path) -> None:
    if folder.exists() and not (folder / "complete").exists():
        raise PfDoctorError(f"{folder} has something else in it", "remove it")


def _check_space(folder: Path, size: int, debug: bool) -> None:
    needed = size + (_DEBUG_BYTES if debug else 0)
    if (free := shutil.disk_usage(folder.parent).free) < needed:
        problem = f"{folder.parent} has {free >> 20} MB to spare"
        remedy = f"about {needed >> 20} are needed: pfdoctor lab kernels remove another"
        raise PfDoctorError(problem, remedy)


def _plan(
    machine: Machine, name: KernelName, folder: Path, sources: str | None
) -> tuple[str, str, int]:
    """Return the release that would be fetched, its suite, and the bytes to download."""
    result = _run("plan", machine, name, folder, sources, _print_reading)
    words = result.output.strip().rpartition("\n")[2].split()
    if len(words) != 4 or words[0] != "plan" or not words[3].isdigit():
        raise PfDoctorError("apt did not say how much there is to download", "try it again")
    return words[1], words[2], int(words[3])


def _print_reading(text: str) -> None:
    for line in text.splitlines():
        if line and not line.startswith("plan "):
            print_message(line)


def _run(
    what: str,
    machine: Machine,
    name: KernelName,
    folder: Path,
    sources: str | None,
    on_output: OnOutput,
) -> Result:
    given = str(Path(sources).absolute()) if sources else ""
    words = (what, str(folder), machine.debian, given, name.version, *name.suites)
    command = Command(
        argv=("sh", str(SCRIPT), *words), tool="lab", risk=Risk.CHANGE, timeout=_TIMEOUT
    )
    result = LocalHost().run(command, on_output)
    if not result.ok:
        message = result.errors.strip().splitlines()[-1:] or [result.status.value]
        problem = f"the kernel {name.name} could not be fetched: {message[0]}"
        remedy = (
            "run it again, it goes on where it stopped; "
            f"pfdoctor lab kernels remove {name.name} lets it begin anew"
        )
        raise PfDoctorError(problem, remedy)
    return result
