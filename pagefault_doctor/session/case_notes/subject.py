"""The subject of the notes: the main report with its log, its diagnosis and its surroundings."""

from __future__ import annotations

from functools import cached_property
from typing import Final

import msgspec

from pagefault_doctor.diagnosis import source_path
from pagefault_doctor.diagnosis.area import Area, area_of
from pagefault_doctor.diagnosis.circumstances import Circumstances
from pagefault_doctor.diagnosis.context import Context
from pagefault_doctor.diagnosis.contexts import context_of
from pagefault_doctor.diagnosis.provenance import folder_of
from pagefault_doctor.diagnosis.suspect import suspect_frame
from pagefault_doctor.model.case import Case
from pagefault_doctor.model.diagnosis import Attribution, Diagnosis, RootCause
from pagefault_doctor.model.fact import Finding, Mark, Source
from pagefault_doctor.model.log import KernelLog
from pagefault_doctor.model.report import Frame, Report, SourceLine
from pagefault_doctor.model.untrusted import clean_line
from pagefault_doctor.session.case_notes.kernel_packages import KernelPackages, packages_of
from pagefault_doctor.session.view import View
from pagefault_doctor.symbols.function_files import file_of
from pagefault_doctor.tools.arguments import is_release, reported_release

_ELSEWHERE: Final = (Attribution.HARDWARE, Attribution.USER_SPACE, Attribution.MEMORY_PRESSURE)


class Subject(msgspec.Struct, frozen=True, dict=True):
    """What the notes of a case are about."""

    case: Case
    log: KernelLog
    diagnosis: Diagnosis
    context: Context

    @property
    def report(self) -> Report:
        """The main report, with the modules from outside that only the rest of the log marks."""
        return self.context.report

    @property
    def cause(self) -> RootCause:
        """The likeliest cause."""
        return self.diagnosis.root_cause

    @property
    def is_of_kernel(self) -> bool:
        """Whether code of the kernel or of a module has to change."""
        return self.diagnosis.attribution not in _ELSEWHERE

    @cached_property
    def situation(self) -> Circumstances:
        """The situation of the report, as next steps see it."""
        return Circumstances(self.diagnosis.candidates[0], self.context)

    @cached_property
    def release(self) -> str:
        """The release of the kernel that faulted, empty where the log has none that is one."""
        found = reported_release(self.case) or ""
        return found if is_release(found) else ""

    @cached_property
    def packages(self) -> KernelPackages | None:
        """The packages of that kernel, None where its builder is not known."""
        return packages_of(self.release)

    @cached_property
    def frame(self) -> Frame:
        """The place to look at: where it faulted, or the code that a check of it blames."""
        report = self.report
        found = suspect_frame(report, self.diagnosis.module)
        if (found.function, found.module) != (report.function, report.module):
            return found
        return Frame(report.function, report.offset, report.size, report.module)

    @property
    def is_own_place(self) -> bool:
        """Whether that is the place that the report is about."""
        return (self.frame.function, self.frame.module) == (
            self.report.function,
            self.report.module,
        )

    @property
    def place(self) -> str:
        """That place as the kernel prints it; empty where no function is named."""
        frame = self.frame
        if frame.function is None:
            return ""
        offset = f"+{frame.offset:#x}" if frame.offset is not None else ""
        size = f"/{frame.size:#x}" if offset and frame.size else ""
        return f"{frame.function}{offset}{size}" + (f" [{frame.module}]" if frame.module else "")

    @property
    def named_line(self) -> SourceLine | None:
        """The file and line of the fault that the log names, None where it is that of a check."""
        place = self.report.place or self.report.source_line
        is_check = place and source_path.is_of_check(source_path.from_root(place.file))
        return None if is_check else place

    @cached_property
    def path(self) -> str | None:
        """The file of the fault in the kernel's tree, or its folder, None where it is not known."""
        module = self.diagnosis.module or self.frame.module
        named = self.named_line.file if self.named_line else ""
        if module is None and source_path.is_of_tree(named):
            return source_path.from_root(named)
        if module:
            folder = folder_of(module, self.report)
            path = source_path.of_module(module, folder, self.report) if folder else ""
            beside = source_path.from_root(named)
            folder = path.rpartition("/")[0]
            return beside if folder and beside.startswith(f"{folder}/") else folder or None
        function = self.situation.function
        known = (file_of(function) if function else None) or source_path.of_function(function)
        if known is None and self.area and not self.area.caller:
            known = self.area.path
        return known.rstrip("/") or None if known else None

    @cached_property
    def area(self) -> Area | None:
        """The part of the kernel that the fault is in, or that of who called it."""
        if self.diagnosis.attribution is not Attribution.KERNEL:
            return None
        return area_of(self.context, self.frame.function)

    def note(self, text: str, *fields: str, line: int | None = None) -> Finding:
        """Return a note that rests on these fields of the report, or on a line; else on the log."""
        cited = self.report.cited
        line = line or next((cited[field] for field in fields if field in cited), None)
        return Finding(clean_line(text), Mark.NEUTRAL, Source(self.log.source, line))


def subject_of(view: View) -> Subject | None:
    """Return the subject of a session's notes, None where its logs have no report."""
    opinion, case = view.explained, view.case
    if opinion.report is None:
        return None
    report = case.reports[opinion.report]
    log = next(log for log in case.logs if any(each is report for each in log.reports))
    return Subject(case, log, opinion.verdict, context_of(report, log, case.facts, case.logs))
