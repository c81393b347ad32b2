"""Paths and names that may stand in an argument list, and whether the case is of this box.

What this box prints may be about another machine, another kernel or another boot than the report.
"""

from __future__ import annotations

import posixpath
from typing import Final

from pagefault_doctor.model import untrusted
from pagefault_doctor.model.case import Case
from pagefault_doctor.model.command import Blocked, Result
from pagefault_doctor.model.fact import Finding, Mark
from pagefault_doctor.model.log import THIS_BOOT, KernelLog
from pagefault_doctor.model.pattern import regex
from pagefault_doctor.model.report import Report
from pagefault_doctor.tools.tool import finding


def reported_release(case: Case) -> str | None:
    """Return the release of the kernel that wrote the main report, where the log tells it."""
    report, log = case.main_report, case.main_log
    if report is None or log is None:
        return None
    of_boot = log.booted[report.boot] if 0 <= report.boot < len(log.booted) else None
    return report.kernel_release or of_boot


def is_this_boots(log: KernelLog, case: Case) -> bool:
    """Return whether a log is the box's own of this boot, not a given file of the same name."""
    return log.source in THIS_BOOT and log.source != case.get("given.log", "")


def is_of_this_boot(case: Case) -> bool:
    """Return whether the main report is known to be of the boot the box is in now."""
    report, log = case.main_report, case.main_log
    if report is None or log is None:
        return False
    return is_this_boots(log, case) and report.boot >= log.boots - 1


def another_kernel(case: Case, result: Result) -> tuple[Finding, ...]:
    """Return a warning where the box runs another kernel than the one in the report."""
    here, reported = case.get("host.kernel", ""), reported_release(case)
    if not here or not reported or here == reported:
        return ()
    text = (
        f"This box runs {here}, the report is of {reported}: "
        "what this box says may be about another machine"
    )
    return (finding(text, Mark.NEUTRAL, result),)


_RELEASE: Final = regex(r"[0-9][0-9A-Za-z.+_~-]{0,127}")
_FILE_NAME: Final = regex(r"[A-Za-z0-9_+.,@~-]{1,255}")
_C_NAME: Final = regex(r"[A-Za-z_][A-Za-z0-9_.]{0,254}")


def is_absolute(path: str) -> bool:
    """Return whether a text is an absolute path: never an option, never more than one line."""
    return path.startswith("/") and "\n" not in path and untrusted.is_clean(path)


def is_release(text: str) -> bool:
    """Return whether a text is a kernel release such as `6.1.0-56-amd64` and nothing else."""
    return _RELEASE.fullmatch(text) is not None and ".." not in text


def is_c_name(text: str) -> bool:
    """Return whether a text is a function's name, compiler suffix included, and nothing else.

    It may then stand in single quotes in a gdb expression.
    """
    return _C_NAME.fullmatch(text) is not None


def inside(folder: str, file: str) -> str | None:
    """Return the path of a file of that base name in a folder, None where it could lead outside."""
    name = posixpath.basename(file)
    if not is_absolute(folder) or not _FILE_NAME.fullmatch(name) or name in (".", ".."):
        return None
    return posixpath.join(folder, name)


def given(case: Case, *names: str) -> str:
    """Return the first of these facts that holds an absolute path, else an empty text."""
    return next((path for name in names if is_absolute(path := case.get(name, ""))), "")


def suspect_file(case: Case) -> str:
    """Return the path of the suspect's uncompressed file, else an empty text.

    One that was fetched for its debug information comes first.
    """
    if path := given(case, "debug.module_file"):
        return path
    if path := given(case, "module.path"):
        return path if path.endswith(".ko") else ""
    return inside(case.get("given.module_dir", ""), f"{case.suspect}.ko") or ""


def reported(case: Case, new: KernelLog | None = None) -> Report | None:
    """Return the main report of the case; where it has none yet, that of a log just read."""
    if new is None or case.reports:
        return case.main_report
    return Case(logs=(new,)).main_report


def dump_path(case: Case) -> str:
    """Return the path of the crash dump: the one the person gave, else the one found here."""
    return given(case, "given.vmcore", "dump.path")


def release(case: Case) -> str:
    """Return the release of the kernel that faulted, as far as it is known, else an empty text."""
    told = (
        case.get("dump.release", ""),
        reported_release(case) or "",
        "" if elsewhere(case) else case.get("host.kernel", ""),
    )
    return next((text for text in told if is_release(text)), "")


def elsewhere(case: Case) -> Blocked | None:
    """Return why commands on this box say nothing of the case: its log or dump is of another."""
    if not (case.has("given.log") or case.has("given.vmcore")):
        return None
    faulted = case.get("dump.release", "") or reported_release(case) or ""
    here = case.get("host.kernel", "")
    if not faulted or not here or faulted == here:
        return None
    return Blocked(
        f"the fault is of kernel {faulted}, this box runs {here}",
        "run pfdoctor on the box the log came from, or in a VM with that kernel",
    )
