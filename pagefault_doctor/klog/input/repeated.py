"""Lines that stand there twice because two consoles, or syslogd's broadcasts, told them.

syslogd writes emergencies to every terminal: `Message from syslogd@HOST at TIME ...:`, then
` kernel:` and the line (rsyslog's omusrmsg, sysklogd's wallmsg).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Final

from pagefault_doctor.klog.input.report_lines import CLOCK
from pagefault_doctor.klog.input.whole_lines import whole_lines
from pagefault_doctor.model.pattern import regex

_SAID: Final = b"Message from syslogd@"
_ANNOUNCED: Final = regex(rb"\s*Message from syslogd@\S{1,80} at .{10,40}\.\.\.:?\s*$")
_TOLD: Final = regex(rb"\s*(?:\S{1,64} )?kernel: ?")
_BEFORE: Final = regex(
    rb"(?:\S[^\[\n]{0,80}?kernel: ?)?" + CLOCK + rb" ?|[A-Z][^\n]{10,60}? kernel: ?"
)
_REMEMBERED: Final = 64
_MOST_LINES: Final = 200
_MOST: Final = 0.9
_DIFFERENT: Final = 3 / 4


def has_broadcasts(head: bytes) -> bool:
    """Whether a text has messages that syslogd sent to a terminal."""
    return _SAID in head


def without_broadcasts(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the lines without broadcasts of lines that stand there anyway; others are lines."""
    seen: deque[bytes] = deque(maxlen=_REMEMBERED)
    announced = False
    for line in whole_lines(pieces):
        if _ANNOUNCED.match(line):
            announced = True
            yield b"\n"
        elif announced and (told := _TOLD.match(line)):
            announced = False
            words = _words(line[told.end() :])
            yield b"\n" if words in seen else line[told.end() :]
        else:
            announced = announced and not line.strip()
            seen.append(_words(line))
            yield line


def is_doubled(head: bytes) -> bool:
    """Whether nearly every line stands there twice, one after the other."""
    lines = [line for line in head.split(b"\n", _MOST_LINES)[:_MOST_LINES] if line.strip()]
    # Of lines that stand there twice, hardly more than half differ.
    if len(set(lines)) > _DIFFERENT * len(lines):
        return False
    runs = [len(list(run)) for _, run in groupby(lines)]
    return len(runs) > 2 and sum(run % 2 == 0 for run in runs) >= _MOST * len(runs)


def once(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield an empty line for the second of each two equal lines."""
    before = b""
    for line in whole_lines(pieces):
        if line == before and line.strip():
            yield b"\n"
            before = b""
        else:
            yield line
            before = line


def _words(line: bytes) -> bytes:
    before = _BEFORE.match(line)
    return line[before.end() if before else 0 :].strip()
