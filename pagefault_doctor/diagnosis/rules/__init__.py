"""The rules: a file for each cause, each a function that weighs one report.

A rule yields evidence for and against its cause and nothing else. Ranking, blame and wording are
elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from pagefault_doctor.diagnosis.context import Context
from pagefault_doctor.diagnosis.rules import (
    api_mismatch,
    double_free,
    error_pointer,
    hardware,
    list_corruption,
    lockup,
    logic_error,
    memory_pressure,
    no_fault,
    null_pointer,
    out_of_bounds,
    page_table,
    readonly_write,
    stack_overflow,
    use_after_free,
    user_access,
    user_space,
    wild_pointer,
)
from pagefault_doctor.model.diagnosis import Evidence, RootCause
from pagefault_doctor.model.report import Report

Rule = Callable[[Report, Context], Iterable[Evidence]]

RULES: Final[tuple[tuple[RootCause, Rule], ...]] = (
    (RootCause.NULL_DEREF, null_pointer.weigh),
    (RootCause.ERR_PTR, error_pointer.weigh),
    (RootCause.USE_AFTER_FREE, use_after_free.weigh),
    (RootCause.DOUBLE_FREE, double_free.weigh),
    (RootCause.OUT_OF_BOUNDS, out_of_bounds.weigh),
    (RootCause.WILD_POINTER, wild_pointer.weigh),
    (RootCause.USER_ACCESS, user_access.weigh),
    (RootCause.READONLY_WRITE, readonly_write.weigh),
    (RootCause.STACK_OVERFLOW, stack_overflow.weigh),
    (RootCause.LIST_CORRUPTION, list_corruption.weigh),
    (RootCause.PAGE_TABLE, page_table.weigh),
    (RootCause.API_MISMATCH, api_mismatch.weigh),
    (RootCause.LOGIC_ERROR, logic_error.weigh),
    (RootCause.LOCKUP_HANG, lockup.weigh),
    (RootCause.OOM, memory_pressure.weigh),
    (RootCause.HARDWARE, hardware.weigh),
    (RootCause.USER_SPACE, user_space.weigh),
    (RootCause.NONE, no_fault.weigh),
)
