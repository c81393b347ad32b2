"""A task that waits for a lock which it may hold itself: the same function twice in its trace."""

from __future__ import annotations

from itertools import dropwhile
from typing import Final

from pagefault_doctor.diagnosis import function_roles
from pagefault_doctor.model.pattern import regex
from pagefault_doctor.model.report import Frame, Report

_SPINNING: Final = regex(
    r"_?_?_?raw_(?:spin|read|write)_lock|(?:native_)?queued_(?:spin|read|write)_lock|do_raw_spin_lock"
)
"""How the names of functions begin that spin for a lock (`kernel/locking/spinlock.c`)."""
COMPILERS: Final = regex(r"\.(?:isra|part|constprop|cold|llvm|lto_priv)\b.*")
"""What gcc and clang add to the names of parts and copies of a function."""


def entered_again(report: Report) -> Frame | None:
    """Return the outer call of a function whose inner call waits for a lock, or None.

    The inner call, out of an interrupt or a callback, ran on top of the outer one and keeps it from
    going on. If that holds the lock, nobody else can release it.
    """
    frames = [frame for frame in report.frames if frame.reliable and frame.function]
    stack = list(dropwhile(_is_above, frames))
    above = frames[: len(frames) - len(stack)]
    if not stack or not any(map(_is_lock, above)):
        return None
    inner, *outer = stack
    if function_roles.is_entry_point(inner.function):
        return None  # It stands in many traces, on each stack of its own.
    same = (bare(inner), inner.module)
    return next((frame for frame in outer if (bare(frame), frame.module) == same), None)


def bare(frame: Frame) -> str:
    """Return the function without what the compiler added to its name."""
    return COMPILERS.sub("", frame.function or "")


def _is_lock(frame: Frame) -> bool:
    name = frame.function or ""
    return any(shape.match(name) for shape in (function_roles.LOCKING, _SPINNING))


def _is_above(frame: Frame) -> bool:
    """Whether a function only waits, or is on the way from the interrupt that found the hang."""
    name = frame.function or ""
    waits = _is_lock(frame) or function_roles.SLEEPING.match(name) is not None
    return waits or function_roles.only_passes_on(name) or function_roles.is_detector(name)
