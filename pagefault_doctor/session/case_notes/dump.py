"""What a crash dump would add, and how that machine writes one the next time it happens."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from pagefault_doctor.model.diagnosis import RootCause
from pagefault_doctor.model.fact import Finding
from pagefault_doctor.model.pattern import regex
from pagefault_doctor.model.report import Kind
from pagefault_doctor.session.case_notes.subject import Subject


class _Gain(msgspec.Struct, frozen=True):
    """What a dump adds for a cause.

    Where the log has one of `known_by`, details of the report, it adds nothing, and `known` says
    what the log has. A gain that is `small` is one only where the log lacks registers or code.
    `{place}` is where it faulted.
    """

    adds: str
    known: str = ""
    known_by: tuple[str, ...] = ()
    small: bool = False


_FREED: Final = ("freed_by", "freed_in", "freed_task")
_GAINS: Final = {
    RootCause.NULL_DEREF: _Gain(
        "the object that the pointer was read from, and with it who should have set it", small=True
    ),
    RootCause.ERR_PTR: _Gain(
        "the object that the error code was kept in, and with it which call gave it", small=True
    ),
    RootCause.USER_ACCESS: _Gain("the arguments of the call that passed the pointer", small=True),
    RootCause.READONLY_WRITE: _Gain("what lies at the address that was written to", small=True),
    RootCause.USE_AFTER_FREE: _Gain(
        "what lies in the freed memory now and who else points to it. Who freed it is in a dump"
        " only if that machine runs with slub_debug=U",
        "who freed it",
        _FREED,
    ),
    RootCause.DOUBLE_FREE: _Gain(
        "the object and who else points to it. Who freed it first is in a dump only if that"
        " machine runs with slub_debug=U",
        "who freed it first",
        _FREED,
    ),
    RootCause.OUT_OF_BOUNDS: _Gain(
        "the object that was overrun and its neighbours, and from their content who wrote there",
        "whose object it is",
        ("allocated_by", "allocated_in"),
    ),
    RootCause.WILD_POINTER: _Gain(
        "the memory around where the bad pointer was kept: what else is garbage there tells who"
        " wrote it"
    ),
    RootCause.LIST_CORRUPTION: _Gain(
        "the entries before and behind the broken one, and so whose object it was"
    ),
    RootCause.PAGE_TABLE: _Gain("the page table around the bad entry, and what was written to it"),
    RootCause.STACK_OVERFLOW: _Gain("the whole stack, and how much of it each call took"),
    RootCause.LOCKUP_HANG: _Gain(
        "the stacks of all tasks, and so who holds what this one waits for",
        "who holds the lock",
        ("owner", "owner_pid"),
    ),
    RootCause.LOGIC_ERROR: _Gain("the values of the variables at {place}"),
    RootCause.UNKNOWN: _Gain("the registers, the stack and the memory that this log does not show"),
}
_OF_KIND: Final = {
    Kind.STACK_CORRUPTED: _Gain(
        "the raw stack, and on it what was written over it: text, or a pattern that tells who wrote"
    ),
}
"""What it adds for a kind, whatever its cause."""
_NOTHING: Final = {
    RootCause.HARDWARE: "A dump adds nothing here: a broken part leaves no trace in memory, and the"
    " record of the hardware is in the log.",
    RootCause.USER_SPACE: "A dump of the kernel would not show why a program died; the core of the"
    " program does.",
    RootCause.API_MISMATCH: "A dump adds nothing here: the module does not fit the kernel, which"
    " its file shows.",
}
_PANICS: Final = {
    **dict.fromkeys(
        (
            *(Kind.NULL_POINTER, Kind.PAGE_FAULT, Kind.USER_ACCESS, Kind.GENERAL_PROTECTION),
            *(Kind.KERNEL_BUG, Kind.TRAP, Kind.STACK_GUARD, Kind.LIST_CORRUPTION, Kind.USERCOPY),
        ),
        "panic_on_oops",
    ),
    **dict.fromkeys((Kind.WARNING, Kind.REFCOUNT, Kind.SANITIZER), "panic_on_warn"),
    Kind.HUNG_TASK: "hung_task_panic",
    Kind.STALL: "panic_on_rcu_stall",
    Kind.LOCKUP: "softlockup_panic",
    Kind.PANIC: "",
    Kind.DOUBLE_FAULT: "",
    Kind.STACK_CORRUPTED: "",
}
"""The setting under /proc/sys/kernel with which such a report ends in a panic, and so in a dump
(`Documentation/admin-guide/sysctl/kernel.rst`); empty where it is one anyway."""
_PROGRAM: Final = regex(r"[A-Za-z0-9_][\w.-]{0,30}")
_SETTINGS: Final = "/etc/sysctl.d/90-dump.conf"


def dump(subject: Subject) -> Iterator[Finding]:
    """Yield what a dump adds to this log, and the command that prepares the machine for one."""
    if subject.case.has("given.vmcore") or subject.situation.in_crash:
        return
    if text := _NOTHING.get(subject.cause):
        program = subject.report.comm or ""
        if subject.cause is RootCause.USER_SPACE and _PROGRAM.fullmatch(program):
            text += f" Where systemd keeps cores, on that machine: coredumpctl info {program}"
        yield subject.note(text, "headline")
        return
    gain = _OF_KIND.get(subject.report.kind) or _GAINS.get(subject.cause)
    if gain is None:
        return
    details = subject.report.details
    if found := next((name for name in gain.known_by if name in details), None):
        yield subject.note(f"A dump would add little: the log tells {gain.known}.", found)
    elif gain.small and (what := _shown(subject)):
        text = f"A dump would add little: the log has {what}."
        yield subject.note(text, "code", "registers")
    else:
        adds = gain.adds.replace("{place}", subject.place or "that place")
        yield subject.note(f"A dump would add: {adds}.", "function")
        yield from _prepared(subject)


def _shown(subject: Subject) -> str:
    """Return what the log shows of the access, empty where that is not all that is needed."""
    context, report = subject.context, subject.report
    if report.function is None or not report.registers or context.base is None:
        return ""
    register, value = context.base
    return f"the place and the bad pointer ({register.upper()} = {value:#x})"


def _prepared(subject: Subject) -> Iterator[Finding]:
    packages, setting = subject.packages, _PANICS.get(subject.report.kind)
    if packages is None or not packages.kdump or setting is None:
        return
    commands = [packages.kdump]
    if setting:
        commands.append(f"echo kernel.{setting}=1 >{_SETTINGS}")
    line = f"sudo sh -c '{' && '.join(commands)}'"
    yield subject.note("To have that machine write one the next time, run this there and reboot:")
    yield subject.note(line)
