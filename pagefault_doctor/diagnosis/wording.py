"""Causes in plain words, and the one-sentence summary of a diagnosis."""

from __future__ import annotations

from typing import Final

from pagefault_doctor.model.diagnosis import Attribution, RootCause

NAMES: Final = {
    RootCause.NULL_DEREF: "NULL pointer dereference",
    RootCause.ERR_PTR: "error code used as a pointer",
    RootCause.USE_AFTER_FREE: "use after free",
    RootCause.DOUBLE_FREE: "double free",
    RootCause.OUT_OF_BOUNDS: "out-of-bounds access",
    RootCause.WILD_POINTER: "wild pointer",
    RootCause.USER_ACCESS: "user pointer used directly",
    RootCause.READONLY_WRITE: "write to read-only memory",
    RootCause.STACK_OVERFLOW: "kernel stack overflow",
    RootCause.LIST_CORRUPTION: "list corruption",
    RootCause.PAGE_TABLE: "page-table corruption",
    RootCause.API_MISMATCH: "module that does not fit this kernel",
    RootCause.LOGIC_ERROR: "logic error or failed assertion",
    RootCause.LOCKUP_HANG: "lockup or hang",
    RootCause.OOM: "out of memory",
    RootCause.HARDWARE: "faulty hardware",
    RootCause.USER_SPACE: "fault of a user-space program",
    RootCause.UNKNOWN: "fault of unknown cause",
    RootCause.NONE: "no fault",
}
"""The titles of `playbooks/causes.yaml`, as they stand within a sentence."""

EXACT: Final = (
    (RootCause.LOGIC_ERROR, "external_abort", "access to a device that did not answer"),
    (RootCause.LOGIC_ERROR, "divide_error", "division by zero, or with too large a result"),
    (RootCause.LOGIC_ERROR, "kcsan_race", "data race"),
    (RootCause.LOGIC_ERROR, "suspicious_rcu_usage", "use of RCU data without its lock"),
    (RootCause.LOGIC_ERROR, "already_free_irq", "interrupt freed twice"),
    (RootCause.LOGIC_ERROR, "integer_overflow", "arithmetic overflow"),
    (RootCause.LOGIC_ERROR, "shift_out_of_bounds", "shift by too many bits"),
    (RootCause.LOGIC_ERROR, "cache_still_has_objects", "cache given up with objects in it"),
    (RootCause.LOGIC_ERROR, "kmsan_infoleak", "uninitialised bytes handed to user space"),
    (RootCause.USER_SPACE, "no_root", "start without its root file system"),
    (RootCause.USER_SPACE, "no_init", "start without a first program (init)"),
    (RootCause.USER_SPACE, "init_killed", "end of the first program (init)"),
    (RootCause.NONE, "sysrq_crash", "no fault: somebody asked for this crash (SysRq c)"),
    (RootCause.LOCKUP_HANG, "atomic-sleep", "sleep where none is allowed"),
    (RootCause.LOCKUP_HANG, "lockdep", "wrong use of locks"),
    (RootCause.LOCKUP_HANG, "gpu_program", "hang of the graphics chip"),
    (RootCause.LOCKUP_HANG, "gpu_not_reset", "hang of the graphics chip"),
    (RootCause.LOGIC_ERROR, "memory-leak", "memory that is never freed"),
    (RootCause.LOGIC_ERROR, "netdev_watchdog", "network card that did not send"),
    (RootCause.OOM, "in_one_piece", "memory in too small pieces"),
)
"""What the name of a cause becomes where a report has that detail, or is of that kind."""
NO_FAULT: Final = "no fault found"
SURE: Final = 0.75
UNSURE: Final = 0.5

GONE: Final = " that was unloaded before"
"""Which module is meant, behind "a module"."""
WAITING_FOR_DISK: Final = " of a task that waits for storage"
_WHERE: Final = {
    Attribution.KERNEL: " in the kernel itself",
    Attribution.HARDWARE: "",
    Attribution.USER_SPACE: "",
    Attribution.MEMORY_PRESSURE: "",
    Attribution.NONE: "",
}


def where(
    attribution: Attribution,
    module: str | None,
    function: str | None,
    *,
    foreign: str | None = None,
    part: str | None = None,
    caller: str | None = None,
    is_hang: bool = False,
    is_found: bool = False,
) -> str:
    """Return the place a cause is in, as it follows the cause's name: of a hang, where it shows.

    Of damage that `is_found` by a check it is where that was, for who did it is another.

    `foreign` tells of the modules from outside, of which one is meant where none is named. `part`
    is the part of the kernel in words, `caller` who called the function.
    """
    if attribution is Attribution.MODULE:
        unnamed = f" in a module{foreign}" if foreign else " in a module that is not named"
        return f" in module {module}" if module else unnamed
    if attribution is Attribution.KERNEL and function:
        shows = " that shows" if is_hang or is_found else ""
        whose = f"the kernel's {part}" if part else "the kernel itself"
        called = f", called by {caller}" if caller else ""
        return f"{shows} in {whose}, at {function}{called}"
    # Where a hang shows is not where its cause is, and without a function not even that is known.
    return "" if is_hang else _WHERE[attribution]


def summary(
    cause: RootCause,
    place: str,
    confidence: float,
    runner_up: RootCause | None,
    exact: str | None = None,
) -> str:
    """Return one sentence: the cause, how sure it is, and what else it may be.

    `exact` are words for the cause where more than its class is known.
    """
    if cause is RootCause.NONE:
        return exact if exact and exact != NAMES[cause] else NO_FAULT
    if cause is RootCause.UNKNOWN:
        return f"{NAMES[cause]}{place}: the text does not show it"
    name = f"{exact or NAMES[cause]}{place}"
    if confidence >= SURE or (confidence >= UNSURE and runner_up is None):
        return f"{'very likely' if confidence >= 0.9 else 'likely'} {name}"
    other = f" (less likely: {NAMES[runner_up]})" if runner_up else ""
    return f"{'probably' if confidence >= UNSURE else 'not sure: perhaps'} {name}{other}"


def following(text: str, which: str | None) -> str:
    """Return the summary of a report that follows a fault which is not in the log, if `which`."""
    if which is None:
        return text
    return (
        f"{which}: the first one is not in this log, and is the cause to look for; alone, this "
        f"one would be: {text}"
    )
