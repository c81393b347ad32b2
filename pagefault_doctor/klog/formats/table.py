"""Every form of report, family by family, the more special before the more general."""

from __future__ import annotations

import re
from functools import cache
from typing import Final

from pagefault_doctor.klog.formats import (
    arm64,
    atomic,
    bug_warn,
    hang,
    hardware,
    kasan,
    lock,
    memory,
    misc,
    oom,
    panic,
    powerpc,
    s390,
    slab,
    ubsan,
    user_space,
    x86,
)
from pagefault_doctor.klog.formats.format import Format
from pagefault_doctor.model.pattern import regex
from pagefault_doctor.model.report import Kind

FORMS: Final[tuple[Format, ...]] = (
    *kasan.FORMS,
    *x86.FORMS,
    *powerpc.FORMS,
    *s390.FORMS,
    *arm64.FORMS,
    *bug_warn.FORMS,
    *hang.FORMS,
    *atomic.FORMS,
    *lock.FORMS,
    *memory.FORMS,
    *ubsan.FORMS,
    *panic.FORMS,
    *misc.FORMS,
    *slab.FORMS,
    *user_space.FORMS,
    *oom.FORMS,
    *hardware.FORMS,
)


@cache
def under(header: str) -> tuple[Format, ...]:
    """Return the forms that a report with this header can have."""
    return tuple(
        form
        for form in FORMS
        if header == form.header or (isinstance(form.header, tuple) and header in form.header)
    )


@cache
def pattern(expression: str) -> re.Pattern[str]:
    """Return the compiled expression of a form."""
    return regex(expression)


DETAILS: Final[dict[Kind, tuple[str, ...]]] = {
    Kind.SANITIZER: kasan.DETAILS,
    Kind.SLAB: slab.DETAILS,
    Kind.LEAK: slab.DETAILS,
    Kind.USER_SEGFAULT: user_space.DETAILS,
    Kind.USER_TRAP: user_space.DETAILS,
    Kind.OOM_KILL: oom.DETAILS,
    Kind.HARDWARE: hardware.DETAILS,
    Kind.LIST_CORRUPTION: bug_warn.DETAILS,
    Kind.KERNEL_BUG: bug_warn.DETAILS,
    Kind.WARNING: bug_warn.DETAILS,
    Kind.REFCOUNT: bug_warn.DETAILS,
    Kind.USERCOPY: bug_warn.DETAILS,
    Kind.TRAP: bug_warn.DETAILS,
    Kind.GENERAL_PROTECTION: x86.DETAILS,
    Kind.PAGE_FAULT: x86.DETAILS,
    Kind.NULL_POINTER: x86.DETAILS,
    Kind.STACK_GUARD: x86.DETAILS,
    Kind.DOUBLE_FAULT: x86.DETAILS,
    Kind.STACK_CORRUPTED: panic.DETAILS,
    Kind.PANIC: panic.DETAILS,
    Kind.BAD_PAGE: memory.DETAILS,
    Kind.LOCKUP: hang.DETAILS,
    Kind.STALL: hang.DETAILS,
    Kind.HUNG_TASK: hang.DETAILS,
    Kind.LOCKDEP: lock.DETAILS,
    Kind.ATOMIC_SLEEP: atomic.DETAILS,
}
"""Expressions whose named groups are the details of reports of that kind."""
