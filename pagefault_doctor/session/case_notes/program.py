"""A program that died: where in its file, how often, and what to run where it lives."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pagefault_doctor.diagnosis.explanation import decoded
from pagefault_doctor.model.fact import Finding
from pagefault_doctor.model.pattern import regex
from pagefault_doctor.model.report import USER_SIDE, Kind, Report
from pagefault_doctor.session.case_notes.subject import Subject

_NAME: Final = regex(r"[A-Za-z0-9_][\w.+-]{0,60}")
_FIRST_PAGE: Final = 4096
_MOST: Final = 4
"""Programs that are named."""
_BY_MAPPING: Final = (
    "addr2line -fCpe {file} $(printf %#x $(({offset} + $(readelf -lW {file} |"
    " awk '/LOAD/ && / R?E /{{print $3; exit}}') / 4096 * 4096)))"
)
"""The line of a place in the mapping of the code, which lies in the file where readelf says."""


def place(subject: Subject) -> Iterator[Finding]:
    """Yield where it died, the command that names its line, and how to get at its core."""
    report = subject.report
    yield from _access(subject)
    if found := decoded.place_in_object(report, subject.context):
        yield subject.note(f"It died at {found}.", "base")
        yield from _line(subject, found)
    if "exitcode" in report.details:
        text = decoded.exit_code(report, subject.context)
        yield subject.note(f"Its exit code says: {text}.", "exitcode")
    if report.pid is not None and report.kind in (Kind.USER_SEGFAULT, Kind.USER_TRAP):
        text = "If systemd keeps cores on that machine, this has the call stack:"
        yield subject.note(text, "process", "headline")
        yield subject.note(f"coredumpctl info {report.pid}")


def _access(subject: Subject) -> Iterator[Finding]:
    fault = subject.report.fault
    address = fault.address_value if fault else None
    if fault is None or address is None or address >= _FIRST_PAGE:
        return
    what = f"NULL plus {address:#x}, a member of a structure" if address else "NULL"
    how = f"was to {fault.access.value}" if fault.access else "was to use"
    yield subject.note(f"It {how} {what}: a pointer was NULL.", "fault", "headline")


def _line(subject: Subject, found: str) -> Iterator[Finding]:
    details = subject.report.details
    name = details.get("object", "")
    if not _NAME.fullmatch(name):
        return
    if "addr2line" in found:
        command = "addr2line -fCpe" + found.partition("addr2line -fe")[2]
    else:
        offset = int(details["ip"], 16) - int(details["base"], 16)
        if offset < 0:
            return
        command = _BY_MAPPING.format(file=name, offset=hex(offset))
    text = f"Where the very same build of {name} is, with its debug symbols, this names the line:"
    yield subject.note(text, "base")
    yield subject.note(command)


def again(subject: Subject) -> Iterator[Finding]:
    """Yield how often it died and where, and how it is run under valgrind."""
    report = subject.report
    same = [each for each in _died(subject) if each.comm == report.comm]
    places = {_place(each) for each in same}
    if report.comm and len(same) > 1 and None not in places:
        where = "at the same place each time" if len(places) == 1 else f"at {len(places)} places"
        yield subject.note(f"{report.comm} died {len(same)} times in this log, {where}.")
    if report.comm and _NAME.fullmatch(report.comm) and report.kind is Kind.USER_SEGFAULT:
        yield subject.note("On that machine, with the same input, this names the first bad access:")
        yield subject.note(f"valgrind --track-origins=yes {report.comm} ARGUMENTS")


def speaks_of_memory(subject: Subject) -> Iterator[Finding]:
    """Yield what the other deaths in the log say of that machine's memory."""
    died = _died(subject)
    names = list(dict.fromkeys(each.comm for each in died if each.comm))
    places = {(each.comm, _place(each)) for each in died}
    broken = next((each for each in subject.case.reports if each.kind is Kind.HARDWARE), None)
    if broken:
        text = f"The log also has an error of the hardware: {broken.headline}."
        yield subject.note(text, line=broken.line_of("headline"))
    if len(names) > 1:
        told = ", ".join(names[:_MOST]) + (" ..." if len(names) > _MOST else "")
        text = f"{len(names)} programs died in this log ({told}): what they share may be at fault,"
        yield subject.note(f"{text} a library or the memory of that machine. To test it there:")
        yield subject.note("sudo memtester 256M 1")
    elif len(died) > 1 and len(places) == 1 and None not in {_place(each) for each in died}:
        text = f"{names[0] if names else 'It'} died {len(died)} times at one place, and nothing"
        yield subject.note(f"{text} else did: that speaks for the program, against bad memory.")


def _died(subject: Subject) -> list[Report]:
    kinds = USER_SIDE - {Kind.OOM_KILL}
    return [report for report in subject.case.reports if report.kind in kinds]


def _place(report: Report) -> tuple[str, int] | None:
    """Return where in its file a program died, the same for each run of one build."""
    details = report.details
    try:
        offset = int(details["ip"], 16) - int(details["base"], 16)
    except (KeyError, ValueError):
        return None
    return details.get("object", ""), offset


def survives(subject: Subject) -> Iterator[Finding]:
    """Yield what has to be seen for the program to count as mended."""
    report, name = subject.report, subject.report.comm or "the program"
    text = f"With the same input, {name} must run without a word of valgrind or of"
    text += " -fsanitize=address"
    if report.kind is Kind.USER_TRAP:
        text = f"With the same input, {name} must come to its end on that very processor"
    yield subject.note(f"{text}.", "headline")
