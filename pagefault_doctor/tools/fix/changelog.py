"""Changelogs of kernel packages: the changes since a version, and those about a function.

Debian's format is deb-changelog(5), with `    - subject` for each upstream change; rpm's has a
`* date name version` line before its `- subject` lines.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import msgspec

from pagefault_doctor.klog.skip_functions import BELOW_ALL
from pagefault_doctor.model.pattern import regex
from pagefault_doctor.model.report import Report

_HEADING = regex(
    r"\S+ \((\S{1,100})\) [^;]{0,100};|\* .{0,200}?[ \[v-](\d[\w.+~]*-[\w.+~]+)\]?\s*$"
)
_BULLET = regex(r"\s*[-*] (.+)")
_VERSION_PART = regex(
    r"\d+|[a-z]+|~",
)
_WORD = regex(r"[A-Za-z0-9]+")
_PREFIX = regex(r"(?:\[\w+\] )?(?:Revert \")?([\w/, -]{1,40}):")

_COMMON_WORDS: Final = frozenset(
    "add alloc and check clear core create data destroy dev device disable do drop enable end "
    "entry exit file find free from get handle has init int list lock locked new next not page put "
    "queue read release remove reset run set start state stop submit sys test update user use with "
    "work write".split()
)
"""Words in function names all over the kernel, which identify no subsystem."""

MOST_FUNCTIONS: Final = 4


class ChangelogEntry(msgspec.Struct, frozen=True):
    """A change: its text on one line, its version, and its line number."""

    text: str
    version: str
    line: int


def is_newer(one: str, other: str) -> bool:
    """Return whether a version is newer than another, in the order of dpkg and rpm."""
    return _version_key(one) > _version_key(other)


def _version_key(version: str) -> list[tuple[int, int, str]]:
    """Return a sort key: words sort before numbers, and `~` before the end."""
    epoch, colon, rest = version.partition(":")
    parts = _VERSION_PART.findall(rest if colon else epoch)
    key = [(int(epoch) if colon and epoch.isdecimal() else 0, 0, "")]
    for part in parts:
        number = int(part[:18]) if part.isdecimal() else 0
        kind = 3 if part.isdecimal() else 0 if part == "~" else 2
        key.append((kind, number, "" if number else part))
    return [*key, (1, 0, "")]


def changes_since(text: str, running: str) -> Iterator[ChangelogEntry]:
    """Yield the changes after a version, newest first."""
    version, parts, begin = "", list[str](), 0
    for number, line in enumerate(itertools.chain(text.split("\n"), ("",)), 1):
        heading = _HEADING.match(line)
        bullet = _BULLET.fullmatch(line) if not heading else None
        if parts and (heading or bullet or not line.strip()):
            yield ChangelogEntry(" ".join(parts), version, begin)
            parts = []
        if heading:
            version = heading[1] or heading[2]
            if not is_newer(version, running):
                return
        elif bullet:
            parts, begin = [bullet[1].strip()], number
        elif parts and len(parts) < 8:
            parts.append(line.strip())


def fault_functions(report: Report) -> tuple[str, ...]:
    """Return the kernel functions that a fault is about, the likeliest first."""
    in_title = report.title.rpartition(" in ")[2]
    kernel = (f.function for f in report.frames if f.reliable and f.module is None and f.function)
    names = (in_title if " " not in in_title else "", report.function or "", *kernel)
    plain = (name.partition(".")[0] for name in names if name)
    fit = (name for name in plain if len(name) > 3 and not name.startswith(BELOW_ALL))
    return tuple(itertools.islice(dict.fromkeys(fit), MOST_FUNCTIONS))


def changes_naming(
    entries: Iterable[ChangelogEntry], names: Sequence[str]
) -> list[tuple[str, ChangelogEntry]]:
    """Return the changes that name one of the functions, in the order of the functions."""
    found = [
        (name, entry) for entry in entries for name in names if name in _identifiers(entry.text)
    ]
    return sorted(found, key=lambda pair: names.index(pair[0]))


def _identifiers(text: str) -> set[str]:
    return {word.strip("().,:;\"'`") for word in text.replace("(", " ").split()}


def changes_to_subsystem(entries: Iterable[ChangelogEntry], name: str) -> list[ChangelogEntry]:
    """Return the changes to the subsystem of a function, judging by words.

    A subject must begin with the subsystem (`ext4:` for ext4_find_extent) and share another word.
    """
    words = _words(name)
    if len(words) < 2:
        return []
    subsystem, rest = words[0], set(words[1:])
    shared = ((entry, _subject_words(entry.text)) for entry in entries)
    return [e for e, (prefix, others) in shared if subsystem in prefix and rest & others]


def _words(name: str) -> list[str]:
    return [w for w in name.lower().split("_") if len(w) > 2 and w not in _COMMON_WORDS]


def _subject_words(text: str) -> tuple[set[str], set[str]]:
    prefix = _PREFIX.match(text)
    if prefix is None:
        return set(), set()
    rest = text[prefix.end() :].lower()
    begin = {word.lower() for word in _WORD.findall(prefix[1])}
    return begin, {word.rstrip("s") for word in _WORD.findall(rest)} | {*_WORD.findall(rest)}
