"""A crash inside the slab allocator: its list of free objects led to a wild address.

Each free object holds the pointer to the next (`mm/slub.c`, get_freepointer). Who writes to an
object after freeing it, frees it twice or overruns its neighbour breaks that list; the next to
allocate meets it and is innocent.
"""

from __future__ import annotations

from typing import Final

from pagefault_doctor.diagnosis import function_roles
from pagefault_doctor.diagnosis.address import AddressClass
from pagefault_doctor.diagnosis.context import Context
from pagefault_doctor.model.report import Kind

_WILD: Final = (AddressClass.NON_CANONICAL, AddressClass.DIRECT_MAP, AddressClass.USER)


def is_broken(context: Context) -> bool:
    """Whether the report is of a free list that led the allocator astray."""
    report = context.report
    if report.kind not in (Kind.GENERAL_PROTECTION, Kind.PAGE_FAULT) or not report.frames:
        return False
    top = report.frames[0].function or ""
    known = context.address_class
    return bool(function_roles.ALLOCATING.fullmatch(top)) and (known is None or known in _WILD)
