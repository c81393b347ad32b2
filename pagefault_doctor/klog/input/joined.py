"""Reports whose lines were joined to one: by a form that knows no newlines, or that escapes them.

rsyslog writes a newline as `#012` (`$EscapeControlCharactersOnReceive`), JSON and shells as `\\n`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from pagefault_doctor.klog.input.report_lines import AT_CLOCKS, AT_DATES, BETWEEN, STAMP
from pagefault_doctor.klog.input.whole_lines import whole_lines
from pagefault_doctor.model.pattern import regex

_LONG: Final = 160
"""Characters of a line from which on it is looked into; few of the kernel's are longer."""
_LONGEST: Final = 1 << 18
_BEGINNING: Final = 16
_FEWEST: Final = 3
"""Lines that a line has to hold."""
_STAMP: Final = regex(STAMP)
_ESCAPES: Final = (b"\\r\\n", b"\\n", b"#012")


def is_joined(head: bytes) -> bool:
    """Whether a text has lines that hold several of a report."""
    return any(len(_apart(line)) >= _FEWEST for line in head.split(b"\n") if len(line) > _LONG)


def apart(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the text with a newline between lines that were joined."""
    for line in whole_lines(pieces):
        yield b"\n".join(_apart(line))


def _apart(line: bytes) -> list[bytes]:
    """Return the lines that a line holds; itself where it is no such line."""
    if not _LONG < len(line) < _LONGEST:
        return [line]
    escape = next((escape for escape in _ESCAPES if line.count(escape) >= _FEWEST), None)
    if escape:
        return line.split(escape)
    if stamp := _STAMP.search(line):
        if not _STAMP.search(line, stamp.end()):
            return [line]
        ways = (AT_DATES.split(line), AT_CLOCKS.split(line))
        return next((lines for lines in ways if len(lines) >= _FEWEST), [line])
    lines = BETWEEN.split(line)
    # Lines of a report begin differently.
    return lines if len({part[:_BEGINNING] for part in lines}) >= _FEWEST else [line]
