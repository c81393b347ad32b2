"""What stands before the kernel's own words in a line: time, host, caller, level, colour.

printk writes `<N>[   12.345678][ T123] text` (`kernel/printk/printk.c`, print_prefix); dmesg,
journalctl, syslog and a serial console each put something of their own around it.
"""

from __future__ import annotations

from typing import Final

import msgspec

from pagefault_doctor.model.pattern import regex
from pagefault_doctor.model.untrusted import clean_line

_ANSI: Final = regex(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")

_SYSLOG: Final = regex(
    r"(?:<\d{1,3}>(?:1 )?)?"
    r"(?P<wall>(?:\d{4} )?[^\W\d]{3,9}\.? +\d{1,2} (?:\d{4} )?\d\d:\d\d:\d\d(?:[.,]\d+)?(?: \d{4})?"
    r"|\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?: ?(?:Z|[+-]\d\d:?\d\d|UTC))?)"
    r" (?:\S+ )??(?:kernel|user-kernel|klogd)(?:\[\d+\])?: ?"
)
_DMESG_WALL: Final = regex(
    r"\[(?P<wall>[^\W\d]{2,9}\.? +[^\W\d]{3,9}\.? +\d{1,2} \d\d:\d\d:\d\d \d{4})\] ?"
)
_ISO_WALL: Final = regex(
    r"(?P<wall>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:[.,]\d+Z|,\d+[+-]\d\d:?\d\d"
    r"|\.\d+[+-]\d\d:?\d\d(?! \S+ [\w./@()-]+(?:\[\d+\])?: ))) (?=\S)"
)
"""Not of the form in which syslog goes on with a host and another program."""
_RELATIVE: Final = regex(r"\[(?: *\+\d+[.,]\d+|[^\W\d]{3,5}\.? ?\d{1,2} ?\d\d:\d\d)\] ?")
_BEFORE: Final = regex(
    r"(?:\*\* (?P<dropped>\d{1,9}) printk messages dropped \*\* ?"
    r"|kern +:[a-z]+ *: ?|.{0,80}?\blogin: )"
)
_CLOCK: Final = regex(
    r"(?:<\d{1,3}>)?\[ *(?P<time>\d+\.\d+)\](?:\[ *(?P<caller>[CT] *\d+)\]| \((?P<cpu>\d+)\))? ?"
)
_PLAIN: Final = regex(
    r"\[ *(?P<time>\d+\.\d+)\](?:\[ *(?P<caller>[CT] *\d+)\]|(?! \(\d))"
    r" ?(?P<text>(?:[ -~]{0,1000}[!-~])?)"
)
"""A line as most are: the kernel's clock, the caller perhaps, and harmless text."""
_FIRST: Final = ("[", "<", ">", "*", "-", *"0123456789")
_LAST: Final = (" ", "^M")
_SIGNS: Final = ("kern", "KERNEL", "klogd", "login: ")
"""What a line begins with, ends with or holds, if there is anything around the kernel's words."""
_LONGEST: Final = 1200
"""Characters of a line that are read: printk writes at most 1024 (`LOG_LINE_MAX`) and a prefix."""
_LEVEL: Final = regex(r"<\d{1,3}>(?=[^\d])")


class LogLine(msgspec.Struct, frozen=True):
    """One line of a log without its prefix.

    `number` counts from 1. `text` is harmless. `timestamp` is seconds since boot, `wall` the time
    of day as printed, `caller` the task (`T123`) or CPU (`C1`) that CONFIG_PRINTK_CALLER prints.
    `dropped` counts the messages that printk says it lost before this line.
    """

    number: int
    text: str
    timestamp: float | None = None
    wall: str | None = None
    caller: str | None = None
    dropped: int = 0

    @property
    def context(self) -> str:
        """What lines of one report have in common: the caller, else whether there is a time."""
        return self.caller or ("" if self.timestamp is None else "console")


def split(raw: str, number: int = 0) -> LogLine:
    """Return the line behind its prefixes, and what they said. Never raises."""
    return quick(raw, number) or thorough(raw, number)


def quick(raw: str, number: int = 0) -> LogLine | None:
    """Return what `thorough` does for a line as most are, and None for any other."""
    if plain := _PLAIN.fullmatch(raw):
        time, caller, text = plain.groups()
        if "kernel: " in text or text.endswith("^M"):
            return None
        return LogLine(number, text, float(time), None, caller and caller.replace(" ", ""))
    if not raw.isascii() or not raw.isprintable() or len(raw) > _LONGEST:
        return None
    if raw.startswith(_FIRST) or raw.endswith(_LAST) or any(sign in raw for sign in _SIGNS):
        return None
    # A clock may stand anywhere behind what others print.
    return None if "." in raw and "[" in raw else LogLine(number, raw)


def thorough(raw: str, number: int = 0) -> LogLine:
    """Return the line behind its prefixes, whatever they are."""
    text = raw.rstrip("\r\n")
    if len(text) > _LONGEST and "Modules linked in:" not in text:
        text = text[:_LONGEST]
    if "\x1b" in text:
        text = _ANSI.sub("", text)
    text = text.rpartition("\r")[2] if "\r" in text else text
    wall: str | None = None
    dropped = 0
    place = 0
    clock = _CLOCK.match(text)
    if clock is None:
        for pattern in (_SYSLOG, _DMESG_WALL, _RELATIVE, _BEFORE):
            if match := pattern.match(text, place):
                place = match.end()
                found = match.groupdict()
                wall = found.get("wall") or wall
                dropped = int(found.get("dropped") or 0) or dropped
        clock = _CLOCK.match(text, place)
    if clock is None and wall is None and (iso := _ISO_WALL.match(text)):
        wall, place = iso["wall"], iso.end()
        clock = _CLOCK.match(text, place)
    if clock is None:
        level = _LEVEL.match(text, place)
        said = clean_line(text[level.end() if level else place :])
        return LogLine(number, said, None, wall, None, dropped)
    caller = clock["caller"]
    return LogLine(
        number,
        clean_line(text[clock.end() :]),
        float(clock["time"]),
        wall,
        caller.replace(" ", "") if caller else None,
        dropped,
    )
