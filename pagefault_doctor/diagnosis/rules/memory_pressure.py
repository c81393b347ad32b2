"""Memory ran out."""

from __future__ import annotations

from collections.abc import Iterator

from pagefault_doctor.diagnosis.scene import Scene
from pagefault_doctor.model.diagnosis import Evidence
from pagefault_doctor.model.report import Kind, Report

_PANICS = ("Out of memory", "deadlocked on memory", "out of memory")
_FAILURES = ("page allocation failure", "page allocation stall")


def weigh(report: Report, scene: Scene) -> Iterator[Evidence]:
    """Weigh whether memory ran out."""
    if report.kind is Kind.OOM_KILL:
        yield scene.says("oom.kill", "the kernel killed a process to free memory", "headline")
    elif report.kind is Kind.PANIC and (found := scene.line_with(*_PANICS)):
        yield scene.says("oom.panic", "the kernel panicked for lack of memory", line=found)
    elif found := scene.line_with(*_FAILURES):
        yield scene.says("oom.allocation", "an allocation of pages failed", line=found)
