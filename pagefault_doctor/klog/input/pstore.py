"""Records of pstore, put together: what the kernel wrote as it died.

A record begins with a line such as `Panic#2 Part1` (`fs/pstore/platform.c`, pstore_dump). Part 1 is
the end of the log: the kernel writes the newest text first.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice, zip_longest
from typing import Final, TypeVar

import msgspec

from pagefault_doctor.klog.input.input_file import FileBytes
from pagefault_doctor.klog.text import pieces
from pagefault_doctor.model.pattern import regex

_STEP: Final = 1 << 18
_MOST_PARTS: Final = 100_000
"""Records that are put in order; the last one holds what follows it."""
_HEAD: Final = regex(
    rb"^(?P<dump>(?:Oops|Panic|Emergency|Shutdown)#(?P<event>\d{1,6}))"
    rb" Part(?P<part>\d{1,6})\r?\n",
    re.MULTILINE,
)
"""The first line of a record."""


class Record(msgspec.Struct, frozen=True):
    """One record: its dump (`Panic#2`, event 2), its part number, and where it lies.

    The first line begins at `head`, the text at `begin`.
    """

    dump: str
    event: int
    number: int
    head: int
    begin: int
    end: int


_Part = TypeVar("_Part", bound=Record)


def first_record(data: bytes) -> Record | None:
    """Return the record that the data begins with, if any; its text goes on to the end."""
    head = _HEAD.match(data)
    return _record(head, 0, len(data)) if head else None


def dumps(records: Iterable[_Part]) -> dict[tuple[int, int], list[_Part]]:
    """Return the records of each dump, the oldest text first, by crash and event.

    A dump whose event and part were there before is one of a later crash.
    """
    found: dict[tuple[int, int], dict[int, _Part]] = {}
    crash: Counter[int] = Counter()
    for record in records:
        if record.number in found.get((crash[record.event], record.event), ()):
            crash[record.event] += 1
        found.setdefault((crash[record.event], record.event), {})[record.number] = record
    return {
        key: [dump[number] for number in sorted(dump, reverse=True)] for key, dump in found.items()
    }


def in_order(data: bytes | FileBytes) -> Iterator[bytes]:
    """Yield the text of all records in the order it was printed; `data` begins with a record."""
    for _, dump in sorted(dumps(_records(data)).items()):
        for record in dump:
            for place in range(record.begin, record.end, _STEP):
                yield data[place : min(place + _STEP, record.end)]
            if data[record.end - 1 : record.end] != b"\n":
                yield b"\n"


def _records(data: bytes | FileBytes) -> Iterator[Record]:
    found = list(islice(_to_the_end(data), _MOST_PARTS))
    for record, following in zip_longest(found, found[1:]):
        yield msgspec.structs.replace(record, end=following.head) if following else record


def _to_the_end(data: bytes | FileBytes) -> Iterator[Record]:
    for piece in pieces(data):
        for head in _HEAD.finditer(piece.text):
            if head.start() or piece.whole:
                yield _record(head, piece.begin, len(data))


def _record(head: re.Match[bytes], at: int, end: int) -> Record:
    name, number = head["dump"].decode(), int(head["part"])
    return Record(name, int(head["event"]), number, at + head.start(), at + head.end(), end)
