"""`pfdoctor lab kernels`: list, download and remove other kernels for guests."""

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
from pagefault_doctor.hosts.host import OnOutput
from pagefault_doctor.hosts.local import LocalHost
from pagefault_doctor.hosts.program import environment
from pagefault_doctor.lab.kernels import (
    MOVING,
    STABLE,
    KernelName,
    kernel_folder,
    kernel_name,
    kernels_here,
    remove_kernel,
    unfinished,
)
from pagefault_doctor.lab.machine import DEFAULT_MACHINE, MACHINES, Machine, machine_of
from pagefault_doctor.model.command import Command, Result, Risk
from pagefault_doctor.model.errors import ExitCode, MissingError, PfDoctorError
from pagefault_doctor.report.document import encode

SCRIPT: Final = Path(__file__).parents[2] / "lab" / "fetch_kernel.sh"

_OUR_FOLDERS: Final = 4
"""How many parts at the end of the folder of kernels are pfdoctor's own."""

_TIMEOUT: Final = 3600.0
"""Seconds for a download on a slow connection."""

_TIMES: Final = 8
"""Bytes on the disk for each that is downloaded: packages, what is in them, and some to spare."""

_FULL: Final = "No space left on device"
"""What apt, dpkg-deb and tar say where the disk is full (strerror(3))."""

_ERROR: Final = "error: "
"""How the line of the script begins that says why it failed."""

_NO_KERNEL: Final = 3
"""Its exit status where no suite has such a kernel."""

_DEBUG_BYTES: Final = 2 << 30
"""Bytes on the disk while the debug information is unpacked."""


def add_kernels_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare options and arguments."""
    parser.epilog = (
        "Names are versions (5.10, 6.12, 7.2) or Debian's suites (trixie, forky), where wanted\n"
        "with a flavour (6.1-amd64). A kernel comes with its compiler, checked by apt against\n"
        "Debian's signatures. It is only unpacked into the user's cache: nothing is installed.\n"
        "Of another architecture\n"
        f"({', '.join(m.arch for m in MACHINES if not m.native)})\n"
        "it comes with a compiler that runs here; its guests are emulated.\n\n"
        "Examples:\n  pfdoctor lab kernels\n  pfdoctor lab kernels fetch 6.12\n"
        "  pfdoctor lab kernels fetch 6.1 --arch arm64 --debug\n"
        "  pfdoctor lab kernels fetch 6.12 --arch s390x\n"
        "  pfdoctor lab run --source ~/src/faulty --kernel 6.12 --arch s390x"
    )
    _add_arch(parser, None)
    actions = parser.add_subparsers(dest="kernels", metavar="ACTION")
    every = actions.add_parser("list", help="the kernels that are here, and that can be fetched")
    fetch = actions.add_parser("fetch", help="download a kernel, with consent")
    fetch.add_argument("name", metavar="NAME", help="such as 5.10, 6.12, 7.2 or trixie")
    fetch.add_argument("--debug", action="store_true", help="with its debug information, for dumps")
    fetch.add_argument("--yes", action="store_true", help="do it without asking")
    fetch.add_argument(
        "--sources", metavar="FILE", help="a .list or .sources file of apt; else this machine's own"
    )
    remove = actions.add_parser("remove", help="remove a kernel that was fetched")
    remove.add_argument("name", metavar="NAME", help="as lab kernels lists it")
    for action in (every, fetch, remove):
        _add_arch(action, argparse.SUPPRESS)
    every.add_argument("--json", action="store_true", help="as JSON")


def _add_arch(parser: argparse.ArgumentParser, default: str | None) -> None:
    """Declare what may stand before an action and after it."""
    parser.add_argument(
        "--arch", metavar="ARCH", default=default, help="of another architecture, such as s390x"
    )


def run_kernels(args: argparse.Namespace) -> int:
    """Carry out the action and return the exit code."""
    machine = machine_of(args.arch or "")
    if args.kernels == "fetch":
        return _fetch(machine, args)
    if args.kernels == "remove":
        return _remove(machine, kernel_name(args.name, machine))
    return _list(machine, as_json=args.kernels == "list" and args.json)


def find_qemu(machine: Machine) -> str | None:
    """Return the path of the program that runs guests of a machine, or None."""
    return shutil.which(machine.qemu, path=environment()["PATH"])


def _list(machine: Machine, *, as_json: bool) -> int:
    here = kernels_here(machine)
    names = {kernel.name for kernel in here}
    stable = {v: f"of {suite}" for v, suite in STABLE.items() if suite in machine.suites}
    moving = {suite: "whatever it has now" for suite in MOVING if suite in machine.suites}
    others = {name: what for name, what in (stable | moving).items() if name not in names}
    if as_json:
        document = {
            "arch": machine.arch,
            "qemu": find_qemu(machine),
            "limits": machine.limits or None,
            "kernels": here,
            "fetchable": list(others),
        }
        print_document(encode(document, indent=2) + "\n")
        return ExitCode.DONE
    for kernel in here:
        place = kernel.folder or "this machine's own"
        print_line(f"v {kernel.name:20}{kernel.release:34}{place}")
    for name, what in others.items():
        print_line(f"x {name:20}{what}")
    print_line()
    _print_advice(machine)
    return ExitCode.DONE


def _print_advice(machine: Machine) -> None:
    if not find_qemu(machine):
        print_line(f"Its guests need {machine.qemu}: apt install {machine.qemu_package}")
    if machine.limits:
        print_line(f"Guests of {machine.arch}: {machine.limits}")
    option = option_of(machine)
    words = f"pfdoctor lab kernels fetch NAME{option}"
    print_line(f"To get one: {words}; NAME can be a version, as in 7.2")
    if machine == DEFAULT_MACHINE:
        others = ", ".join(m.arch for m in MACHINES if m != machine)
        print_line(f"Of another architecture: --arch with one of {others}")


def option_of(machine: Machine) -> str:
    """Return the option that names a machine, with a space before it; empty for the default one."""
    return "" if machine == DEFAULT_MACHINE else f" --arch {machine.arch}"


def _remove(machine: Machine, name: KernelName) -> int:
    folder = kernel_folder(machine, name)
    try:
        removed = remove_kernel(machine, name)
    except OSError as error:
        raise PfDoctorError(f"{folder} cannot be removed: {error.strerror}") from error
    print_message(f"{folder} {'is removed' if removed else 'is not there'}")
    return ExitCode.DONE


def _fetch(machine: Machine, args: argparse.Namespace) -> int:
    name = kernel_name(args.name, machine)
    _check_programs()
    folder = kernel_folder(machine, name)
    _make_cache(folder.parent)
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
        if not find_qemu(machine):
            print_line(f"  To boot it you need {machine.qemu}: apt install {machine.qemu_package}")
    if "debug" in wanted:
        print_line("The debug information of it, some 100 to 400 MB to download")
    print_line("  Nothing is installed on this machine.")
    _check_space(folder, (_TIMES * size if "fetch" in wanted else 0), "debug" in wanted)
    if not args.yes and not ask_consent("Fetch it"):
        print_message("nothing was fetched")
        shutil.rmtree(unfinished(folder), ignore_errors=True)
        return ExitCode.DONE
    for what in wanted:
        _run(what, machine, name, folder, args.sources, _print_output)
    return ExitCode.DONE


def _check_programs() -> None:
    """Raise MissingError where packages of Debian cannot be fetched here."""
    for program in ("apt-get", "dpkg-deb", "depmod"):
        if not shutil.which(program, path="/usr/bin:/bin:/usr/sbin:/sbin"):
            raise MissingError(
                f"{program} is not here", "fetch it on a Debian, and copy its ~/.cache/pfdoctor"
            )


def _make_cache(folder: Path) -> None:
    try:
        make_private_folder(folder, _OUR_FOLDERS)
    except OSError as error:
        remedy = "set XDG_CACHE_HOME to a folder of yours"
        raise PfDoctorError(f"cannot use {folder}: {error.strerror}", remedy) from error


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


def _print_output(text: str) -> None:
    for line in text.splitlines():
        if line and not line.startswith(_ERROR):
            print_line(line)
    sys.stdout.flush()


def _print_reading(text: str) -> None:
    for line in text.splitlines():
        if line and not line.startswith(("plan ", _ERROR)):
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
    cross, spare = ("", ()) if machine.native else (machine.cross.rstrip("-"), _spare(machine))
    words = (
        *(what, str(folder), machine.debian, " ".join(name.flavours), cross, given),
        *(" ".join(spare), name.version, *name.suites),
    )
    command = Command(
        argv=("sh", str(SCRIPT), *words), tool="lab", risk=Risk.CHANGE, timeout=_TIMEOUT
    )
    result = LocalHost().run(command, on_output)
    if not result.ok:
        lines = result.errors.strip().splitlines() or [result.status.value]
        told = [line.removeprefix(_ERROR) for line in lines if line.startswith(_ERROR)]
        why = (told or lines)[-1]
        if result.exit_code == _NO_KERNEL:
            shutil.rmtree(unfinished(folder), ignore_errors=True)
            raise PfDoctorError(why, "name one of these")
        full = next((line for line in lines if _FULL in line), "")
        problem = f"the kernel {name.name} could not be fetched: {full.removeprefix(_ERROR) or why}"
        if full:
            raise PfDoctorError(problem, f"make room in {folder.parent}, then run it again")
        remedy = (
            "run it again, it goes on where it stopped; "
            f"pfdoctor lab kernels remove {name.name}{option_of(machine)} lets it begin anew"
        )
        raise PfDoctorError(problem, remedy)
    return result


def _spare(machine: Machine) -> tuple[str, ...]:
    """Return suites whose programs guests of a machine may have instead of those of their own."""
    return tuple(s for s in (*STABLE.values(), *MOVING) if s in machine.suites and "-" not in s)
