"""The guest's initramfs: programs of its stock, their libraries, and the modules."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from pagefault_doctor.hosts.program import environment
from pagefault_doctor.lab.cpio import (
    CpioEntry,
    archive,
    character_device,
    file,
    folder,
    link,
    program,
)
from pagefault_doctor.lab.module import Module, kernel_modules
from pagefault_doctor.lab.stock import DEFAULT_STOCK, Stock
from pagefault_doctor.model.errors import MissingError, PfDoctorError
from pagefault_doctor.symbols.compressed_module import open_packed
from pagefault_doctor.symbols.module_file import elf_errors

_LDD_LINE: Final = re.compile(r"(?:=> )?(/\S+) \(0x")
"""One line of ldd: `libc.so.6 => /lib/.../libc.so.6 (0x...)`, or the loader alone."""

_LDD_TIMEOUT: Final = 30.0
_FETCH_AGAIN: Final = "remove the folder it is in, then pfdoctor lab kernels fetch"

_LIBRARY_FOLDERS: Final = ("/lib/{}", "/usr/lib/{}", "/lib", "/usr/lib")
"""Library folders of Debian; {} is its name of the architecture's libraries."""


def libraries(program: Path, stock: Stock = DEFAULT_STOCK) -> Iterator[tuple[str, Path]]:
    """Yield the libraries and the loader that a program needs: guest path and local path.

    Yields nothing for a file that is no program or is linked statically.
    """
    if stock.root == Path("/"):
        yield from ((place, Path(place)) for place in _ldd(program))
    else:
        yield from _elf_libraries(program, stock)


def _ldd(program: Path) -> list[str]:
    """Return the paths that this machine's loader would load, from ldd(1)."""
    try:
        listing = subprocess.run(
            ("ldd", str(program)),
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_LDD_TIMEOUT,
            check=False,
            env=os.environ | {"PATH": environment()["PATH"]},
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise PfDoctorError(f"ldd {program}: {error}", "apt install libc-bin") from error
    # A status of 1 is its answer for a static program; what a guest's program lacks, it says there.
    return _LDD_LINE.findall(listing.stdout)


def _elf_libraries(program: Path, stock: Stock) -> Iterator[tuple[str, Path]]:
    """Yield the libraries named in the ELF files, recursively.

    ldd cannot do this: the loader of another architecture does not run here.
    """
    folders = [folder.format(stock.machine.libraries) for folder in _LIBRARY_FOLDERS]
    pending, seen = [program], set[str]()
    while pending:
        for name in _needed_names(pending.pop()):
            if name in seen:
                continue
            seen.add(name)
            paths = [name] if name.startswith("/") else [f"{folder}/{name}" for folder in folders]
            found = next(((p, stock.path(p)) for p in paths if stock.path(p).exists()), None)
            if found:
                pending.append(found[1])
                yield found


def _needed_names(file: Path) -> list[str]:
    """Return the loader and the libraries that an ELF file names, none for another file."""
    from elftools.elf.dynamic import DynamicSegment
    from elftools.elf.elffile import ELFFile
    from elftools.elf.segments import InterpSegment

    with file.open("rb") as stream:
        if stream.read(4) != b"\x7fELF":
            return []
        try:
            elf = ELFFile(stream)
            segments = tuple(elf.iter_segments())
            loaders = [s.get_interp_name() for s in segments if isinstance(s, InterpSegment)]
            dynamic = (s for s in segments if isinstance(s, DynamicSegment))
            tags = (tag for segment in dynamic for tag in segment.iter_tags("DT_NEEDED"))
            return loaders + [tag.needed for tag in tags]  # type: ignore[attr-defined]
        except elf_errors() as error:
            raise PfDoctorError(f"{file} is a damaged program: {error}", _FETCH_AGAIN) from error


INIT: Final = Path(__file__).with_name("init.sh")
"""The guest's /init."""

REQUIRED_PROGRAMS: Final = ("busybox", "dash", "kmod")
"""Programs without which the guest does not boot."""

UTILITIES: Final = (
    *(
        "base64",
        "cat",
        "cp",
        "cut",
        "date",
        "df",
        "dmesg",
        "du",
        "echo",
        "env",
        "false",
        "find",
        "grep",
    ),
    *("head", "hostname", "id", "ls", "mkdir", "mktemp", "mv", "nproc", "od", "printf", "ps"),
    *("pwd", "readlink", "rm", "sed", "sleep", "sort", "stat", "sync", "sysctl", "tail", "test"),
    *("timeout", "touch", "tr", "true", "uname", "wc"),
)
"""Programs taken from the stock; busybox replaces those that it lacks."""

OPTIONAL_PROGRAMS: Final = ("memtester", "perf", "stress-ng")
"""Programs that the guest has only if its stock has them."""

APPLETS: Final = (
    *("awk", "free", "gzip", "ip", "kill", "mount", "ping", "stty", "umount", "uptime", "vi"),
    "zcat",
)
"""Programs that busybox always provides."""

PROGRAM_FOLDERS: Final = ("usr/bin", "usr/sbin", "bin", "sbin", "usr/local/bin")
"""Folders that are searched for programs."""

KMOD_NAMES: Final = ("depmod", "insmod", "lsmod", "modinfo", "modprobe", "rmmod")
"""Programs that are links to kmod."""

FOLDERS: Final = ("dev", "proc", "root", "run", "sys", "tmp", "var/crash", "var/lib", "var/log")
"""Empty folders of the guest."""

MERGED: Final = ("bin", "lib", "lib64", "sbin")
"""Top folders that are links into /usr, as in Debian."""

_COMPRESSED: Final = ("", ".xz", ".gz", ".zst")
"""Ends of the names of module files: from Linux 6.12 on Debian's are compressed."""

CRASH_REPORT_MODULES: Final = (
    "kernel/drivers/firmware/qemu_fw_cfg.ko",
    "kernel/drivers/misc/pvpanic/pvpanic.ko",
    "kernel/drivers/misc/pvpanic/pvpanic-pci.ko",
)
"""Modules that pass the vmcoreinfo note and panics to QEMU."""


def build(
    release: str,
    files: Mapping[str, bytes] | None = None,
    programs: tuple[str, ...] = (),
    stock: Stock = DEFAULT_STOCK,
) -> bytes:
    """Return the initramfs of a guest for the kernel `release`.

    It contains `files` (path: contents) and, besides the usual ones, these programs of its stock.
    Raises MissingError if the stock lacks a required program, PfDoctorError where a file cannot be
    read.
    """
    try:
        return archive(_entries(release, files or {}, programs, stock))
    except OSError as error:
        problem = f"{error.filename} cannot be read for the guest: {error.strerror}"
        raise PfDoctorError(problem, "make it readable, or install it again") from error


def _entries(
    release: str, files: Mapping[str, bytes], programs: tuple[str, ...], stock: Stock
) -> tuple[CpioEntry, ...]:
    added = (file(merged_path(path), data) for path, data in files.items())
    shipped = _shipped_modules(release, stock)
    return (*_skeleton(stock), *_programs(programs, stock), *shipped, *added)


def module_path(release: str, name: str) -> str:
    """Return the path where modprobe finds an out-of-tree module."""
    return f"/lib/modules/{release}/updates/{name}.ko"


def module_files(release: str, modules: Sequence[Module], stock: Stock) -> dict[str, bytes]:
    """Return modules and those of the kernel that they depend on: path and contents."""
    own = {module.name.replace("-", "_") for module in modules}
    needed = dict.fromkeys(name for m in modules for name in m.depends if name not in own)
    files = {module_path(release, module.name): module.data for module in modules}
    return kernel_modules(release, tuple(needed), stock) | files


def _skeleton(stock: Stock) -> Iterator[CpioEntry]:
    yield from (link(name, f"usr/{name}") for name in MERGED)
    yield from (folder(path) for path in FOLDERS)
    yield character_device("dev/console", 5, 1)
    yield program("init", INIT.read_bytes())
    if (release := Path("/etc/os-release")).exists():
        yield file("etc/os-release", release.read_bytes())
    yield file("etc/agent", f"{stock.machine.agent}\n".encode())
    yield file("etc/hostname", b"lab\n")
    yield file("etc/passwd", b"root:x:0:0:root:/root:/bin/sh\n")
    yield file("etc/group", b"root:x:0:\n")


def _programs(more: tuple[str, ...], stock: Stock) -> Iterator[CpioEntry]:
    yield from with_libraries((*REQUIRED_PROGRAMS, *more), (*UTILITIES, *OPTIONAL_PROGRAMS), stock)
    yield link("usr/bin/sh", "dash")
    yield from (link(f"usr/sbin/{name}", "../bin/kmod") for name in KMOD_NAMES)
    yield from (link(f"usr/bin/{name}", "busybox") for name in (*APPLETS, *UTILITIES))


def with_libraries(
    needed: tuple[str, ...], optional: tuple[str, ...] = (), stock: Stock = DEFAULT_STOCK
) -> Iterator[CpioEntry]:
    """Yield programs of a stock and their libraries; `optional` ones only if the stock has them.

    Raises MissingError if a `needed` one is missing.
    """
    programs = {
        name: found for name in (*needed, *optional) if (found := find_program(name, stock))
    }
    if missing := [name for name in needed if name not in programs]:
        raise MissingError(f"{', '.join(missing)} not installed", "make lab-setup")
    for name, path in programs.items():
        yield program(f"usr/bin/{name}", path.read_bytes())
    library_paths = {
        place: path for found in programs.values() for place, path in libraries(found, stock)
    }
    for place, path in sorted(library_paths.items()):
        yield program(merged_path(place), path.read_bytes())


def _shipped_modules(release: str, stock: Stock) -> Iterator[CpioEntry]:
    """Yield modules for crash reports and for the agent's port, and the lists for depmod."""
    home = f"/lib/modules/{release}"
    for name in ("modules.order", "modules.builtin"):
        if (path := stock.path(f"{home}/{name}")).exists():
            yield file(merged_path(f"{home}/{name}"), path.read_bytes())
    agent = (stock.machine.agent_module,) if stock.machine.agent_module else ()
    for name in (*CRASH_REPORT_MODULES, *agent):
        places = (stock.path(f"{home}/{name}{end}") for end in _COMPRESSED)
        if packed := next((place for place in places if place.exists()), None):
            # The kmod of the stock may read no compressed modules.
            with open_packed(packed) as unpacked:
                yield file(merged_path(f"{home}/{name}"), unpacked.read())


def find_program(name: str, stock: Stock = DEFAULT_STOCK) -> Path | None:
    """Return the local path of a program of a stock, or None; searches sbin too."""
    folders = (str(stock.path(place)) for place in PROGRAM_FOLDERS)
    found = shutil.which(name, path=":".join(folders))
    return Path(found) if found else None


def merged_path(path: str) -> str:
    """Return a path with its top folder moved into /usr, without the leading slash."""
    relative = path.lstrip("/")
    return f"usr/{relative}" if relative.split("/", 1)[0] in MERGED else relative
