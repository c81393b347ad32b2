"""Panics: `kernel/panic.c`, `kernel/exit.c`, `kernel/sched/core.c`, `kernel/locking/…`.

What stands behind `Kernel panic - not syncing:` is the caller's; where it only says that an
earlier report was fatal, that earlier report is the one that counts.

Details: `panic` the words; `corrupted_in` the function whose stack was; `exitcode` of init;
`hardware_error` what the hardware said of it.
"""

from __future__ import annotations

from typing import Final

from pagefault_doctor.klog.formats.format import OWN, Format
from pagefault_doctor.klog.guilty_function import CALL, RIP, TRACE, Choice
from pagefault_doctor.model.report import Kind

_PANIC: Final = r"Kernel panic - not syncing: "


def _panic(says: str, title: str, **more: object) -> Format:
    fields = {"header": "Kernel panic", "kind": Kind.PANIC, "says": _PANIC + says, "title": title}
    return Format(**(fields | more))  # type: ignore[arg-type]


FORMS: Final = (
    _panic("Attempted to kill init!", "kernel panic: Attempted to kill init!"),
    _panic(
        "Couldn't open N_TTY ldisc for .*? --- error", "kernel panic: Couldn't open N_TTY ldisc"
    ),
    _panic(
        "kernel stack overflow",
        "kernel stack overflow in {f}",
        ways=((RIP, CALL, TRACE), (CALL, TRACE)),
        alts=("stack-overflow in {f}",),
        take=Choice.STALL,
        kind=Kind.STACK_GUARD,
        source="handle_bad_stack (arch/arm64/kernel/traps.c)",
    ),
    _panic(
        "corrupted stack end detected inside scheduler",
        "kernel panic: corrupted stack end in {f}",
        ways=((CALL, TRACE),),
        alts=("stack-overflow in {f}",),
        skip="schedule",
        take=Choice.STALL,
        kind=Kind.STACK_CORRUPTED,
        source="schedule_debug",
    ),
    _panic(
        "stack-protector: Kernel stack is corrupted in:",
        "kernel panic: stack is corrupted in {f}",
        ways=((r"Kernel stack is corrupted in: (?P<f>[A-Za-z0-9_]+)[+.]",), (CALL, TRACE)),
        skip="stack_chk",
        plain=True,
        kind=Kind.STACK_CORRUPTED,
        source="__stack_chk_fail",
    ),
    _panic(".*panic_on_warn set", "kernel panic: panic_on_warn set", lost=True),
    _panic("(Fatal exception(?: in interrupt)?)", "kernel panic: Fatal exception", lost=True),
    _panic("(hung_task: blocked tasks)", "kernel panic: {1}", lost=True),
    _panic(
        "(NMI(?:: Not| IOCK|: IOCK| PCI).*|.*(?:[Mm]achine check|SError|[Hh]ardware [Ee]rror"
        "|broadcast exception handler|memory error|corrected error).*)",
        "kernel panic: {1}",
        kind=Kind.HARDWARE,
        source="mce_panic, arm64_serror_panic, __ghes_panic, unknown_nmi_error",
    ),
    _panic("(.*)", "kernel panic: {1}", source="vpanic"),
    Format(
        header=OWN,
        says=r"(?:sysrq: (?:SysRq : )?|SysRq : )Trigger a crash",
        title="kernel panic: sysrq triggered crash",
        kind=Kind.PANIC,
        plain=True,
        source="sysrq_handle_crash; the panic itself is not in the log",
    ),
    Format(
        header=OWN,
        says=r"Unhandled ([\w -]+ exception).*, ESR ",
        title="unhandled {1} in {f}",
        kind=Kind.TRAP,
        ways=((RIP, CALL, TRACE),),
        source="arch/arm64/kernel/traps.c (__panic_unhandled)",
    ),
)

DETAILS: Final = (
    r"Kernel panic - not syncing: (?P<panic>.+)",
    r"Kernel stack is corrupted in: (?P<corrupted_in>\S+(?: \[[\w-]+\])?)",
    r"exitcode=(?P<exitcode>0x[0-9a-f]+)",
    r"(?P<hardware_error>\[Hardware Error\]: .+)",
)
