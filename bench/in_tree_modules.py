"""The modules of the kernel's own tree with their folders, from Debian's source packages.

    .venv/bin/python bench/in_tree_modules.py linux-source-6.1_*.deb... >LIST

The makefiles name every module, also of architectures and options for which Debian builds none.
Where a module was moved, the folder is that of the newest package. `make in-tree` fetches the
packages and writes the list that `pagefault_doctor/symbols/in_tree.py` reads.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Final

_TRISTATE: Final = re.compile(
    r"^\s*(?:menu)?config\s+(\w+)\n(?:(?!\s*(?:menu)?config\s).*\n)*?\s*(?:def_)?tristate\b",
    re.MULTILINE,
)
"""An option that can be built as a module (`Documentation/kbuild/kconfig-language.rst`)."""
_ASSIGNMENT: Final = re.compile(r"^\s*([\w-]+?)-(\$.*?|[my])\s*[:+?]?=(.*)")
"""A list of objects, when they are in it, and which (`Documentation/kbuild/makefiles.rst`)."""
_LIST: Final = re.compile(r"\$[({]([\w-]+)-[my][)}]")
_OPTION: Final = re.compile(r"CONFIG_(\w+)")
_OUTSIDE: Final = ("Documentation", "scripts", "tools")
"""Folders whose modules are no part of a kernel's build."""


def main() -> None:
    """Print the list for the packages that are named."""
    if not sys.argv[1:]:
        sys.exit("name packages: linux-source-6.1_6.1.176-1_all.deb")
    folders: dict[str, str] = {}
    packages = sorted(map(Path, sys.argv[1:]), key=_numbers)
    for package in packages:
        folders |= modules_of(dict(_build_files(package)))
    releases = (package.name.split("_")[1].partition("-")[0] for package in packages)
    print("releases", *releases)
    for folder, names in sorted(_by_folder(folders).items()):
        print(folder, *sorted(names))


def modules_of(files: Mapping[str, str]) -> dict[str, str]:
    """Return the folder of each module that makefiles and Kconfig files, by path, tell of."""
    options = {o for path, text in files.items() if "Kconfig" in path for o in _options(text)}
    folders: dict[str, set[str]] = defaultdict(set)
    for path, text in files.items():
        if "Kconfig" in path or path.startswith(_OUTSIDE):
            continue
        for made in _objects(text, options):
            module = PurePosixPath(path).parent / made
            folders[module.name.replace("-", "_")].add(str(module.parent))
    return {name: _common(found) for name, found in folders.items()}


def _options(text: str) -> Iterator[str]:
    return (match[1] for match in _TRISTATE.finditer(text))


def _objects(text: str, options: set[str]) -> Iterator[str]:
    """Yield the modules of a makefile, as paths from its folder."""
    lists: dict[str, list[str]] = defaultdict(list)
    made: list[str] = []
    for line in text.replace("\\\n", " ").splitlines():
        if match := _ASSIGNMENT.match(line.partition("#")[0]):
            name, when, objects = match[1], match[2], match[3].split()
            lists[name] += objects
            if name == "obj" and (when == "m" or options & set(_OPTION.findall(when))):
                made += objects
    for word in made:
        within = lists[match[1]] if (match := _LIST.fullmatch(word)) else [word]
        yield from (w[:-2] for w in within if w.endswith(".o") and "$" not in w)


def _common(folders: set[str]) -> str:
    """Return the folder of a module; where several architectures have one, that above them."""
    return os.path.commonpath(folders) or min(folders)


def _by_folder(folders: Mapping[str, str]) -> dict[str, list[str]]:
    names: dict[str, list[str]] = defaultdict(list)
    for name, folder in folders.items():
        names[folder].append(name)
    return names


def _build_files(package: Path) -> Iterator[tuple[str, str]]:
    """Yield the makefiles and Kconfig files of the source in a package: path and text."""
    argv = ("dpkg-deb", "--fsys-tarfile", package)
    with (
        subprocess.Popen(argv, stdout=subprocess.PIPE) as unpacking,
        tarfile.open(fileobj=unpacking.stdout, mode="r|") as outer,
    ):
        for member in outer:
            if member.name.endswith(".tar.xz"):
                with tarfile.open(fileobj=outer.extractfile(member), mode="r|xz") as source:
                    yield from _texts(source)
    if unpacking.returncode:
        sys.exit(f"{package} could not be read")


def _texts(source: tarfile.TarFile) -> Iterator[tuple[str, str]]:
    for member in source:
        path = member.name.partition("/")[2]
        if member.isfile() and PurePosixPath(path).name.startswith(
            ("Makefile", "Kbuild", "Kconfig")
        ):
            file = source.extractfile(member)
            yield path, file.read().decode(errors="replace") if file else ""


def _numbers(package: Path) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", package.name.split("_")[1])]


if __name__ == "__main__":
    main()
