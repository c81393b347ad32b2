"""Checks of paths and names before they enter an argument list, and what they are about.

The output of this machine may be about another machine, another kernel or another boot than the
report; the functions below compare them.
"""

from __future__ import annotations

import posixpath
from typing import Final

from pagefault_doctor.model import untrusted
from pagefault_doctor.model.case import Case
from pagefault_doctor.model.command import Blocked, Result
from pagefault_doctor.model.fact import Finding, Mark
from pagefault_doctor.model.given_input import ANOTHER_MACHINE
from pagefault_doctor.model.log import THIS_BOOT, KernelLog
from pagefault_doctor.model.pattern import regex
from pagefault_doctor.model.report import Report
from pagefault_doctor.tools.tool import finding


def reported_release(case: Case) -> str | None:
    """Return the release of the kernel that wrote the main report, or None if the log lacks it."""
    report, log = case.main_report, case.main_log
    if report is None or log is None:
        return None
    boot_release = log.booted[report.boot] if 0 <= report.boot < len(log.booted) else None
    return report.kernel_release or boot_release


def is_log_of_this_boot(log: KernelLog, case: Case) -> bool:
    """Return whether a log is this machine's own of this boot, not a given file of that name."""
    return log.source in THIS_BOOT and log.source != case.get("given.log", "")


def is_report_of_this_boot(case: Case) -> bool:
    """Return whether the main report is known to be from the machine's current boot."""
    report, log = case.main_report, case.main_log
    if report is None or log is None:
        return False
    return is_log_of_this_boot(log, case) and report.boot >= log.boots - 1


def other_kernel_warning(case: Case, result: Result) -> tuple[Finding, ...]:
    """Return a warning if this machine runs another kernel than the one in the report."""
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
    """Return whether a text is an absolute path: one line, and never an option."""
    return path.startswith("/") and "\n" not in path and untrusted.is_clean(path)


def is_release(text: str) -> bool:
    """Return whether a text is a kernel release such as `6.1.0-56-amd64`."""
    return _RELEASE.fullmatch(text) is not None and ".." not in text


def is_c_name(text: str) -> bool:
    """Return whether a text is a function's name, with a compiler suffix or without.

    Such a name is safe in single quotes in a gdb expression.
    """
    return _C_NAME.fullmatch(text) is not None


def path_in_folder(folder: str, file: str) -> str | None:
    """Return the path of a file of that base name in a folder, or None if that is not safe."""
    name = posixpath.basename(file)
    if not is_absolute(folder) or not _FILE_NAME.fullmatch(name) or name in (".", ".."):
        return None
    return posixpath.join(folder, name)


def first_path(case: Case, *names: str) -> str:
    """Return the first of these facts that is an absolute path, else an empty text."""
    return next((path for name in names if is_absolute(path := case.get(name, ""))), "")


def suspect_file(case: Case) -> str:
    """Return the path of the suspect module's uncompressed file, else an empty text.

    A file that was downloaded for its debug information comes first.
    """
    if path := first_path(case, "debug.module_file"):
        return path
    if path := first_path(case, "module.path"):
        return path if path.endswith(".ko") else ""
    return path_in_folder(case.get("given.module_dir", ""), f"{case.suspect}.ko") or ""


def may_have_module_file(case: Case) -> bool:
    """Return whether the suspect module's file is here, or can be.

    Of another machine's case it is only what was named or fetched: an installed one is of this box.
    """
    named = first_path(case, "debug.module_file", "module.path", "given.module_dir")
    return bool(named) or case.get("log.of", "") != ANOTHER_MACHINE


def reported(case: Case, new: KernelLog | None = None) -> Report | None:
    """Return the main report of the case; if it has none yet, that of `new`, a log just read."""
    if new is None or case.reports:
        return case.main_report
    return Case(logs=(new,)).main_report


def dump_path(case: Case) -> str:
    """Return the path of the crash dump: the given one, else the one found here."""
    return first_path(case, "given.vmcore", "dump.path")


def release(case: Case) -> str:
    """Return the release of the kernel that faulted, else an empty text.

    That of this machine stands in only where the case is not another machine's.
    """
    is_elsewhere = case.get("log.of", "") == ANOTHER_MACHINE
    candidates = (
        case.get("dump.release", ""),
        reported_release(case) or "",
        "" if is_elsewhere or blocked_on_other_kernel(case) else case.get("host.kernel", ""),
    )
    return next((text for text in candidates if is_release(text)), "")


def blocked_on_other_kernel(case: Case) -> Blocked | None:
    """Return Blocked if the log or dump is of another kernel than the one that runs here.

    Then commands on this machine say nothing about the case, also where both are of this box.
    """
    if not (case.has("given.log") or case.has("given.vmcore")):
        return None
    faulted = case.get("dump.release", "") or reported_release(case) or ""
    here = case.get("host.kernel", "")
    if not faulted or not here or faulted == here:
        return None
    return Blocked(
        f"the fault is of kernel {faulted}, this box runs {here}",
        "start that kernel here, or run pfdoctor on the box or in a VM where it runs",
    )
