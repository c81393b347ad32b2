"""A part that is broken: which one, what to do about it, and what tests it on that machine."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pagefault_doctor.model.diagnosis import Quote
from pagefault_doctor.model.fact import Finding
from pagefault_doctor.model.pattern import regex
from pagefault_doctor.model.repeats import repeats
from pagefault_doctor.model.report import Kind
from pagefault_doctor.session.case_notes.subject import Subject

_DISK: Final = regex(r"\bdev (?:name )?(sd[a-z]{1,3}|nvme\d{1,3}n\d{1,3}|mmcblk\d{1,3})\b")
_MEMORY: Final = ("label", "mc_address", "memory_place")
"""Details of a report that name a memory module."""
_BANK: Final = "bank"


def part(subject: Subject) -> Iterator[Finding]:
    """Yield which part the log blames, and what to do on that machine."""
    report = subject.report
    told = next((quote for quote in subject.diagnosis.facts if quote.means), None)
    said = told or Quote(report.message, report.line_of("headline"))
    step = subject.diagnosis.next_step
    words = report.message if step and said.means and said.means in step.why else said.words
    yield subject.note(f"No module is suspected, but the hardware: {words}.", line=said.line)
    if step:
        yield subject.note(f"On that machine: {step.why}", "headline")


def how_often(subject: Subject) -> Iterator[Finding]:
    """Yield how many errors of the hardware the log has, where there is more than one."""
    found = [report for report in subject.case.reports if report.kind is Kind.HARDWARE]
    groups = repeats(found)
    if len(found) > 1:
        text = f"The log has {len(found)} errors of the hardware"
        text += f", of {len(groups)} kinds." if len(groups) > 1 else ", all alike."
        yield subject.note(text, line=found[0].line_of("headline"))


def tested(subject: Subject) -> Iterator[Finding]:
    """Yield the command that tests the part there, for disks, memory and processors."""
    details = subject.report.details
    if disk := disk_of(subject):
        text = f"Save the data of /dev/{disk} first. Then this tells its state and tests it there:"
        yield subject.note(text, line=_line_of(subject, disk))
        yield subject.note(f"sudo sh -c 'smartctl -x /dev/{disk}; smartctl -t long /dev/{disk}'")
    elif any(name in details for name in _MEMORY):
        text = (
            "memtest86+, booted on that machine for a night, tests all of its memory. Counted are"
        )
        yield subject.note(f"{text} the errors of each module so far by:", *_MEMORY)
        yield subject.note("sudo ras-mc-ctl --error-count")
    elif _BANK in details:
        text = f"Whether bank {details[_BANK]} speaks again under load is seen there with:"
        yield subject.note(text, _BANK)
        yield subject.note("stress-ng --cpu 0 --vm 2 --vm-bytes 60% --verify -t 30m; dmesg | tail")


def stays_silent(subject: Subject) -> Iterator[Finding]:
    """Yield what has to stay away for the part to count as mended."""
    details = subject.report.details
    what = "such a line"
    if disk := disk_of(subject):
        what = f"an error of {disk}"
    elif label := details.get("label"):
        what = f"an error of {label}"
    elif _BANK in details:
        what = f"a report of bank {details[_BANK]}"
    text = "Only time proves that a part was mended: the same load for longer than it ever took,"
    yield subject.note(f"{text} without {what} in the log.", "headline")


def disk_of(subject: Subject) -> str:
    """Return the name of the disk as below /dev, empty where the report names none."""
    texts = (each.text for each in subject.report.excerpt)
    return next((found[1] for text in texts if (found := _DISK.search(text))), "")


def _line_of(subject: Subject, disk: str) -> int | None:
    return next((n for n, text in subject.report.texts.items() if disk in text), None)
