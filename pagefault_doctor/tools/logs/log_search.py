"""Searching a log where it lies, so that only what matters of a large one is brought over."""

from __future__ import annotations

from typing import Final

import msgspec

from pagefault_doctor.hosts.script import script
from pagefault_doctor.model.case import Case, ToolReading
from pagefault_doctor.model.command import Command, Result, ResultStatus
from pagefault_doctor.model.fact import Mark
from pagefault_doctor.model.log import KernelLog
from pagefault_doctor.tools.logs.log_reading import log_reading, parse
from pagefault_doctor.tools.tool import finding

BUDGET: Final = 1_500_000
"""Bytes that are brought over at most, but for the last line."""

_BEFORE: Final = 40
"""Lines wanted before a place: what is torn from its report by other processes' lines."""

_AFTER: Final = 160
"""Lines wanted after a place: the longest of usual reports, lockdep's aside, are shorter."""

_PLACES: Final = 400
"""How many places are looked at: half of them the log's first, half its last."""

_LONGEST: Final = 4000
"""Characters of a line that are brought over."""

_MOST_LINES: Final = 20_000_000
"""Line numbers up to which a log's own are kept; every line left out costs a byte here."""


def search(path: str, tool: str, why: str) -> Command:
    """Return the command that prints a small log whole, and of a large one what matters."""
    # The table of all wordings is not loaded before a log is searched: the wizard starts without.
    from pagefault_doctor.klog.prefilter import needles

    limits = map(str, (BUDGET, _BEFORE, _AFTER, _PLACES, _LONGEST))
    return Command(
        argv=("sh", "-c", script("tools/scripts/log_search.sh"), "search", path, *limits),
        tool=tool,
        why=why,
        stdin="".join(f"{needle.decode()}\n" for needle in needles()),
        output_limit=2 * BUDGET,
        timeout=300,
    )


def searched(result: Result) -> str:
    """Return the path of the log that a `search` is about."""
    return result.command.argv[4]


def text_of(result: Result) -> str:
    """Return the log that was found, each line at its own number, with blanks for what was left."""
    lines: list[str] = []
    for line in result.output.split("\n"):
        if line.startswith(" "):
            lines.append(line[1:])
        elif (number := _number(line)) and len(lines) < number <= _MOST_LINES:
            lines.extend([""] * (number - 1 - len(lines)))
    return "\n".join(lines)


def note_of(result: Result) -> str | None:
    """Return why there may be more in the log than was found, None where there is not."""
    size, left = _end(result.output)
    if size is None or result.status in (ResultStatus.OVERFLOW, ResultStatus.TIMEOUT):
        return "the search broke off, so there may be more in this log"
    if left:
        return f"{left} more places in this log may matter and were not looked at"
    return None


def log_of(result: Result) -> KernelLog:
    """Return the log that was found, whole, with a note where it was not read to its end."""
    log = parse(text_of(result), searched(result))
    size, _ = _end(result.output)
    return msgspec.structs.replace(log, size=size or log.size, note=log.note or note_of(result))


def search_reading(result: Result, case: Case, boot: str) -> ToolReading:
    """Return what is new in the log, with a finding for each report, as `log_reading` does."""
    path = searched(result)
    if not result.said_anything:
        text = f"{path} could not be read"
        return ToolReading(findings=(finding(text, Mark.NEUTRAL, result),))
    reading = log_reading(result, case, source=path, boot=boot, text=text_of(result))
    note = note_of(result)
    if note is None or reading.log is None:
        return reading
    log = msgspec.structs.replace(reading.log, note=reading.log.note or note)
    told = finding(f"{path}: {note}", Mark.NEUTRAL, result)
    return msgspec.structs.replace(reading, findings=(*reading.findings, told), log=log)


def _number(line: str) -> int:
    digits = line[1:]
    return int(digits) if line[:1] == "@" and digits.isdecimal() and len(digits) < 12 else 0


def _end(output: str) -> tuple[int | None, int]:
    """Return the size of the log in bytes, and how many places in it were left out."""
    last = output.rstrip("\n").rpartition("\n")[2].split(" ")
    if len(last) == 3 and last[0] == "@end" and last[1].isdecimal() and last[2].isdecimal():
        return int(last[1][:18]), int(last[2][:18])
    return None, 0
