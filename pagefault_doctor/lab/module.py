"""The modules of a lab run: built from source, or read from files."""

from __future__ import annotations

import os
import re
import shutil
import stat
from pathlib import Path
from typing import Final

import msgspec

from pagefault_doctor.hosts.local import LocalHost
from pagefault_doctor.lab.stock import DEFAULT_STOCK, Stock
from pagefault_doctor.lab.temp_folder import temp_folder
from pagefault_doctor.model.command import Command, Result
from pagefault_doctor.model.errors import MissingError, PfDoctorError, UsageError
from pagefault_doctor.symbols.compressed_module import (
    MAX_UNPACKED_BYTES,
    UnreadableModule,
    open_packed,
)
from pagefault_doctor.symbols.module_file import elf_errors, open_module

_BUILD_FILES: Final = ("*.ko", "*.o", ".*.cmd", "*.mod", "*.mod.c", "modules.order", ".git")
"""Files of an earlier build, perhaps for another kernel."""

_MAX_SOURCE_BYTES: Final = 512 << 20
"""Bytes of a source that is copied: the largest drivers of Linux have 300 MB."""

_MOST_NAMES: Final = 8
"""Files that a remedy names."""

_IN_ROOT: Final = (
    *("unshare", "--user", "--map-root-user", "--mount", "--pid", "--fork", "--kill-child"),
    *("sh", str(Path(__file__).with_name("build_in_root.sh"))),
)
"""The beginning of the command that builds with the compiler of a fetched root."""

PLACE_IN_ROOT: Final = Path("/tmp/source")
"""Where that script shows the source to the compiler."""

_RELEASE: Final = re.compile(r"\w[\w.+~-]{0,63}", re.ASCII)
_MODULE_NAME: Final = re.compile(r"\w[\w-]{0,54}", re.ASCII)
_PLAIN_PATH: Final = re.compile(r"[\w/.,+@~-]+", re.ASCII)
_SUFFIX: Final = re.compile(r"\.ko(\.\w+)?$")


class BuildError(PfDoctorError):
    """No module was built; `remedy` is the compiler's first error."""


_KERNEL_FOLDER: Final = ("KERNEL_SRC", "KERNELDIR", "KERNEL_DIR", "KDIR", "KSRC", "KERNEL_PATH")
_KERNEL_VERSION: Final = ("KVER", "KVERSION", "KERNELVER", "kernelver")


class Module(msgspec.Struct, frozen=True):
    """A module file: its name, uncompressed contents, kernel release and dependencies.

    `arch` is the name of its architecture in pyelftools.
    """

    name: str
    data: bytes
    release: str
    depends: tuple[str, ...] = ()
    arch: str = ""


def read(path: Path) -> Module:
    """Return the module in a file, compressed or not. Raises UsageError if it is no module."""
    if not path.is_file():
        raise MissingError(f"there is no file {path}", "check the name")
    name = module_name(path)
    if not is_module_name(name):
        raise UsageError(f"{path.name} is no name of a module", "it should be NAME.ko")
    try:
        with open_module(path) as elf:
            section = elf.get_section_by_name(".modinfo")
            info = _modinfo(section.data()) if section else {}
            arch = elf.get_machine_arch()
            elf.stream.seek(0)
            data = elf.stream.read(MAX_UNPACKED_BYTES + 1)
    except UnreadableModule:
        raise
    except elf_errors() as error:
        raise UsageError(f"{path} is a damaged module: {error}", "build it again") from error
    if len(data) > MAX_UNPACKED_BYTES:
        raise UsageError(f"{path} is larger than any module", "give the .ko that make builds")
    if "vermagic" not in info:
        raise UsageError(f"{path} is not a kernel module", "give the .ko that make builds")
    depends = tuple(word for word in info.get("depends", "").split(",") if word)
    release = (info["vermagic"].split() or [""])[0]
    if not _RELEASE.fullmatch(release) or not all(map(_MODULE_NAME.fullmatch, depends)):
        raise UsageError(f"{path} names no kernel or no modules", "build it again")
    return Module(name, data, release, depends, arch)


def module_name(path: Path) -> str:
    """Return the name of the module in a file, going by the file's name."""
    return _SUFFIX.sub("", path.name)


def is_module_name(name: str) -> bool:
    """Return whether a text is the name of a module: it is safe as an argument and in a path."""
    return _MODULE_NAME.fullmatch(name) is not None


def _modinfo(data: bytes) -> dict[str, str]:
    pairs = (entry.decode("utf-8", "replace").partition("=") for entry in data.split(b"\0"))
    return {name: value for name, _, value in pairs}


def build(
    source: Path,
    release: str,
    folder: Path,
    source_name: Path | None = None,
    stock: Stock = DEFAULT_STOCK,
    timeout: float = 300,
) -> tuple[Module, ...]:
    """Build the modules of a source folder for a kernel, in a copy of it: the new `folder`.

    They are returned in the order of modules.order. `source_name` is the source path in their debug
    information, by default the source folder. Raises BuildError if no module was built.
    """
    makefile = missing_makefile(source)
    if not _PLAIN_PATH.fullmatch(str(folder)):
        raise UsageError(f"make cannot build in {folder}", "set TMPDIR to a plain path")
    _copy(source, folder)
    if makefile:
        (folder / "Makefile").write_text(makefile)
    place = PLACE_IN_ROOT if stock.has_compiler else folder
    kernel = str(stock.build_folder(release))
    if stock.has_compiler:
        kernel = f"/lib/modules/{release}/build"
    # The copy is temporary: debug information and warnings have to name the original source.
    env = build_env(stock, place, source_name or source.absolute())
    results = list[Result]()
    for make in _ways_to_build(kernel, release, place):
        argv = in_root(stock, folder, make) if stock.has_compiler else make
        result = LocalHost().run(Command(argv=argv, tool="lab", timeout=timeout, env=env))
        built = _built_files(folder, place)
        if result.ok and built:
            return tuple(read(path) for path in built)
        results.append(result)
    error = next(filter(None, (_compile_error(each, place) for each in results)), None)
    raise BuildError(f"no module was built from {source}", error or _first_error(results[0], place))


def _ways_to_build(kernel: str, release: str, place: Path) -> tuple[tuple[str, ...], ...]:
    """Return the commands that build in a folder: as Kbuild says, then by its own Makefile.

    The Makefiles of projects, which dkms calls, know the kernel by one of several names.
    """
    names = (f"{name}={kernel}" for name in _KERNEL_FOLDER)
    versions = (f"{name}={release}" for name in _KERNEL_VERSION)
    return (
        ("make", "-C", kernel, f"M={place}", "modules"),
        ("make", "-C", str(place), *names, *versions),
    )


def missing_makefile(source: Path) -> str:
    """Return the Makefile that a folder with one C file lacks; empty where there is one.

    Raises UsageError where several files could be parts of one module, or modules of their own.
    """
    if any((source / name).is_file() for name in ("Kbuild", "Makefile")):
        return ""
    files = sorted(path for path in source.glob("*.c") if not path.name.endswith(".mod.c"))
    if len(files) == 1 and is_module_name(files[0].stem):
        return f"obj-m := {files[0].stem}.o\n"
    remedy = "name the module's own folder"
    if len(files) > 1:
        names = " ".join(f"{path.stem}.o" for path in files[:_MOST_NAMES])
        remedy = f"write one: obj-m := NAME.o, and NAME-y := {names}"
    raise UsageError(f"{source} has no Kbuild and no Makefile", remedy)


def build_env(stock: Stock, place: Path, source: Path | str) -> dict[str, str]:
    """Return the environment of a kernel build in `place`; what is built names `source` instead."""
    plain = _PLAIN_PATH.fullmatch(str(source))
    names = {"KCFLAGS": f"-ffile-prefix-map={place}={source}"} if plain else {}
    return stock.machine.build_env | names


def in_root(stock: Stock, source: Path, argv: tuple[str, ...]) -> tuple[str, ...]:
    """Return the command that runs another one in a fetched root, with the source in its place."""
    return (*_IN_ROOT, str(stock.builder), str(source), *argv)


def build_program(
    source: Path,
    name: str,
    stock: Stock = DEFAULT_STOCK,
    flags: tuple[str, ...] = ("-static",),
    timeout: float = 120,
) -> bytes:
    """Compile a C file, with the headers next to it, for guests of a stock; return the program.

    `name` is that of its file, which only the compiler's messages tell. It is compiled with the
    compiler and C library that were fetched with the kernel, where there are such, else with those
    of this machine; `flags` are for the compiler. Raises BuildError with its first error.
    """
    with temp_folder() as folder:
        try:
            for path in (source, *source.parent.glob("*.h")):
                shutil.copy(path, folder)
        except OSError as error:
            raise PfDoctorError(f"{source} could not be copied: {error}", "check it") from error
        place = PLACE_IN_ROOT if stock.has_library else folder
        compiler = stock.compiler if stock.has_library else stock.machine.gcc
        argv: tuple[str, ...] = (compiler, *flags, "-o", f"{place}/{name}")
        argv += (f"{place}/{source.name}",)
        if stock.has_library:
            argv = in_root(stock, folder, argv)
        result = LocalHost().run(Command(argv=argv, tool="lab", timeout=timeout))
        if not result.ok or not (folder / name).is_file():
            raise BuildError(f"{source} was not compiled", _first_error(result, place))
        return (folder / name).read_bytes()


def _copy(source: Path, folder: Path) -> None:
    """Copy what is a source: regular files, folders and links, of bounded size."""
    patterns, left = shutil.ignore_patterns(*_BUILD_FILES), _MAX_SOURCE_BYTES

    def ignored(there: str, names: list[str]) -> set[str]:
        nonlocal left
        out = patterns(there, names)
        for name in set(names) - out:
            seen = os.lstat(os.path.join(there, name))
            if stat.S_ISREG(seen.st_mode):
                left -= seen.st_size
            elif not (stat.S_ISDIR(seen.st_mode) or stat.S_ISLNK(seen.st_mode)):
                out.add(name)
        if left < 0:
            problem = f"{source} has more than {_MAX_SOURCE_BYTES >> 20} MiB"
            raise UsageError(problem, "name the module's own folder")
        return out

    try:
        shutil.copytree(source, folder, ignore=ignored, symlinks=True)
    except OSError as error:  # shutil.Error too: a list of all that could not be copied.
        first = error.args[0][0][-1] if isinstance(error, shutil.Error) else error
        remedy = "make it readable, or set TMPDIR to a folder with more room"
        raise PfDoctorError(f"{source} could not be copied: {first}", remedy) from error


def _built_files(folder: Path, place: Path | None = None) -> list[Path]:
    """Return the modules in a folder, which may have had another path while it was built."""
    place = place or folder
    try:
        lines = (folder / "modules.order").read_text("utf-8", "replace").split()
    except OSError:
        return []
    named = [
        folder / Path(line).relative_to(place) for line in lines if line.startswith(f"{place}/")
    ]
    files = [path.with_suffix(".ko") for path in named or map(folder.joinpath, lines)]
    return [path for path in files if path.is_file()]


def _compile_error(result: Result, folder: Path) -> str | None:
    lines = result.errors.replace(f"{folder}/", "").splitlines()
    return next((line for line in lines if ": error:" in line or "fatal error:" in line), None)


def _first_error(result: Result, folder: Path) -> str:
    lines = result.errors.replace(f"{folder}/", "").splitlines()
    errors = (line for line in lines if "error" in line.lower() or "***" in line)
    return next(errors, lines[-1] if lines else f"make: {result.status}")


def clean(folder: Path) -> None:
    """Remove the build files in a folder, so that only the source remains."""
    for pattern in (*_BUILD_FILES, "Module.symvers"):
        for path in folder.rglob(pattern):
            path.unlink(missing_ok=True)


def kernel_modules(
    release: str, names: tuple[str, ...], stock: Stock = DEFAULT_STOCK
) -> dict[str, bytes]:
    """Return these of the kernel's own modules and what they depend on, in load order.

    That is path and contents, unpacked: the kmod of a guest may read no compressed modules.
    """
    files: dict[str, bytes] = {}
    for path in (path for name in names for path in listed_modules(name, release, stock)):
        place = str(path.relative_to(stock.root))
        with open_packed(path) as unpacked:
            files[f"/{place[: place.rindex('.ko') + 3]}"] = unpacked.read()
    return files


def listed_modules(name: str, release: str, stock: Stock) -> tuple[Path, ...]:
    """Return the files that modprobe(8) loads for one of the kernel's own modules, in load order.

    None where there is no such module, or it is built in.
    """
    where = () if stock.root == Path("/") else ("-d", str(stock.root))
    # Without the settings of this machine, which may forbid a module.
    argv = ("modprobe", "-C", "/dev/null", *where, "-S", release, "--show-depends", name)
    lines = LocalHost().run(Command(argv=argv, tool="lab")).output.splitlines()
    words = (line.split(" ") for line in lines if line.startswith("insmod "))
    return tuple(path for _, file, *_ in words if (path := Path(file)).is_file())
