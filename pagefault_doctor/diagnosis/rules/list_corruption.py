"""A linked list found inconsistent, or an entry deleted twice."""

from __future__ import annotations

from collections.abc import Iterator

from pagefault_doctor.diagnosis.context import Context
from pagefault_doctor.diagnosis.poison import MemoryState
from pagefault_doctor.model.diagnosis import Evidence
from pagefault_doctor.model.report import Access, Kind, Report

_CHECKS = ("list_corruption", "list_inconsistent")
_LINKS = 8
"""Bytes of the first member of struct list_head: what __list_del writes to lies at 0 and there."""


def weigh(report: Report, context: Context) -> Iterator[Evidence]:
    """Weigh whether a list was damaged."""
    if any(check in report.details for check in _CHECKS):
        yield context.evidence("list.check", "the kernel's own check found a broken list", *_CHECKS)
    elif report.kind is Kind.LIST_CORRUPTION or "list_debug" in report.details:
        yield context.evidence("list.bug", "the kernel's own check found a broken list", "headline")
    hit = context.poison
    if not hit or hit.poison.state is not MemoryState.LIST_DELETED:
        return
    instruction = context.instruction
    wrote = context.access is Access.WRITE or bool(instruction and instruction.is_write)
    if wrote and hit.offset in (0, _LINKS, _LINKS // 2):
        text = f"a link was written through {hit.poison.name}: the entry was deleted twice"
        yield context.evidence("list.poison", text, "fault", "registers")
