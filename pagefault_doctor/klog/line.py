"""What stands before the kernel's own words in a line: time, host, caller, level, colour.

printk writes `<N>[   12.345678][ T123] text` (`kernel/printk/printk.c`, print_prefix); dmesg,
journalctl, syslog and a serial console each put something of their own around it.
"""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec

from pagefault_doctor.model.pattern import regex
from pagefault_doctor.model.untrusted import clean_line

_ANSI: Final = regex(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")

_KERNEL: Final = r"(?:kernel|user-kernel|klogd)(?:\[\d+\])?: ?"
_SYSLOG: Final = regex(
    r"(?:<\d{1,3}>(?:1 )?)?"
    r"(?P<wall>(?:[^\W\d]{2,4}\.? +)?(?:\d{4} )?[^\W\d]{3,9}\.? +\d{1,2} (?:\d{4} )?"
    r"\d\d:\d\d:\d\d(?:[.,]\d+)?(?: \d{4})?"
    r"|(?:[^\W\d]{2,4}\.? )?\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?"
    r"(?: ?(?:Z|[+-]\d\d(?::?\d\d)?|[A-Z]{2,5}))?|\d{9,11}\.\d{6})"
    r" (?:\S+ )??(?:[a-z]\w*\.[a-z]+ )?" + _KERNEL
)
"""syslog, RFC 3164 and what journalctl (`systemd/src/shared/logs-show.c`), rsyslog and busybox
make of it."""
_RFC_5424: Final = regex(
    r"(?:<\d{1,3}>)?1 (?P<wall>\d{4}-\S+|-) \S+ (?:kernel|klogd) \S+ \S+ "
    r"(?:-|(?:\[(?:[^\]\\\"]|\"(?:[^\"\\]|\\.)*\"|\\.)*\])+) ?\ufeff?"
)
_DMESG_WALL: Final = regex(
    r"\[(?P<wall>[^\W\d]{2,9}\.? +[^\W\d]{3,9}\.? +\d{1,2} \d\d:\d\d:\d\d \d{4})\] ?"
)
_ISO_WALL: Final = regex(
    r"(?P<wall>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:[.,]\d+Z|,\d+[+-]\d\d:?\d\d"
    r"|\.\d+[+-]\d\d:?\d\d(?! \S+ [\w./@()-]+(?:\[\d+\])?: ))) "
)
"""Not of the form in which syslog goes on with a host and another program."""
_RELATIVE: Final = regex(
    r"\[(?: *\+\d+[.,]\d+|[^\W\d]{3,5}\.? ?\d{1,2} ?\d\d:\d\d| *<[ \d.+-]{3,20}>)\] ?"
)
_BEFORE: Final = regex(
    r"(?:\*\* (?P<dropped>\d{1,9}) printk messages dropped \*\* ?"
    r"|kern +:[a-z]+ *: ?|(?:user-)?kernel: "
    r"|[\d-]{5,10} \d\d:\d\d:\d\d\.\d{3} [ \d]{0,24}[VDIWEF] KERNEL {0,9}: "
    r"|\(XEN\) ?(?:\[[^\]]{10,30}\] ?)?)"
)
_PROMPT: Final = regex(r".{0,80}?\blogin: ")
_BEGINS: Final = r"(?=(?:<\d{1,3}>)?\[ *\d{1,9}\.\d{6}[\] ])"
_AROUND: Final = regex(
    r"(?:[>|] )+|>+ ?$|>+ ?" + _BEGINS + r"|-- Boot (?P<boot>[0-9a-f]{32}) -- (?=.)"
)
"""How mail, Markdown and frames quote a line; and the boot of an entry of the journal."""
_BY_OTHERS: Final = regex(
    r"(?:\s*\d{1,9}[:\t ] *|\s+|[^:\[\]]{1,30}(?=\[ *\d{1,6}\.\d{6}\] )"
    r"|(?P<wall>\[?\d[\d:., T/+-]{6,40}Z?|[A-Z][a-z]{2} +\d+ \d\d:\d\d:\d\d)\]?"
    r" +(?:std(?:out|err) [FP] |[\d ]*[VDIWEF] KERNEL +: )?)" + _BEGINS
)
"""What a terminal, a build farm, `ts`, `grep -n`, an editor or a mail puts before the clock, or
a console is left with."""
# The kernel counts nanoseconds in 64 bits, so seconds have up to 11 digits.
_CLOCK: Final = regex(
    r"(?:<\d{1,3}>)?\[ *(?P<time>\d{1,11}\.\d{1,9})(?: <[ \d.]{3,20}>)?\]"
    r"(?:\[ *(?P<caller>[CT] *\d+)\]| \((?P<cpu>\d+)\))? ?"
)
_OF_VENDORS: Final = regex(
    r"(?:\(\d{1,2}\))?\[ *(?P<task>\d{1,7}) *: *[^\]\[:\d][^\]\[:]{0,31}(?::\d{1,3})?\] ?"
    r"|\[ *\d{1,2} *: *[^\]\[\d][^\]\[]{0,31}: *(?P<other>\d{1,7}) *\] ?"
)
"""The task that MediaTek's kernels print in each line, with the CPU before, and Samsung's."""
_VENDOR_SIGN: Final = regex(r"\] ?(?:\(\d{1,2}\))?\[ *\d{1,7} *: *[^\]\[\d\n][^\]\[\n]{0,40}\]")
_FIRST: Final = ("[", "(", "<", ">", "|", "*", "-", *"0123456789")
_LAST: Final = (" ", "^M")
_SIGNS: Final = ("kern", "KERNEL", "klogd", "login: ")
"""What a line begins with, ends with or holds, if there is anything around the kernel's words."""
_HOST: Final = regex(r"\S+ (?:user-)?kernel(?:\[\d+\])?: ")
"""The host and the program, which `journalctl -o short-monotonic` puts behind the clock."""
_OPENINGS: Final = (
    _AROUND, _SYSLOG, _RFC_5424, _BEFORE, _DMESG_WALL, _RELATIVE, _BY_OTHERS, _ISO_WALL
)  # fmt: skip
_NOTHING: Final[dict[str, str]] = {}
_END: Final = " \t\r\n\0"
_LONGEST: Final = 1200
"""Characters of a line that are read: printk writes at most 1024 (`LOG_LINE_MAX`) and a prefix."""
_EBCDIC: Final = regex(r"\xa2([^\xa2!]{1,60})!")
"""Brackets, as what takes a mainframe's console for another code page shows them."""
_LEVEL: Final = regex(r"<\d{1,3}>(?=[^\d])")
_FRAME: Final = (
    r" {0,9}+(\? )?+([A-Za-z_$][\w$.]*+)\+0x([0-9a-f]{1,16}+)/0x([0-9a-f]{1,16}+)"
    r"(?: \[(\d*+[A-Za-z][\w-]*+)\])?+$"
)
_ONLY_FRAME: Final = regex(_FRAME, re.ASCII)
_LINES: Final = regex(
    r"^(\[ *+(\d{1,11}+\.\d{1,9}+)\](?:\[ *+([CT] *+\d++)\]|(?! \(\d)) ?+"
    rf"({_FRAME}|[ -~]{{0,1000}}+$)|.*$)",
    re.ASCII | re.MULTILINE,
)
"""Lines, and of those which are as most are (the kernel's clock, the caller perhaps, and a frame or
other harmless text) the parts."""


class LogLine(msgspec.Struct, frozen=True):
    """One line of a log without its prefix.

    `number` counts from 1. `text` is harmless. `timestamp` is seconds since boot, `wall` the time
    of day as printed, `caller` the task (`T123`) or CPU (`C1`) that CONFIG_PRINTK_CALLER prints.
    `dropped` counts the messages that printk lost before this line. `boot` is the id of
    the boot that the line is the first one of, where the journal has it.

    `frame` is there if the line is one of a call trace as most are (`lib/vsprintf.c`, %pB): the
    mark of doubt, function, offset, size and module as printed. `stack.frame_of` knows the others.
    """

    number: int
    text: str
    timestamp: float | None = None
    wall: str | None = None
    caller: str | None = None
    dropped: int = 0
    boot: str | None = None
    frame: tuple[str | Any, ...] | None = None

    @property
    def context(self) -> str:
        """What lines of one report have in common: the caller, else whether there is a time."""
        return self.caller or ("" if self.timestamp is None else "console")


def split(raw: str, number: int = 0) -> LogLine:
    """Return the line behind its prefixes, with what stands in them. Never raises."""
    return lines_of(raw, number)[0]


def lines_of(text: str, number: int) -> list[LogLine]:
    """Return the lines of a text without prefixes, the first with that number. Never raises."""
    lines: list[LogLine] = []
    odd = "kernel: " in text or "^M" in text or " \n" in text or text.endswith(" ")
    vendor = _VENDOR_SIGN.search(text) is not None
    # A loop in C finds the parts of all lines: this is run for every line of a report.
    for raw, time, caller, rest, doubt, function, offset, size, module in _LINES.findall(text):
        strange = odd and ("kernel: " in rest or rest.endswith(_LAST))
        if not time or strange or (vendor and rest.startswith("[")):
            line = _bare_words(raw, number) or thorough(raw, number)
        else:
            frame = (doubt or None, function, offset, size, module or None) if function else None
            caller = caller.replace(" ", "") if caller else None
            line = LogLine(number, rest, float(time), None, caller, 0, None, frame)
        lines.append(line)
        number += 1
    return lines


def _bare_words(raw: str, number: int) -> LogLine | None:
    """Return what `thorough` does for a line that has nothing before it, None for any other."""
    if not raw.isascii() or not raw.isprintable() or len(raw) > _LONGEST:
        return None
    if raw.startswith(_FIRST) or raw.endswith(_LAST) or any(sign in raw for sign in _SIGNS):
        return None
    # A clock may stand anywhere behind what others print.
    if "." in raw and "[" in raw:
        return None
    return LogLine(number, raw, None, None, None, 0, None, parts_of_frame(raw))


def parts_of_frame(text: str) -> tuple[str | Any, ...] | None:
    """Return the `frame` of a line without prefixes, None where it is none."""
    if "+0x" not in text or (frame := _ONLY_FRAME.match(text)) is None:
        return None
    return frame.groups()


def thorough(raw: str, number: int = 0) -> LogLine:
    """Return the line behind its prefixes, whatever they are."""
    text = raw.rstrip(_END)
    if "\xa2" in text:
        text = _EBCDIC.sub(r"[\1]", text)
    if len(text) > _LONGEST or not text.isprintable() or text.endswith("^M"):
        text = _bare(text)
    # Most lines begin with the kernel's clock and have nothing before it.
    clock = _CLOCK.match(text) if text.startswith("[") else None
    place, fields = (0, _NOTHING) if clock else _opening(text)
    clock = clock or _CLOCK.match(text, place)
    if clock is None:
        level = _LEVEL.match(text, place)
        place = level.end() if level else place
        time = caller = None
    else:
        place, time, caller = clock.end(), float(clock["time"]), clock["caller"]
        if "kernel: " in text and (who := _HOST.match(text, place)):
            place = who.end()
        if task := _OF_VENDORS.match(text, place):
            place, caller = task.end(), caller or f"T{task['task'] or task['other']}"
    words = clean_line(text[place:])
    return LogLine(
        number,
        words,
        time,
        fields.get("wall"),
        caller.replace(" ", "") if caller else None,
        int(fields.get("dropped", 0)),
        fields.get("boot"),
        parts_of_frame(words),
    )


def _bare(text: str) -> str:
    """Return the line without what a terminal made of it, and not longer than it should be.

    A crash leaves zeros before the line that is written next.
    """
    text = text.lstrip("\0")
    if len(text) > _LONGEST and "Modules linked in:" not in text:
        text = text[:_LONGEST]
    if "\x1b" in text:
        text = _ANSI.sub("", text).rstrip(_END)
    if text.endswith("^M"):
        text = text[:-2].rstrip(_END)
    if "\r" in text:
        text = text.rpartition("\r")[2].lstrip("\0")
    return text


def _opening(text: str) -> tuple[int, dict[str, str]]:
    """Return where what others put before the kernel's line ends, and its fields."""
    place = 0
    fields: dict[str, str] = {}
    if "login: " in text and (prompt := _PROMPT.match(text)):
        place = prompt.end()
    for pattern in _OPENINGS:
        if match := pattern.match(text, place):
            place = match.end()
            fields |= {name: value for name, value in match.groupdict().items() if value}
            if text.startswith("[ ", place):
                break
    return place, fields
