"""Where the cure belongs: in which module, in the kernel, or in no code at all."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pagefault_doctor.diagnosis import function_roles
from pagefault_doctor.diagnosis.explanation.sentence import cited
from pagefault_doctor.model.diagnosis import Attribution, Candidate, Evidence
from pagefault_doctor.model.report import Report

_ELSEWHERE: Final = {
    Attribution.HARDWARE: "the machine or its firmware needs the repair",
    Attribution.USER_SPACE: "the program needs the change",
    Attribution.MEMORY_PRESSURE: "less load, a limit, or more memory",
}


def cure(report: Report, first: Candidate) -> Iterator[Evidence]:
    """Give who has to change something, and who need not although the fault showed there."""
    because = first.evidence[-1] if first.evidence else None
    line = because.line if because else report.line_of("function")
    origin = because.origin if because else None
    if first.attribution is Attribution.MODULE:
        name = f"module {first.module}" if first.module else "a module that the log does not name"
        yield Evidence(f"in {name}: {because.text if because else ''}", 0.0, line, origin)
    elif first.attribution is Attribution.KERNEL:
        yield Evidence(f"in the kernel's own code: {_of_the_kernel(report)}", 0.0, line, origin)
    elif first.attribution is not Attribution.NONE:
        yield Evidence(
            f"not in the kernel's code: {_ELSEWHERE[first.attribution]}", 0.0, line, origin
        )
    if (
        report.module != first.module
        and function_roles.carries(report.function)
        and report.function
    ):
        text = f"{report.function} only worked with what it was given: no change belongs there"
        yield cited(text, report, "function")


def _of_the_kernel(report: Report) -> str:
    release = f" than {report.kernel_release}" if report.kernel_release else ""
    return f"look for the title in a newer kernel's changes{release}, else report it there"
