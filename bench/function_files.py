"""Which file of the kernel's tree a function is of that is built in, by the beginning of its name.

    gdb -batch -ex 'info functions' vmlinux-6.1.0-57-amd64 |
        .venv/bin/python bench/function_files.py >TABLE

It is read from the debug information of a distribution's kernel. The table is what
`pagefault_doctor/symbols/function_files.py` reads and explains; `make function-files` renews it.
"""

from __future__ import annotations

import re
import sys
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

_FILE: Final = re.compile(r"File (?:/.*/linux-[^/]+/)?(?P<path>[\w./+-]+\.c):")
_FUNCTION: Final = re.compile(r"([A-Za-z_]\w*)\(")
_ENTRIES: Final = ("x64_sys", "ia32_", "se_", "do_sys_", "x32_", "compat_sys", "cfi_", "pfx_")
"""How system calls' entries and what the compiler adds begin, without the leading `_`."""
_FEWEST: Final = (8, 4, 3)
"""Functions that a beginning of so many words needs to stand for others that are not known."""
_DULL: Final = re.compile(r".*_(?:init|setup|show|store)")
"""Functions that hardly any report names, of which the table has none by its whole name."""


def main() -> None:
    """Write the table of what gdb prints on standard input."""
    rows = defaultdict(list)
    for name, path in sorted(beginnings(functions(sys.stdin))):
        rows[path].append(name)
    text = "".join(f"{path} {' '.join(names)} \n" for path, names in sorted(rows.items()))
    sys.stdout.buffer.write(zlib.compress(text.encode("ascii"), 9))


def functions(lines: Iterable[str]) -> dict[str, set[str]]:
    """Return the files of each function, by its name without leading `_`."""
    found: dict[str, set[str]] = {}
    path = None
    for line in lines:
        if line.startswith(("File ", "Non-debugging")):
            match = _FILE.match(line)
            path = match["path"] if match and not match["path"].startswith("include/") else None
        elif path and (name := _FUNCTION.search(line)):
            bare = name[1].lstrip("_")
            if not bare.startswith(_ENTRIES):
                found.setdefault(bare, set()).add(path)
    return found


def beginnings(known: Mapping[str, set[str]]) -> Iterator[tuple[str, str]]:
    """Yield the shortest beginnings that lead to one file or folder, with it.

    A beginning ends with `_`; a whole name, of a function that none covers, does not.
    """
    places: dict[str, set[str]] = defaultdict(set)
    count: dict[str, int] = defaultdict(int)
    for name, paths in known.items():
        for prefix in prefixes(name):
            places[prefix] |= paths
            count[prefix] += 1
    told = set()
    for name, paths in known.items():
        good = (p for p in prefixes(name) if count[p] >= fewest(p) and place(places[p]))
        found = next(good, name)
        if found in told or (found == name and _DULL.fullmatch(name)):
            continue
        if path := place(places[found] if found != name else paths):
            told.add(found)
            yield found, path


def fewest(prefix: str) -> int:
    """Return how many functions must begin so, fewer for a beginning of more words."""
    return _FEWEST[min(prefix.count("_"), len(_FEWEST)) - 1]


def prefixes(name: str) -> Iterator[str]:
    """Yield the beginnings of a name that end with `_`, the shortest first."""
    words = name.split("_")
    return ("_".join(words[:n]) + "_" for n in range(1, len(words)))


def place(paths: Iterable[str]) -> str | None:
    """Return the file that all are, or else the folder that all are in, None without one."""
    files = set(paths)
    folders = {path.rpartition("/")[0] + "/" for path in files}
    if len(files) == 1:
        return next(iter(files))
    return next(iter(folders)) if len(folders) == 1 else None


if __name__ == "__main__":
    main()
