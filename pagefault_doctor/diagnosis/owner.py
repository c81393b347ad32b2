"""Whose the code is that has to change: the subsystem or project that takes reports about it."""

from __future__ import annotations

from typing import Final

import msgspec

from pagefault_doctor.diagnosis import object_caches, source_path
from pagefault_doctor.diagnosis.area import area_of
from pagefault_doctor.diagnosis.context import Context
from pagefault_doctor.diagnosis.driver_names import driver_of
from pagefault_doctor.diagnosis.provenance import folder_of
from pagefault_doctor.diagnosis.suspect import suspect_frame
from pagefault_doctor.model.diagnosis import Attribution, Candidate, Owner, RootCause
from pagefault_doctor.model.report import Report
from pagefault_doctor.playbook.third_party import project_of
from pagefault_doctor.symbols import maintainers

_FOUND_BY_OTHERS: Final = (RootCause.LOCKUP_HANG, RootCause.STACK_OVERFLOW)
"""Causes whose report is of who noticed, not of who holds the lock or fills the stack."""


def owner_of(first: Candidate, context: Context) -> Owner | None:
    """Return who takes reports about the likeliest cause, None where nobody is named for sure.

    That is so for hardware, programs and a lack of memory, where no module is named, and for a part
    of the kernel that the report does not tell.
    """
    if first.attribution is Attribution.MODULE and first.module:
        folder = folder_of(first.module, context.report)
        found = _of_tree(first.module, folder, context.report)
        found = found or _of_project(first.module, context)
        if found and first.circumstantial:
            return msgspec.structs.replace(found, why=f"{found.why}; but no trace leads there")
        return found
    if first.attribution is Attribution.KERNEL and first.root_cause not in _FOUND_BY_OTHERS:
        return _of_kernel(context)
    return None


def _of_tree(module: str, folder: str | None, report: Report) -> Owner | None:
    if folder is None:
        return None
    path = source_path.of_module(module, folder, report)
    place = path.rpartition("/")[0]
    return _of_path(path, place, f"{module} is a module of this folder")


def _of_kernel(context: Context) -> Owner | None:
    report = context.report
    file = source_path.named_in(report)
    path = source_path.of_function(report.function) if report.module is None else None
    # A check that was inlined names its own file; the function is of who failed it.
    if file and (path is None or source_path.is_beside(file, path)):
        return _of_path(file, file, "the kernel names this file")
    if path is None:
        return _of_area(context)
    why = f"by its name, {report.function} is a function of it"
    return _of_path(path, path.rstrip("/"), why)


def _of_area(context: Context) -> Owner | None:
    """Return the owner of the part of the kernel that the function is of, or who called it."""
    report = context.report
    area = area_of(context, suspect_frame(report, None).function)
    if area is None or not area.path:
        return _of_cache(report)
    why = f"{area.function} is a function of it"
    why += f", and called {report.function}" if area.caller else ""
    # The file of a driver need not bear its module's name.
    driver = driver_of(area.function)
    return _of_path(area.path, driver[1] if driver else area.path.rstrip("/"), why)


def _of_cache(report: Report) -> Owner | None:
    """Return the owner of the memory that was damaged, where only its slab cache tells a name."""
    cache = object_caches.of_report(report)
    if cache is None:
        return None
    why = f"the object is of the slab cache {cache.name}, which that code makes"
    return _of_path(cache.path, cache.path.rstrip("/"), why)


def _of_path(path: str, place: str, why: str) -> Owner | None:
    """Return the owner of a file, None where only the section of all files has it."""
    sections = maintainers.sections_of(path)
    if not sections or sections[0].is_rest:
        return None
    first = sections[0]
    listed = next((s for s in sections if s.mailing_list), None)
    tracked = next((s for s in sections if s.tracker), None)
    why += f", and MAINTAINERS of Linux {maintainers.release()} has it as {first.pattern}"
    if listed and listed is not first:
        why += f"; the list is that of {listed.name}"
    return Owner(
        subsystem=first.name,
        mailing_list=listed.mailing_list if listed else None,
        tracker=tracked.tracker if tracked else None,
        why=why,
        place=place,
    )


def _of_project(module: str, context: Context) -> Owner | None:
    project = project_of(module, _is_proprietary(module, context.report))
    if project:
        why = f"{module} is a module from outside the kernel, of this project"
        return Owner(project.project, project.mailing_list, project.tracker, why, module)
    kept = context.walk_fact("module.dkms_package")
    if kept is None:
        return None
    why = f"dkms builds {module} from this package: its dkms.conf and its files name the project"
    return Owner(f"dkms package {kept.value}", None, None, why, module)


def _is_proprietary(module: str, report: Report) -> bool:
    """Whether the kernel marks the module P, or the whole kernel, where no list marks modules."""
    flags = next((m.flags for m in report.modules if m.name == module), None)
    return "P" in (flags if flags is not None else report.tainted or ())
