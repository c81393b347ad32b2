"""Memory ran out."""

from __future__ import annotations

from collections.abc import Iterator

from pagefault_doctor.diagnosis.context import Context
from pagefault_doctor.model.diagnosis import Evidence
from pagefault_doctor.model.pattern import regex
from pagefault_doctor.model.report import Kind, Report

_PANICS = ("Out of memory", "deadlocked on memory", "out of memory")
_FAILURES = ("page allocation failure", "page allocation stall")

_SLAB = regex(r"slab_unreclaimable:(\d{1,12})(?!\d|kB)")
_ALL = regex(r"(\d{1,12}) pages RAM")
"""Both in pages; `lib/show_mem.c` (show_free_areas, show_mem)."""

_MUCH = 25
"""Percent of all memory in the kernel's own objects from which on that is no normal share."""


def _kernels_own(context: Context) -> Iterator[Evidence]:
    slab, everything = context.line_with("slab_unreclaimable:"), context.line_with(" pages RAM")
    held = slab and _SLAB.search(slab.text)
    of = everything and _ALL.search(everything.text)
    if not held or not of or int(of[1]) == 0:
        return
    percent = 100 * int(held[1]) // int(of[1])
    if percent >= _MUCH:
        text = (
            f"the kernel's own objects (slab_unreclaimable) hold {percent}% of memory: "
            "something in the kernel or a module hoards it, the killed process is not to blame"
        )
        yield context.says("oom.kernels-own", text, line=slab)


def weigh(report: Report, context: Context) -> Iterator[Evidence]:
    """Weigh whether memory ran out."""
    if report.kind is Kind.OOM_KILL:
        yield context.says("oom.kill", "the kernel killed a process to free memory", "headline")
        yield from _kernels_own(context)
    elif report.kind is Kind.PANIC and (found := context.line_with(*_PANICS)):
        yield context.says("oom.panic", "the kernel panicked for lack of memory", line=found)
    elif found := context.line_with(*_FAILURES):
        yield context.says("oom.allocation", "an allocation of pages failed", line=found)
