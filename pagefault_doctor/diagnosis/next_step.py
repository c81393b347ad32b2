"""The next step to take, and why, for each cause and culprit."""

from __future__ import annotations

from typing import Final

from pagefault_doctor.diagnosis.context import Context
from pagefault_doctor.diagnosis.missing import missing
from pagefault_doctor.diagnosis.unloaded_module import unloaded
from pagefault_doctor.model.diagnosis import Attribution, Candidate, NextStep, RootCause

_MEMTESTER: Final = ("memtester", "256M", "1")

_BY_CAUSE: Final = {
    RootCause.NONE: NextStep(
        "check-logs", "look at the log of the boot before", ("journalctl", "-k", "-b", "-1")
    ),
    RootCause.HARDWARE: NextStep("reproduce", "test the memory before blaming code", _MEMTESTER),
    RootCause.OOM: NextStep("check-logs", "see who holds the memory", ("free", "-h")),
    RootCause.USER_SPACE: NextStep(
        "debug-module", "look at the core dump of the program", ("coredumpctl", "list")
    ),
    RootCause.LOCKUP_HANG: NextStep(
        "analyse-crash-dump", "the traces of all tasks show who holds what the others wait for"
    ),
    RootCause.STACK_OVERFLOW: NextStep(
        "analyse-crash-dump", "a dump shows what filled the stack; the trace may be damaged"
    ),
    RootCause.PAGE_TABLE: NextStep(
        "reproduce", "a flipped bit looks the same: test the memory first", _MEMTESTER
    ),
}
_UNSURE: Final = 0.5

_BY_PROGRESS: Final = (
    ("validate.verdict", "fixed", NextStep("validate", "the fix is proven: bring it where the "
     "module's source is kept, and watch the log of the first days")),
    ("validate.verdict", "not-fixed", NextStep("debug-module", "the fault came again with the "
     "change: look at its report, which may be another one")),
    ("fix.built", True, NextStep("validate", "the change is built: prove it")),
)  # fmt: skip
"""What a walk has come to, the furthest first, and what follows from it."""


def _for_module(cause: RootCause, module: str, gone: bool) -> NextStep:
    if cause is RootCause.API_MISMATCH:
        why = f"compare what {module} was built for with the running kernel, then rebuild it"
    elif gone:
        why = f"{module} is unloaded; look at the file it came from"
    else:
        why = f"is the build of {module} on disk the one in memory?"
    # A name from a log must not be able to pass for an option.
    command = () if module.startswith("-") else ("modinfo", module)
    return NextStep("identify-module", why, command)


def next_step(first: Candidate, context: Context) -> NextStep:
    """Return what to do next about a report whose likeliest cause is `first`."""
    cause, module = first.root_cause, first.module
    is_module = first.attribution is Attribution.MODULE
    for name, value, step in _BY_PROGRESS:
        if (fact := context.walk_fact(name)) and fact.value == value:
            return step
    lost = next(missing(context.report), None) if cause is RootCause.UNKNOWN else None
    if lost:
        return NextStep("check-logs", lost.text, lost.command)
    if is_module and module and cause is not RootCause.LOCKUP_HANG:
        gone = unloaded(context)
        return _for_module(cause, module, gone is not None and gone.module == module)
    if cause in _BY_CAUSE:
        return _BY_CAUSE[cause]
    if first.confidence < _UNSURE:
        return NextStep(
            "check-logs", "the log says too little: is there more of it?", ("journalctl", "-k")
        )
    if is_module:
        return NextStep("identify-module", "find out which module it is", ("lsmod",))
    return NextStep(
        "analyse-crash-dump", "the fault is in the kernel itself; a dump shows its state"
    )
