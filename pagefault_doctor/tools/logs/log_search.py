"""Search a large log on its machine, and transfer only the parts with reports."""

from __future__ import annotations

from typing import Final

import msgspec

from pagefault_doctor.hosts.script import shell_argv
from pagefault_doctor.model.case import Case, ToolReading
from pagefault_doctor.model.command import Command, Result, ResultStatus
from pagefault_doctor.model.fact import Mark
from pagefault_doctor.model.log import KernelLog
from pagefault_doctor.tools.logs.log_reading import log_reading, parse
from pagefault_doctor.tools.tool import finding, remark

MAX_BYTES: Final = 1_500_000
"""Bytes transferred at most, except for the end of the last line."""

_LINES_BEFORE: Final = 40
"""Lines before a match: lines of other processes may separate a report from its start."""

_LINES_AFTER: Final = 160
"""Lines after a match: except for lockdep's, reports are shorter than this."""

_MAX_MATCHES: Final = 400
"""Matches that are transferred: the first half of them and the last half."""

_MAX_LINE_CHARS: Final = 4000
"""Characters transferred of a line."""

_MAX_LINES: Final = 20_000_000
"""Line numbers up to this one are kept: every skipped line becomes an empty line."""


def search(path: str, tool: str, why: str) -> Command:
    """Return the command that prints a small log, and the parts that matter of a large one."""
    # The table of all wordings is not loaded before a log is searched: the wizard starts without.
    from pagefault_doctor.klog.prefilter import needles

    limits = map(str, (MAX_BYTES, _LINES_BEFORE, _LINES_AFTER, _MAX_MATCHES, _MAX_LINE_CHARS))
    return Command(
        argv=(*shell_argv("tools/scripts/log_search.sh", name="search"), path, *limits),
        tool=tool,
        why=why,
        stdin="".join(f"{needle.decode()}\n" for needle in needles()),
        output_limit=2 * MAX_BYTES,
        timeout=300,
    )


def searched_path(result: Result) -> str:
    """Return the path of the log that a `search` command read."""
    return result.command.argv[4]


def text_of(result: Result) -> str:
    """Return the text that was found, each line at its number in the log; others are empty."""
    lines: list[str] = []
    for line in result.output.split("\n"):
        if line.startswith(" "):
            lines.append(line[1:])
        elif (number := _start_line(line)) and len(lines) < number <= _MAX_LINES:
            lines.extend([""] * (number - 1 - len(lines)))
    return "\n".join(lines)


def note_of(result: Result) -> str | None:
    """Return a note if the log may have more than was found, else None."""
    size, skipped = _end(result.output)
    if size is None or result.status in (ResultStatus.OVERFLOW, ResultStatus.TIMEOUT):
        return "the search broke off, so there may be more in this log"
    if skipped:
        return f"{skipped} more places in this log may matter and were not looked at"
    return None


def log_of(result: Result) -> KernelLog:
    """Return the log that was found, with a note if it was not read to its end."""
    log = parse(text_of(result), searched_path(result))
    size, _ = _end(result.output)
    return msgspec.structs.replace(log, size=size or log.size, note=log.note or note_of(result))


def search_reading(result: Result, case: Case, boot: str) -> ToolReading:
    """Return what is new in a searched log, with a finding for each report."""
    path = searched_path(result)
    if not result.said_anything:
        return remark(f"{path} could not be read", result)
    reading = log_reading(result, case, source=path, boot=boot, text=text_of(result))
    note = note_of(result)
    if note is None or reading.log is None:
        return reading
    log = msgspec.structs.replace(reading.log, note=reading.log.note or note)
    note_finding = finding(f"{path}: {note}", Mark.NEUTRAL, result)
    return msgspec.structs.replace(reading, findings=(*reading.findings, note_finding), log=log)


def _start_line(line: str) -> int:
    digits = line[1:]
    return int(digits) if line[:1] == "@" and digits.isdecimal() and len(digits) < 12 else 0


def _end(output: str) -> tuple[int | None, int]:
    """Return the size of the log in bytes, and the number of matches that were skipped."""
    last = output.rstrip("\n").rpartition("\n")[2].split(" ")
    if len(last) == 3 and last[0] == "@end" and last[1].isdecimal() and last[2].isdecimal():
        return int(last[1][:18]), int(last[2][:18])
    return None, 0
