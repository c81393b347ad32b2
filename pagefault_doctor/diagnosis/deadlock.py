"""A processor that waits for a lock which its own trace shows it holds already."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

from pagefault_doctor.diagnosis import function_roles
from pagefault_doctor.model.pattern import regex
from pagefault_doctor.model.report import Frame, Kind, Report

_SPINNING: Final = regex(
    r"_*(?:native_|pv_)*(?:queued_|do_raw_|ticket_)?(?:spin|read|write)_lock"
    r"|_raw_(?:spin|read|write)_lock|queued_(?:spin|read|write)_lock_slowpath"
)
"""Functions that spin until a lock is free (`kernel/locking/spinlock.c`, `qspinlock.c`)."""
_DEEP: Final = 24
"""Frames among which the lock is looked for, below those that found the hang."""


def waits_for_itself(report: Report) -> Frame | None:
    """Return the first call of a function whose second call spins on a lock, or None.

    Both stand in one trace, so the second call, out of an interrupt or a callback, ran on top of
    the first and keeps it from going on. Nobody else can release what the first one holds.
    """
    if report.kind not in (Kind.LOCKUP, Kind.STALL):
        return None
    frames = [frame for frame in report.frames if frame.reliable and frame.function]
    for place, (lock, caller) in enumerate(pairwise(frames[:_DEEP])):
        if not _SPINNING.match(lock.function or "") or _is_anyones(caller.function):
            continue
        for other in frames[place + 2 :]:
            if (other.function, other.module) == (caller.function, caller.module):
                return other
    return None


def _is_anyones(function: str | None) -> bool:
    """Whether a function stands in many traces: it waits itself, or only passes on."""
    return (
        _SPINNING.match(function or "") is not None
        or function_roles.only_passes_on(function)
        or function_roles.is_detector(function)
        or function_roles.is_entry_point(function)
    )
