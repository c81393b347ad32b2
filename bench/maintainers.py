"""Which subsystem a file of the kernel belongs to, its mailing list and its tracker.

    .venv/bin/python bench/maintainers.py linux-source-7.2_*.deb >TABLE

It is read from the `MAINTAINERS` of the source in Debian's package; no person is taken over. The
table is what `pagefault_doctor/symbols/maintainers.py` reads and explains; `make in-tree` fetches
the package and renews it.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
import zlib
from collections import defaultdict
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Final

import msgspec

_NO_CODE: Final = re.compile(
    r"(?:Documentation|LICENSES|certs|samples|scripts|tools|usr|include/dt-bindings)/"
    r"|arch/[^/]+/(?:boot/dts|configs)/|.*(?:Kconfig|Makefile|\.config|\.rst|\.yaml|\.txt)$"
)
"""Files that no report of a kernel names."""
_LAST: Final = re.compile(r"subscribers[- ]only")
_LATER: Final = re.compile(r"moderated")
_ADDRESS: Final = re.compile(r"[\w.+-]+@[\w.-]+")
_WILD: Final = re.compile(r"[*?\[]")
_MAINTAINED: Final = re.compile(r"maintain|support", re.IGNORECASE)


class Section(msgspec.Struct):
    """A section of the file: its name, and the lines of it that no person is in."""

    name: str
    lists: list[str] = []
    trackers: list[str] = []
    status: str = ""
    files: list[str] = []
    excluded: list[str] = []

    def add(self, letter: str, value: str) -> None:
        """Take over a line, such as `L: netdev@vger.kernel.org`."""
        match letter:
            case "L":
                self.lists.append(value)
            case "B" if value.startswith("https:"):
                self.trackers.append(value)
            case "S":
                self.status = value
            case "F":
                self.files.append(value)
            case "X":
                self.excluded.append(value)

    @property
    def mailing_list(self) -> str:
        """The list that anybody may write to, if there is one."""
        told = sorted(self.lists, key=lambda t: (bool(_LAST.search(t)), bool(_LATER.search(t))))
        addresses = (_ADDRESS.search(text) for text in told)
        return next((address[0] for address in addresses if address), "")


def main() -> None:
    """Write the table for the package that is named."""
    if len(sys.argv) != 2:
        sys.exit("name a package: linux-source-7.2_7.2.13-1_all.deb")
    package = Path(sys.argv[1])
    text, folders = _read(package)
    release = package.name.split("_")[1].partition("-")[0]
    table = table_of(text, folders, release)
    sys.stdout.buffer.write(zlib.compress(table.encode("ascii"), 9))


def table_of(text: str, folders: Collection[str], release: str) -> str:
    """Return the table of a `MAINTAINERS`. `folders` are all folders of its tree."""
    sections = [section for section in _sections(text) if any(_told(section.files))]
    # Of two that name a file alike, the one that is looked after and has a list comes first.
    sections.sort(key=lambda s: (not _MAINTAINED.search(s.status), not s.lists))
    rows: dict[str, list[str]] = defaultdict(list)
    for number, section in enumerate(sections):
        for mark, patterns in (("", section.files), ("!", section.excluded)):
            for pattern in _told(patterns):
                whole = f"{pattern}/" if pattern in folders else pattern
                folder, rest = _cut(whole)
                rows[folder].append(f"{mark}{rest}:{number}")
    head = (f"{s.name}\t{s.mailing_list}\t{next(iter(s.trackers), '')}" for s in sections)
    body = (" ".join((f"/{folder}", *found)) for folder, found in sorted(rows.items()))
    return "\n".join((release, *head, *body, ""))


def _sections(text: str) -> Iterator[Section]:
    """Yield the sections: a name, then lines of a letter, a colon and a value."""
    section = None
    name = ""
    for line in text.partition("Maintainers List\n")[2].splitlines():
        letter, colon, value = line[:1], line[1:2], line[2:].strip()
        if colon == ":" and letter.isupper():
            if section is None:
                section = Section(name)
            section.add(letter, value)
            continue
        if section is not None:
            yield section
            section = None
        name = " ".join(line.split()) or name
    if section is not None:
        yield section


def _told(patterns: list[str]) -> Iterator[str]:
    return (pattern for pattern in patterns if not _NO_CODE.match(pattern))


def _cut(pattern: str) -> tuple[str, str]:
    """Return the folder of a pattern, up to its first wildcard, and the rest."""
    wild = _WILD.search(pattern)
    end = pattern.rfind("/", 0, wild.start() if wild else len(pattern)) + 1
    return pattern[:end], pattern[end:]


def _read(package: Path) -> tuple[str, set[str]]:
    """Return the `MAINTAINERS` of the source in a package, and the folders of its tree."""
    argv = ("dpkg-deb", "--fsys-tarfile", package)
    text, folders = "", set()
    with (
        subprocess.Popen(argv, stdout=subprocess.PIPE) as unpacking,
        tarfile.open(fileobj=unpacking.stdout, mode="r|") as outer,
    ):
        for member in outer:
            if not member.name.endswith(".tar.xz"):
                continue
            with tarfile.open(fileobj=outer.extractfile(member), mode="r|xz") as source:
                for file in source:
                    path = file.name.partition("/")[2]
                    if file.isdir():
                        folders.add(path)
                    elif path == "MAINTAINERS":
                        opened = source.extractfile(file)
                        text = opened.read().decode(errors="replace") if opened else ""
    if unpacking.returncode or not text:
        sys.exit(f"{package} could not be read")
    return text, folders


if __name__ == "__main__":
    main()
