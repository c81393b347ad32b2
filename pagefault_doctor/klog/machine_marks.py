"""By what a log names its machine: host, hardware, command line of the kernel, id of the boot.

The host stands in the prefix of syslog and the journal; `Hardware name:` is in each report
(`lib/dump_stack.c`), `DMI:` (`drivers/firmware/dmi_scan.c`) and `Command line:` (`init/main.c`,
`arch/x86/kernel/setup.c`) are printed at boot, and `-- Boot ID --` is journalctl's.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final

from pagefault_doctor.klog.boots import Boot
from pagefault_doctor.klog.text import Lines
from pagefault_doctor.model.fence import fenced
from pagefault_doctor.model.log import MachineMark
from pagefault_doctor.model.pattern import regex
from pagefault_doctor.model.report import Report
from pagefault_doctor.model.untrusted import clean_line

_SEARCHED: Final = 8 << 20
"""Bytes from the start of a log in which the lines of a boot are looked for."""
_MOST_PLACES: Final = 32
"""Places of one kind, and reports, that are looked at."""
_LONGEST_LINE: Final = 1024
_SAID_AT_BOOT: Final = (
    (b"DMI: ", "hardware", regex(r"DMI: (?P<text>.+?)(?:, BIOS .*)?$")),
    (b"ommand line: ", "command-line", regex(r"(?:Kernel )?(?P<text>[Cc]ommand line: \S.*)$")),
    (b"-- Boot ", "boot-id", regex(r"(?P<text>-- Boot [0-9a-f]{32} --)")),
)
"""What to search for, what it tells, and the line without its prefix."""
_BIOS: Final = regex(r", BIOS .*$")
_HOST: Final = regex(
    r"(?:^|[ \]]) ?(?P<host>(?=[\d.-]*[A-Za-z]|(?:\d+\.){3}\d)[A-Za-z0-9][\w.-]{0,252})"
    r" (?:[a-z]\w*\.[a-z]+ )?(?:user-)?kernel(?:\[\d+\])?: "
    r"|^(?:<\d{1,3}>)?1 \S+ (?P<rfc5424>[A-Za-z0-9][\w.-]{0,252}) kernel "
)


def machine_marks(
    reports: Sequence[Report], starts: Sequence[int], boots: Sequence[Boot], lines: Lines
) -> tuple[MachineMark, ...]:
    """Return the marks in the order of their lines, each once a boot.

    `starts` are the places of the reports in the log.
    """
    return fenced(lambda _: (), _machine_marks, reports, starts, boots, lines)


def _machine_marks(
    reports: Sequence[Report], starts: Sequence[int], boots: Sequence[Boot], lines: Lines
) -> tuple[MachineMark, ...]:
    found = (*_of_reports(reports, starts, lines), *_of_boots(boots, lines))
    ordered = sorted(found, key=lambda mark: mark.line)
    return tuple({(mark.what, mark.text, mark.boot): mark for mark in reversed(ordered)}.values())[
        ::-1
    ]


def _of_reports(
    reports: Sequence[Report], starts: Sequence[int], lines: Lines
) -> Iterator[MachineMark]:
    for report, start in islice(zip(reports, starts, strict=True), _MOST_PLACES):
        first = report.span.first_line
        if report.hardware:
            says = (line.number for line in report.excerpt if report.hardware in line.text)
            name = _BIOS.sub("", report.hardware)
            yield MachineMark("hardware", name, next(says, first), report.boot)
        raw = lines.data[start : start + _LONGEST_LINE].partition(b"\n")[0]
        if match := _HOST.search(raw.decode("utf-8", "replace")):
            host = match["host"] or match["rfc5424"]
            yield MachineMark("hostname", f"hostname: {clean_line(host)}", first, report.boot)


def _of_boots(boots: Sequence[Boot], lines: Lines) -> Iterator[MachineMark]:
    begins = [boot.line for boot in boots]
    for needle, what, pattern in _SAID_AT_BOOT:
        place, counted, number = -1, 0, 1
        for _ in range(_MOST_PLACES):
            place = lines.data.find(needle, place + 1, _SEARCHED)
            if place < 0:
                break
            start = lines.start_of(place)
            number += lines.data[counted:start].count(b"\n")
            counted = start
            line, _ = lines.at(start, number)
            if match := pattern.match(line.text):
                boot = max(0, bisect_right(begins, number) - 1)
                yield MachineMark(what, match["text"].strip(), number, boot)
