"""Lines that sound like trouble, of a log in which no report was found.

Most of them are known and harmless. Which, the book of known cases says; here they are only found.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

from pagefault_doctor.klog.input.input_file import FileBytes
from pagefault_doctor.klog.line import split
from pagefault_doctor.klog.starts import is_of_other_program
from pagefault_doctor.klog.text import LONGEST
from pagefault_doctor.model.fence import fenced
from pagefault_doctor.model.log import ScaryLine

WORDS: Final = (
    b"error", b"fail", b"warn", b"bug", b"taint", b"unable", b"cannot", b"denied", b"invalid",
    b"stable", b"timeout", b"hrottl", b"corrupt", b"broken", b"spurious", b"vulnerab",
    b"spectre", b"split", b"unknown", b"missing", b"conflict", b"reset", b"overflow", b"refus",
    b"reject", b"undefined", b"undeclared", b"implicit", b"nobody", b"deprecat", b"isagree",
    b"unpatched", b"microcode", b"locked", b"hung", b"stall", b"ignor", b"mismatch", b"recover",
    b"incompatible", b"unexpected", b"abort", b"unsupported", b"disab", b"should", b"must",
    b"restrict", b"duplicate", b"skip", b"sanity", b"problem", b"bypass", b"funky", b"can't",
    b"couldn't", b"inconsistent", b"hogged", b"uninitialized", b"backlog", b"suppress", b"slow",
    b"incomplete", b"malformed", b"flooding", b"lost", b"null", b"assuming", b"caching",
    b"unclean", b"dirty", b"leak", b"fatal", b"panic", b"hang", b"wrong", b"obsolete",
    b"too long", b"took ", b"timed out", b"bad ", b"not found", b"no such", b"out of ",
    b"out-of", b"too many", b"too few", b"no member", b"tried to", b"not support", b"no support",
    b"above threshold", b"could not", b"can not", b"does not", b"will not", b"not be",
    b"no longer", b"falling back", b"is full", b"full,", b"executable stack", b"no ecc",
    b"read-only", b"if necessary", b"emergency", b"watchdog", b"softdog", b"never came",
    b"no codec", b"no suitable", b"no phy",
)  # fmt: skip
"""Words, without capitals, of which such a line holds one."""
MOST: Final = 300
"""Lines that are kept; those that differ only in numbers count as one."""
_BYTES: Final = 1 << 22
"""How much of a log, at its end, is looked at."""
_TEXT: Final = 400
_DIGITS: Final = b"0123456789"


def scary_lines(data: bytes | FileBytes, lines: int) -> tuple[ScaryLine, ...]:
    """Return the lines of a log, of so many lines, that sound like trouble; never raises."""
    return fenced(lambda _: (), _scary_lines, data, lines)


def _scary_lines(data: bytes | FileBytes, lines: int) -> tuple[ScaryLine, ...]:
    text = data[max(0, len(data) - _BYTES) :].removesuffix(b"\n")
    if len(data) > _BYTES:
        text = text.partition(b"\n")[2]
    rows = text.split(b"\n")
    shapes = text.translate(None, _DIGITS).split(b"\n")
    counts = Counter(shapes)
    wanted = {shape for shape in counts if _is_scary(shape)}
    found: list[ScaryLine] = []
    for index, shape in enumerate(shapes):
        if shape not in wanted:
            continue
        wanted.discard(shape)
        number = max(1, lines - len(rows) + index + 1)
        line = split(rows[index][:LONGEST].decode("utf-8", "replace"), number)
        if not is_of_other_program(line.text):
            found.append(ScaryLine(number, line.text[:_TEXT], counts[shape]))
        if len(found) == MOST or not wanted:
            break
    return tuple(found)


def _is_scary(shape: bytes) -> bool:
    shape = shape.lower()
    return any(map(shape.__contains__, WORDS))
