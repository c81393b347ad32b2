"""What the lab's guest is made of: programs of its stock, their libraries, and the modules."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from pagefault_doctor.lab.cpio import (
    CpioEntry,
    archive,
    character_device,
    file,
    folder,
    link,
    program,
)
from pagefault_doctor.lab.machine import USUAL, Stock
from pagefault_doctor.model.errors import MissingError

_LISTED: Final = re.compile(r"(?:=> )?(/\S+) \(0x")
"""One line of ldd: `libc.so.6 => /lib/.../libc.so.6 (0x...)`, or the loader alone."""

_FOLDERS: Final = ("/lib/{}-linux-gnu", "/usr/lib/{}-linux-gnu", "/lib", "/usr/lib")
"""Where Debian keeps libraries, {} being the architecture as uname names it."""


def libraries(program: Path, stock: Stock = USUAL) -> Iterator[tuple[str, Path]]:
    """Give what a program of a stock needs, its loader too: the guest's path, and ours.

    What is no program, or needs nothing, gives nothing.
    """
    if stock.root == Path("/"):
        yield from ((place, Path(place)) for place in _listed(program))
    else:
        yield from _needed(program, stock)


def _listed(program: Path) -> list[str]:
    """Return what this machine's own loader would load, as ldd(1) names it."""
    listing = subprocess.run(
        ("ldd", str(program)), capture_output=True, text=True, timeout=30, check=False
    )
    return _LISTED.findall(listing.stdout)


def _needed(program: Path, stock: Stock) -> Iterator[tuple[str, Path]]:
    """Follow the names in the files themselves: no loader of ours runs them."""
    folders = [place.format(stock.machine.uname) for place in _FOLDERS]
    waiting, seen = [program], set[str]()
    while waiting:
        for name in _names(waiting.pop()):
            if name in seen:
                continue
            seen.add(name)
            places = [name] if name.startswith("/") else [f"{place}/{name}" for place in folders]
            found = next(((p, stock.path(p)) for p in places if stock.path(p).exists()), None)
            if found:
                waiting.append(found[1])
                yield found


def _names(file: Path) -> list[str]:
    """Return the loader and the libraries that an ELF file names."""
    from elftools.common.exceptions import ELFError
    from elftools.elf.dynamic import DynamicSegment
    from elftools.elf.elffile import ELFFile
    from elftools.elf.segments import InterpSegment

    with file.open("rb") as stream:
        try:
            elf = ELFFile(stream)
            segments = tuple(elf.iter_segments())
            loaders = [s.get_interp_name() for s in segments if isinstance(s, InterpSegment)]
            dynamic = (s for s in segments if isinstance(s, DynamicSegment))
            tags = (tag for segment in dynamic for tag in segment.iter_tags("DT_NEEDED"))
            return loaders + [tag.needed for tag in tags]  # type: ignore[attr-defined]
        except ELFError:
            return []


INIT: Final = Path(__file__).with_name("init.sh")

BASE: Final = ("busybox", "dash", "kmod")
"""Without these there is no guest."""

UTILITIES: Final = (
    *("cat", "cp", "cut", "date", "df", "dmesg", "du", "echo", "env", "false", "find", "grep"),
    *("head", "hostname", "id", "ls", "mkdir", "mktemp", "mv", "nproc", "od", "printf", "ps"),
    *("pwd", "readlink", "rm", "sed", "sleep", "sort", "stat", "sync", "sysctl", "tail", "test"),
    *("timeout", "touch", "tr", "true", "uname", "wc"),
)
"""What the guest has as its stock has it; busybox stands in for what is missing there."""

TESTERS: Final = ("memtester", "perf", "stress-ng")
"""What the guest has only where its stock has it."""

APPLETS: Final = (
    *("awk", "free", "gzip", "ip", "kill", "mount", "ping", "stty", "umount", "uptime", "vi"),
    "zcat",
)

PROGRAMS: Final = ("usr/bin", "usr/sbin", "bin", "sbin", "usr/local/bin")
"""Where programs lie."""

KMOD_NAMES: Final = ("depmod", "insmod", "lsmod", "modinfo", "modprobe", "rmmod")

FOLDERS: Final = ("dev", "proc", "root", "run", "sys", "tmp", "var/crash", "var/lib", "var/log")

MERGED: Final = ("bin", "lib", "lib64", "sbin")
"""Top folders that are links into /usr, as Debian has them."""

REPORTERS: Final = (
    "kernel/drivers/firmware/qemu_fw_cfg.ko",
    "kernel/drivers/misc/pvpanic/pvpanic.ko",
    "kernel/drivers/misc/pvpanic/pvpanic-pci.ko",
)


def build(
    release: str,
    files: Mapping[str, bytes] | None = None,
    programs: tuple[str, ...] = (),
    stock: Stock = USUAL,
) -> bytes:
    """Return the archive of a guest for the kernel `release`.

    It has `files` (path: contents) in it, and of its stock's programs these besides the usual.
    Raises MissingError where a program that the guest cannot do without is not in its stock.
    """
    added = (file(merged(path), data) for path, data in (files or {}).items())
    shipped = _shipped_modules(release, stock)
    return archive((*_skeleton(stock), *_programs(programs, stock), *shipped, *added))


def module_path(release: str, name: str) -> str:
    """Return where modprobe finds a module from outside the kernel's tree."""
    return f"/lib/modules/{release}/updates/{name}.ko"


def _skeleton(stock: Stock) -> Iterator[CpioEntry]:
    yield from (link(name, f"usr/{name}") for name in MERGED)
    yield from (folder(path) for path in FOLDERS)
    yield character_device("dev/console", 5, 1)
    yield program("init", INIT.read_bytes())
    yield file("etc/os-release", Path("/etc/os-release").read_bytes())
    yield file("etc/agent", f"{stock.machine.agent}\n".encode())
    yield file("etc/hostname", b"lab\n")
    yield file("etc/passwd", b"root:x:0:0:root:/root:/bin/sh\n")
    yield file("etc/group", b"root:x:0:\n")


def _programs(more: tuple[str, ...], stock: Stock) -> Iterator[CpioEntry]:
    yield from with_libraries((*BASE, *more), (*UTILITIES, *TESTERS), stock)
    yield link("usr/bin/sh", "dash")
    yield from (link(f"usr/sbin/{name}", "../bin/kmod") for name in KMOD_NAMES)
    yield from (link(f"usr/bin/{name}", "busybox") for name in (*APPLETS, *UTILITIES))


def with_libraries(
    needed: tuple[str, ...], wanted: tuple[str, ...] = (), stock: Stock = USUAL
) -> Iterator[CpioEntry]:
    """Give programs of a stock with the libraries they need, `wanted` ones if they are there.

    Raises MissingError where a needed one is not.
    """
    here = {name: found for name in (*needed, *wanted) if (found := locate(name, stock))}
    if missing := [name for name in needed if name not in here]:
        raise MissingError(f"{', '.join(missing)} not installed", "make lab-setup")
    for name, path in here.items():
        yield program(f"usr/bin/{name}", path.read_bytes())
    needs = {place: path for found in here.values() for place, path in libraries(found, stock)}
    for place, path in sorted(needs.items()):
        yield program(merged(place), path.read_bytes())


def _shipped_modules(release: str, stock: Stock) -> Iterator[CpioEntry]:
    """Give the modules that tell QEMU of the vmcoreinfo note and of a panic; and depmod's lists."""
    home = f"/lib/modules/{release}"
    for name in ("modules.order", "modules.builtin", *REPORTERS):
        if (path := stock.path(f"{home}/{name}")).exists():
            yield file(merged(f"{home}/{name}"), path.read_bytes())


def locate(name: str, stock: Stock = USUAL) -> Path | None:
    """Return where a program of a stock is on this machine, administrators' folders included."""
    folders = (str(stock.path(place)) for place in PROGRAMS)
    found = shutil.which(name, path=":".join(folders))
    return Path(found) if found else None


def merged(path: str) -> str:
    """Return where a path ends up once the top folders are links into /usr."""
    relative = path.lstrip("/")
    return f"usr/{relative}" if relative.split("/", 1)[0] in MERGED else relative
