"""What the log lacks, what it would decide, and the one command that brings it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from pagefault_doctor.diagnosis.missing import (
    AFTER_LOADING,
    AFTER_PANIC,
    KERNEL_LOG,
    REPORT,
    VERSION,
)
from pagefault_doctor.model.diagnosis import Missing
from pagefault_doctor.model.fact import Finding, Mark, Source
from pagefault_doctor.model.log import KernelLog
from pagefault_doctor.session.case_notes.subject import Subject
from pagefault_doctor.tools.module.module_name import is_module_name

_JOURNAL: Final = ("journalctl -k -b -1 --no-pager", "dmesg")
_PSTORE: Final = "cat /var/lib/systemd/pstore/* /var/lib/systemd/pstore/*/* /sys/fs/pstore/*"
_COMMANDS: Final = {
    KERNEL_LOG: _JOURNAL,
    REPORT.how: (*_JOURNAL, _PSTORE),
    AFTER_PANIC: (_PSTORE,),
    AFTER_LOADING: ("dmesg",),
    VERSION.how: (VERSION.how,),
}
"""The commands, for a shell, that bring what is missing, by how it is brought."""
_NEEDS_ROOT: Final = (*_JOURNAL, _PSTORE)
_FILE: Final = "kernel-log.txt"
_MOST: Final = 3
"""Parts that are told."""


def lacking(subject: Subject) -> Iterator[Finding]:
    """Yield what is missing, most useful first, and how to get all of it."""
    parts = (*subject.diagnosis.missing, *_module_version(subject))
    if not parts and subject.is_of_kernel:
        yield subject.note(f"The log has {_there(subject)}: enough to go on.", "headline")
    for part in parts[:_MOST]:
        yield subject.note(f"The log lacks {part.what} ({part.why}).")
    commands = [command for part in parts for command in _brought_by(part)]
    if commands:
        yield from map(subject.note, asked_for(commands))
    for how in dict.fromkeys(part.how for part in parts[:_MOST]):
        if how == AFTER_PANIC or how not in (*_COMMANDS, *commands):
            yield subject.note(f"Ask for: {how}.")


def _there(subject: Subject) -> str:
    report = subject.report
    parts = ["the headline"]
    parts += ["registers"] if report.registers else []
    parts += ["the call trace"] if "trace" in report.cited else []
    parts += ["the kernel's version"] if subject.release else []
    *first, last = parts
    return f"{', '.join(first)} and {last}" if first else last


def without_report(log: KernelLog) -> Iterator[Finding]:
    """Yield what to ask for where a log has no report at all."""
    lines = "1 line" if log.lines == 1 else f"{log.lines} lines"
    text = f"No report of a fault is in the {lines} of this log."
    for each in (text, *asked_for((*_JOURNAL, _PSTORE))):
        yield Finding(each, Mark.NEUTRAL, Source(log.source))


def asked_for(commands: Iterable[str]) -> tuple[str, str]:
    """Return a sentence that asks for the output of commands, and one line for a shell."""
    each = tuple(dict.fromkeys(commands))
    root = any(command in _NEEDS_ROOT for command in each)
    line = "; ".join(each)
    if root:
        line = f"sudo sh -c '{line}' >{_FILE} 2>&1"
    how = f"as root, and to send {_FILE}" if root else "and to send what it prints; no root needed"
    return f"Ask the person who has the machine to run this {how}:", line


def _brought_by(part: Missing) -> tuple[str, ...]:
    return (part.how,) if part.name == _MODULE else _COMMANDS.get(part.how, ())


_MODULE: Final = "module"
_VERSION_OF: Final = Missing(
    _MODULE,
    "the version of {module}",
    "only with it can be said whether its project has mended this since",
    "modinfo {module}",
)


def _module_version(subject: Subject) -> Iterator[Missing]:
    """Yield the version of a suspect from outside the tree, where the log does not tell it."""
    module, situation = subject.diagnosis.module or "", subject.situation
    if situation.origin != "third-party" or not is_module_name(module):
        return
    if subject.report.details.get("versioned_module") != module:
        what, how = (t.replace("{module}", module) for t in (_VERSION_OF.what, _VERSION_OF.how))
        yield msgspec.structs.replace(_VERSION_OF, what=what, how=how)
