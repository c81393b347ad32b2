"""Memory ran out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pagefault_doctor.diagnosis.context import Context
from pagefault_doctor.model.diagnosis import Evidence
from pagefault_doctor.model.report import Kind, Report

MUCH: Final = 25
"""Percent of all memory in the kernel's own objects from which on that is no normal share."""


def kernels_own(report: Report) -> int:
    """Return how much of memory the kernel's own objects hold, in percent; 0 if it is not told."""
    held, of = (int(report.details.get(name, "0")) for name in ("slab_unreclaimable", "ram_pages"))
    return 100 * held // of if of else 0


def _kernels_own(context: Context) -> Iterator[Evidence]:
    percent = kernels_own(context.report)
    if percent >= MUCH:
        text = (
            f"the kernel's own objects (slab_unreclaimable) hold {percent}% of memory: "
            "something in the kernel or a module hoards it, the killed process is not to blame"
        )
        yield context.evidence("oom.kernels-own", text, "slab_unreclaimable")


def weigh(report: Report, context: Context) -> Iterator[Evidence]:
    """Weigh whether memory ran out."""
    if report.kind is Kind.OOM_KILL:
        failed = "allocation fail" in report.message
        text = "an allocation failed" if failed else "the kernel killed a process to free memory"
        yield context.evidence("oom.kill", text, "headline")
        yield from _kernels_own(context)
    elif report.kind is Kind.PANIC and "out_of_memory" in report.details:
        text = "the kernel panicked for lack of memory"
        yield context.evidence("oom.panic", text, "out_of_memory")
    elif "page_allocation_failure" in report.details:
        text = "an allocation of pages failed"
        yield context.evidence("oom.allocation", text, "page_allocation_failure")
