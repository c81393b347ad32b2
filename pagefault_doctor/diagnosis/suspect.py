"""The function to look at: the suspect's own, where a check of the kernel's reports its damage."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pagefault_doctor.diagnosis.function_roles import (
    begins_thread,
    is_detector,
    only_passes_on,
)
from pagefault_doctor.diagnosis.history import CRASHES
from pagefault_doctor.model.pattern import regex
from pagefault_doctor.model.report import Frame, Kind, Report


def suspect_frame(report: Report, module: str | None) -> Frame:
    """Return the frame to look at where the module is the suspect, None for the kernel itself.

    Where no frame is better, it is the place that the report is about.
    """
    place = Frame(report.function, module=report.module)
    return next(_candidates(report, module, place), place)


def _candidates(report: Report, module: str | None, place: Frame) -> Iterator[Frame]:
    frames = [frame for frame in report.frames if frame.reliable and frame.function]
    freed_by = report.details.get(f"{_LAST}_by")
    of_same = report.details.get(f"{_LAST}_module") == module
    if report.kind is Kind.SLAB and of_same and freed_by and not only_passes_on(freed_by):
        yield Frame(freed_by, module=module)
    if module and report.module != module:
        yield from (frame for frame in frames if frame.module == module)
        yield from _work_of(module, report)
    if report.function and (report.kind in CRASHES or not _is_on_the_way(report.function)):
        yield place
    names = [frame.function for frame in frames]
    below = names.index(report.function) + 1 if report.function in names else len(names)
    for frame in frames[below:]:
        if not _is_on_the_way(frame.function):
            yield frame


def _work_of(module: str, report: Report) -> Iterator[Frame]:
    """Yield the function of a module that ran as work (`kernel/workqueue.c`, print_worker_info)."""
    match = _WORK.search(report.workqueue or "")
    if match and match["module"] == module:
        yield Frame(match["function"], module=module)


_LAST: Final = "freed"
"""Of the stacks that a slab check prints, the one of who had the object last."""
_WORK: Final = regex(r"(?P<function>[A-Za-z_][\w.]*) \[(?P<module>[\w-]+)\]\s*$")


def _is_on_the_way(function: str | None) -> bool:
    # Where a thread begins stands first only where two stacks were printed through each other.
    return begins_thread(function) or only_passes_on(function) or is_detector(function)
