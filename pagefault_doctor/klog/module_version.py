"""The version that a module from outside the tree told when it was loaded.

Drivers print it with their name at the front, each in its own words; `modinfo` takes it from
MODULE_VERSION (`include/linux/module.h`), which an oops does not print.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

import msgspec

from pagefault_doctor.klog.text import Lines
from pagefault_doctor.model.fence import fenced
from pagefault_doctor.model.report import Report, said

_BYTES: Final = 1 << 18
"""What is read before a report."""
_OTHERS: Final = r"firmware|\bfw\b|\bapi\b|protocol|\bhw\b|hardware|\bnvm\b|bios|pool|kernel v"
"""Words of which the version is no driver's."""


def with_version(report: Report, place: int, lines: Lines) -> Report:
    """Return the report, at a place of the log, with the version of its module as details.

    `module_version` is the version, `versioned_module` the module that told it in `version_line`.
    """
    return fenced(lambda _: report, _with_version, report, place, lines)


def _with_version(report: Report, place: int, lines: Lines) -> Report:
    certain_first = sorted(report.frames, key=lambda frame: not frame.reliable)
    stack = (frame.module for frame in certain_first)
    named = (name for name in (report.module, *stack) if name in report.out_of_tree)
    if (name := next(named, None)) is None or not report.is_kernel_fault:
        return report
    before = lines.data[max(0, place - _BYTES) : place]
    matches = list(_version(name).finditer(before))
    if not matches:
        return report
    last = matches[-1]
    version = last["version"].decode("ascii", "replace").rstrip(".-+~")
    number = report.span.first_line - before.count(b"\n", last.start())
    start = lines.start_of(max(0, place - len(before)) + last.start())
    line = lines.at(start, number)[0]
    details = {"module_version": version, "versioned_module": name, "version_line": said(line.text)}
    return msgspec.structs.replace(
        report,
        details=report.details | details,
        cited=report.cited | dict.fromkeys(details, number),
    )


@lru_cache(16)
def _version(module: str) -> re.Pattern[bytes]:
    name = re.escape(module).replace("_", "[_-]")
    shape = (
        rf"(?<![\w/.-]){name}(?![\w.-])(?:(?!{_OTHERS})[^\n]){{0,60}}?"
        r"\b(?:v|ver\.?|version|driver|module)[ :]{0,2}v?(?P<version>\d{1,4}\.\d[\w.~+-]{0,30})"
    )
    return re.compile(shape.encode(), re.IGNORECASE)
