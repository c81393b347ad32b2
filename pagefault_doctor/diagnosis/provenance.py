"""Where modules come from, the kernel's own tree or outside: by message and by name.

The kernel marks modules from outside, in its taint and in the list of modules
(`kernel/module/main.c`, module_flags). A fragment may have lost either. Then the line of a module's
loading tells (the same file, check_modinfo), or that the tree has no module of that name.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from pagefault_doctor.model.log import ModuleEvent, from_outside
from pagefault_doctor.model.pattern import regex
from pagefault_doctor.model.report import Report
from pagefault_doctor.symbols import in_tree

_ASKED: Final = 8
"""Modules of a trace whose names are looked up; real ones have fewer."""
_NUMBERS: Final = regex(r"(\d{1,3})\.(\d{1,4})")


def with_outside(report: Report, events: Sequence[ModuleEvent]) -> Report:
    """Return the report with the modules from outside the tree that no list of it marks.

    A name alone is not enough: a vendor's tree has modules of its own. It is where the taint tells
    that there are some, and the list is lost that would tell which.
    """
    tainted = "O" in (report.tainted or ())
    if report.out_of_tree or (report.modules and tainted):
        return report
    listed = {module.name for module in report.modules}
    found = [name for name in from_outside(events, report) if not listed or name in listed]
    if tainted:
        found += [name for name in _named(report) if is_unknown(name, report)]
    outside = tuple(dict.fromkeys(found))
    return msgspec.structs.replace(report, outside=outside) if outside else report


def is_unknown(module: str, report: Report) -> bool:
    """Whether the tree of the report's kernel has no module of that name, as far as is known.

    Kernels older or newer than those of the list have others.
    """
    first, *_, last = map(_version, in_tree.releases())
    version = _version(report.kernel_release) or first
    return first <= version <= last and in_tree.path_of(module) is None


def folder_of(module: str | None, report: Report) -> str | None:
    """Return the folder of a module in the kernel's tree, None for one from outside."""
    if module is None or module in report.out_of_tree:
        return None
    return in_tree.path_of(module)


def name_words(module: str | None, report: Report) -> str | None:
    """Return what a module's name tells of where it comes from, None where that is clear."""
    if module is None:
        return None
    if module not in report.out_of_tree:
        return unknown_words(module) if is_unknown(module, report) else None
    if folder := in_tree.path_of(module):
        return f"{module} is from outside the kernel; the tree has one of that name in {folder}"
    return None if module not in report.outside else unknown_words(module)


def unknown_words(module: str) -> str:
    """Return in words that the tree has no module of that name."""
    first, *_, last = in_tree.releases()
    return f"{module} is not among the modules of Linux {first} to {last}"


def _named(report: Report) -> tuple[str, ...]:
    names = (report.module, *(frame.module for frame in report.frames))
    return tuple(dict.fromkeys(filter(None, names)))[:_ASKED]


def _version(release: str | None) -> tuple[int, int] | tuple[()]:
    match = _NUMBERS.match(release or "")
    return (int(match[1]), int(match[2])) if match else ()
