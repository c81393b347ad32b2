"""Experiments that distinguish two causes, with the outcome that each cause predicts.

An experiment distinguishes two causes when they predict different outcomes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from pagefault_doctor.model.diagnosis import Attribution, Candidate, Experiment, RootCause

WORTH_AN_EXPERIMENT: Final = 0.05
"""The confidence from which on the second cause is worth an experiment."""

_SAME: Final = "the same report, at the same place"
_GONE: Final = "no report any more"
_CLEAN: Final = "no failure"

_SOFTWARE: Final = (
    *(RootCause.NULL_DEREF, RootCause.ERR_PTR, RootCause.USE_AFTER_FREE, RootCause.DOUBLE_FREE),
    *(RootCause.OUT_OF_BOUNDS, RootCause.WILD_POINTER, RootCause.USER_ACCESS),
    *(RootCause.READONLY_WRITE, RootCause.STACK_OVERFLOW, RootCause.LIST_CORRUPTION),
    *(RootCause.PAGE_TABLE, RootCause.API_MISMATCH, RootCause.LOGIC_ERROR, RootCause.LOCKUP_HANG),
)
_NO_SLAB_OBJECT: Final = (
    *(RootCause.NULL_DEREF, RootCause.ERR_PTR, RootCause.USER_ACCESS, RootCause.READONLY_WRITE),
    *(RootCause.LOGIC_ERROR, RootCause.STACK_OVERFLOW, RootCause.LOCKUP_HANG),
)
"""Causes that the slab checks do not see."""


class ExperimentRow(msgspec.Struct, frozen=True):
    """A row of the table of experiments.

    `do` is what to do, with `{module}` in place of the suspect; `command` is an argv or empty;
    `step` is where the wizard offers it. `expects` has the outcome that each cause predicts.
    `needs_module` is whether there must be a suspect.
    """

    name: str
    do: str
    expects: Mapping[RootCause, str]
    step: str = "reproduce"
    command: tuple[str, ...] = ()
    needs_module: bool = False


EXPERIMENTS: Final = (
    ExperimentRow(
        "rebuild",
        "rebuild {module} with the headers of the running kernel, load it, bring the fault about",
        {**dict.fromkeys(_SOFTWARE, _SAME), RootCause.API_MISMATCH: _GONE},
        step="identify-module",
        needs_module=True,
    ),
    ExperimentRow(
        "registers",
        "disassemble the function and see which register the access goes through",
        {
            RootCause.NULL_DEREF: "a register that is 0, with the offset of a member added",
            RootCause.ERR_PTR: "a register between fffffffffffff001 and ffffffffffffffff",
            RootCause.USER_ACCESS: "an argument of a system call, used without copy_from_user",
            RootCause.READONLY_WRITE: "an address of constant data or code, which is written to",
            RootCause.WILD_POINTER: "a value that fits none of the kernel's memory",
        },
        step="debug-module",
    ),
    ExperimentRow(
        "slub-debug",
        "boot once with slub_debug=FZPU (slab_debug=FZPU from 6.8 on), bring the fault about",
        {
            RootCause.USE_AFTER_FREE: '6b6b6b6b in a register or "Poison overwritten", with the '
            "stack that freed the object",
            RootCause.DOUBLE_FREE: '"Object already free", with the stack of the first free',
            RootCause.OUT_OF_BOUNDS: '"Redzone overwritten", with the stack that allocated',
            RootCause.WILD_POINTER: "5a5a5a5a in a register, if the memory was never written to",
            RootCause.LIST_CORRUPTION: "the list checks again, and nothing of the slab checks",
            **dict.fromkeys(_NO_SLAB_OBJECT, _SAME),
        },
    ),
    ExperimentRow(
        "memtester",
        "test the memory, best for hours and from outside the system (memtest86+)",
        {
            **{cause: _CLEAN for cause in _SOFTWARE if cause is not RootCause.LOCKUP_HANG},
            RootCause.HARDWARE: "failures, most often of one bit or at one offset; a clean run "
            "lowers the suspicion and does not clear the memory",
        },
        command=("memtester", "256M", "1"),
    ),
    ExperimentRow(
        "deep-stack",
        "watch how deep stacks grow (/sys/kernel/tracing/stack_trace), bring the fault about",
        {
            **dict.fromkeys(_SOFTWARE, "a few thousand bytes, far from the 16384 there are"),
            RootCause.STACK_OVERFLOW: "one call that repeats, or one function with a big frame",
        },
    ),
    ExperimentRow(
        "page-checks",
        "boot once with page_owner=on page_poison=1, bring the fault about",
        {
            RootCause.USE_AFTER_FREE: "aaaaaaaa in a register: a page was used after it was freed",
            RootCause.PAGE_TABLE: "who allocated the damaged page is named",
            RootCause.WILD_POINTER: _SAME,
            RootCause.OUT_OF_BOUNDS: _SAME,
            RootCause.LOGIC_ERROR: _SAME,
            RootCause.LIST_CORRUPTION: _SAME,
            RootCause.DOUBLE_FREE: "a page that is freed while it is free",
        },
    ),
    ExperimentRow(
        "checked-kernel",
        "bring it about under a kernel with KASAN and lockdep (PROVE_LOCKING)",
        {
            RootCause.USE_AFTER_FREE: '"KASAN: slab-use-after-free", with who freed it',
            RootCause.DOUBLE_FREE: '"KASAN: double-free", with both stacks',
            RootCause.OUT_OF_BOUNDS: '"KASAN: slab-out-of-bounds", with the owner',
            RootCause.WILD_POINTER: '"KASAN: wild-memory-access", or nothing before the fault',
            RootCause.NULL_DEREF: '"KASAN: null-ptr-deref"',
            RootCause.ERR_PTR: '"KASAN: maybe wild-memory-access" next to the top of memory',
            RootCause.USER_ACCESS: '"KASAN: user-memory-access"',
            RootCause.LIST_CORRUPTION: "no report of KASAN before that of the list checks",
            RootCause.LOCKUP_HANG: "a report of lockdep: who holds what, in which order",
            RootCause.LOGIC_ERROR: "the failed check again, and nothing of KASAN",
            RootCause.PAGE_TABLE: "nothing of KASAN: page tables are not watched by it",
            RootCause.STACK_OVERFLOW: '"KASAN: stack-out-of-bounds" or the guard page',
            RootCause.READONLY_WRITE: "the fault again, without a word of KASAN",
        },
    ),
    ExperimentRow(
        "blocked-tasks",
        "have the kernel list the tasks that wait (echo w > /proc/sysrq-trigger), twice",
        {
            RootCause.LOCKUP_HANG: "the same tasks, waiting for a lock that one of them holds",
            RootCause.HARDWARE: "tasks in io_schedule; smartctl and the log tell of the disk",
            RootCause.OOM: "tasks that reclaim memory; free -h shows none left",
            RootCause.LOGIC_ERROR: "no task waits",
            RootCause.PAGE_TABLE: "no task waits",
        },
    ),
    ExperimentRow(
        "event-log",
        "read what the hardware recorded itself (ras-mc-ctl --errors, ipmitool sel list)",
        {
            **dict.fromkeys((*_SOFTWARE, RootCause.OOM), "nothing at the time of the fault"),
            RootCause.HARDWARE: "a corrected or uncorrected error near the time of the fault",
        },
    ),
)
"""Experiments, those that show most for the least effort first.

Boot options are those of
`Documentation/admin-guide/kernel-parameters.txt`; for the slab checks see
`Documentation/mm/slub.rst`.
"""

_WITHOUT_MODULE: Final = ExperimentRow(
    "without-module",
    "boot once without {module} (modprobe.blacklist={module}), do the same again",
    {},
    needs_module=True,
)


def between_causes(ranked: Sequence[Candidate]) -> Experiment | None:
    """Return the experiment that distinguishes the two likeliest causes, or None.

    None where no second cause is likely enough, or where no experiment is known.
    """
    if len(ranked) < 2 or ranked[1].confidence < WORTH_AN_EXPERIMENT:
        return None
    first, second = ranked[:2]
    module = first.module or second.module
    for row in EXPERIMENTS:
        a, b = row.expects.get(first.root_cause), row.expects.get(second.root_cause)
        if a and b and a != b and (module or not row.needs_module):
            return _experiment(row, module, ((first.root_cause, a), (second.root_cause, b)))
    return None


def for_hang(first: Candidate) -> Experiment | None:
    """Return the experiment that shows who holds what others wait for, or None."""
    if first.root_cause is not RootCause.LOCKUP_HANG:
        return None
    row = next(row for row in EXPERIMENTS if row.name == "blocked-tasks")
    return _experiment(row, first.module, ((first.root_cause, row.expects[first.root_cause]),))


def without_module(first: Candidate) -> Experiment | None:
    """Return the experiment that shows whether a module is to blame at all, or None."""
    if first.attribution is not Attribution.MODULE or first.module is None:
        return None
    return _experiment(_WITHOUT_MODULE, first.module, ((first.root_cause, _GONE),))


def _experiment(
    row: ExperimentRow, module: str | None, outcomes: tuple[tuple[RootCause, str], ...]
) -> Experiment:
    # A plain replacement: a name from a log must not be able to pass for a format.
    do = row.do.replace("{module}", module or "the module")
    return Experiment(row.name, row.step, do, row.command, outcomes)
