"""Logs that a collector exported: objects of JSON, in any layout, and tables (RFC 4180).

Docker's json-file, Elasticsearch, Loki, Splunk and cloud consoles name the field of the line
differently; what else they know of it is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from pagefault_doctor.klog.input.whole_lines import whole_lines
from pagefault_doctor.model.pattern import regex

_NAMES: Final = (
    "message|msg|log|text|line|textpayload|_raw|body|content|entry|event|data|value|dmesg"
)
_OPENS: Final = rb'(?i:"(?:' + _NAMES.encode() + rb')")\s{0,8}:\s{0,8}"'
_OPEN: Final = regex(_OPENS)
_FIELD: Final = regex(_OPENS[:-1] + rb'("[^"\\\n]*+(?:\\.[^"\\\n]*+)*+")')
_NAMED: Final = frozenset(_NAMES.split("|"))
_FEWEST: Final = 3
_DELIMITERS: Final = (b",", b";", b"\t", b"|")


def is_json(head: bytes) -> bool:
    """Whether a text is JSON whose objects have lines of a log."""
    begins = head.lstrip().startswith((b"{", b"[{", b"[ {", b"[\n", b"[\r"))
    return begins and _OPEN.search(head) is not None


def from_json(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the lines that stand in the fields, in order."""
    for line in whole_lines(pieces):
        for field in _FIELD.finditer(line):
            try:
                text = msgspec.json.decode(field[1], type=str)
            except (msgspec.DecodeError, ValueError):
                text = field[1][1:-1].decode("utf-8", "replace")
            yield text.rstrip("\r\n").encode("utf-8", "replace") + b"\n"


def delimiter_of(head: bytes) -> tuple[str, int] | None:
    """Return what separates the columns of a table, and the column with the lines; else None."""
    first, newline, _ = head.partition(b"\n")
    if not newline or len(first) > 1000 or head.count(b"\n") < _FEWEST:
        return None
    for delimiter in _DELIMITERS:
        names = [name.strip(b' "\r').lower() for name in first.split(delimiter)]
        column = next((n for n, x in enumerate(names) if x.decode("latin-1") in _NAMED), None)
        if len(names) > 1 and column is not None:
            return delimiter.decode(), column
    return None


def from_table(pieces: Iterable[bytes], delimiter: str, column: int) -> Iterator[bytes]:
    """Yield the lines that stand in a column; a row that is none is one as it stands."""
    import csv

    lines = (line.decode("utf-8", "replace") for line in whole_lines(pieces))
    rows = csv.reader(lines, delimiter=delimiter)
    while True:
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error:
            # A field longer than the reader takes.
            continue
        text = row[column] if len(row) > column else delimiter.join(row)
        yield text.encode("utf-8", "replace") + b"\n"
