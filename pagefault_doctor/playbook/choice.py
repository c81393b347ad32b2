"""Which playbook a case belongs in, by what its main report is."""

from __future__ import annotations

from typing import Final

from pagefault_doctor.model.diagnosis import RootCause
from pagefault_doctor.model.report import USER_SIDE, Kind

DEFAULT_PLAYBOOK: Final = "kernel-page-fault"
PROGRAM: Final = "user-space-segfault"
_MEMORY: Final = "memory-pressure"
_STACK: Final = "corrupted-stack"

_BY_KIND: Final = {
    Kind.USER_SEGFAULT: PROGRAM,
    Kind.USER_TRAP: PROGRAM,
    Kind.OOM_KILL: _MEMORY,
    Kind.STACK_CORRUPTED: _STACK,
    Kind.STACK_GUARD: _STACK,
    Kind.DOUBLE_FAULT: _STACK,
}
_BY_CAUSE: Final = {
    RootCause.HARDWARE: DEFAULT_PLAYBOOK,
    RootCause.OOM: _MEMORY,
    RootCause.STACK_OVERFLOW: _STACK,
}
"""Causes that tell more than a kind of the kernel: a broken processor double-faults as well."""


def playbook_for(kind: Kind, cause: RootCause) -> str:
    """Return the id of the bundled playbook for a main report of that kind and likeliest cause."""
    by_kind = _BY_KIND.get(kind, DEFAULT_PLAYBOOK)
    return by_kind if kind in USER_SIDE else _BY_CAUSE.get(cause, by_kind)
