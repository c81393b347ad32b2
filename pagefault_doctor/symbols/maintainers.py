"""Whose a file of the kernel is: its subsystem, mailing list and tracker, by `MAINTAINERS`.

`maintainers.zlib` has the sections of the release in its first line that name files of code, and
no person. It is text, packed: a row for each section, with its name, its list and its tracker
between tabs; then a row for each folder, which begins with `/`: the patterns of its files, each
with the number of its section, and `!` before those that a section excludes. A pattern matches as
in `scripts/get_maintainer.pl` (file_match_pattern), and the one with the most folders counts most;
lines `N:` and `K:` are left out, which only match where no pattern of a file does.
`make in-tree` writes it.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from functools import cache, lru_cache
from pathlib import Path
from typing import Final

import msgspec

_TABLE: Final = Path(__file__).with_name("maintainers.zlib")
_REST: Final = "THE REST"
"""The section of all files, the last one of `MAINTAINERS`."""
_WILD: Final = "*?["


class Section(msgspec.Struct, frozen=True):
    """A section of `MAINTAINERS` and its pattern that matched.

    `tracker` is a page on the web. List and tracker are None where the section has none.
    """

    name: str
    mailing_list: str | None
    tracker: str | None
    pattern: str

    @property
    def is_rest(self) -> bool:
        """Whether it is the section of all files that have no other."""
        return self.name == _REST


@lru_cache(256)
def sections_of(path: str) -> tuple[Section, ...]:
    """Return the sections of a file such as `fs/ext4/inode.c`, the most precise first.

    A folder ends with `/`. `-` and `_` count as the same in its last part, for modules have no `-`
    in their names. A path that is not of the kernel's tree has only the section of all files.
    """
    found: dict[int, tuple[tuple[int, int], str]] = {}
    excluded = set()
    for folder, entry in _entries(path):
        rest, _, number = entry.rpartition(":")
        without = rest.removeprefix("!")
        if not _matches(without, path[len(folder) :]):
            continue
        if rest is not without:
            excluded.add(int(number))
            continue
        pattern = folder + without
        found[int(number)] = max(
            found.get(int(number), ((0, 0), "")), (_precision(pattern), pattern)
        )
    best = sorted(found.items(), key=lambda item: (*(-n for n in item[1][0]), item[0]))
    return tuple(_section(number, p) for number, (_, p) in best if number not in excluded)


def release() -> str:
    """Return the release of the kernel that the sections are of, such as `6.12`."""
    return ".".join(_text()[0][0].split(".")[:2])


def _entries(path: str) -> Iterator[tuple[str, str]]:
    """Yield the patterns of the folders that a path is in, each with its folder."""
    _, rows = _text()
    end = 0
    while True:
        folder = path[:end]
        if (at := rows.find(f"\n/{folder} ")) >= 0:
            start = at + len(folder) + 3
            for entry in rows[start : rows.find("\n", start)].split(" "):
                yield folder, entry
        if not (end := path.find("/", end) + 1):
            return


def _matches(pattern: str, path: str) -> bool:
    """Whether a pattern matches, both from the same folder on."""
    if not pattern.endswith("/") and pattern and pattern.count("/") != path.count("/"):
        return False
    pattern, path = pattern.replace("-", "_"), path.replace("-", "_")
    if not any(sign in pattern for sign in _WILD):
        return path.startswith(pattern)
    return re.match(_expression(pattern), path) is not None


@lru_cache(1024)
def _expression(pattern: str) -> str:
    signs = {"*": ".*", "?": ".", "[": "[", "]": "]"}
    return "".join(signs.get(sign) or re.escape(sign) for sign in pattern)


def _precision(pattern: str) -> tuple[int, int]:
    """Return how many folders deep a pattern is, and how many of its characters are no wildcard."""
    depth = pattern.count("/") + (not pattern.endswith("/"))
    return depth, len(pattern) - sum(map(pattern.count, "*?"))


def _section(number: int, pattern: str) -> Section:
    name, mailing_list, tracker = _text()[0][number + 1].split("\t")
    return Section(name, mailing_list or None, tracker or None, pattern)


@cache
def _text() -> tuple[tuple[str, ...], str]:
    """Return the rows of the sections, behind that of the release, and the rows of the folders."""
    whole = zlib.decompress(_TABLE.read_bytes()).decode("ascii")
    at = whole.index("\n/")
    return tuple(whole[:at].split("\n")), whole[at:]
